//! Time per operation and the budget it is charged; run with
//! `cargo test --release timing -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

use super::*;

#[test]
#[ignore = "prints timings"]
fn timing() {
    for prec in [128, 256, 512, 1024, 4096] {
        at(prec, |cx| {
            let x = real(355, 113 * 4, cx);
            let y = real(-22, 7, cx).exp(cx).unwrap();
            let q = rational(22_345_678, 7_123_457);
            let z = Complex::new(x.clone(), y.clone());
            report("add", cx, |cx| x.add(&y, cx).is_ok());
            report("mul", cx, |cx| x.mul(&y, cx).is_ok());
            report("div", cx, |cx| x.div(&y, cx).is_ok());
            report("from_rbig", cx, |cx| Real::from_rbig(&q, cx).is_ok());
            report("complex mul", cx, |cx| z.mul(&z, cx).is_ok());
            report("complex div", cx, |cx| z.div(&z, cx).is_ok());
            for (name, f, _) in REAL_FUNCTIONS {
                report(name, cx, |cx| f(&x, cx).is_ok());
            }
            for (name, f) in COMPLEX_FUNCTIONS {
                report(&format!("complex {name}"), cx, |cx| f(&z, cx).is_ok());
            }
        });
    }
}

fn report(name: &str, cx: &mut Ctx<'_>, mut f: impl FnMut(&mut Ctx<'_>) -> bool) {
    let runs = 300u32;
    black_box(f(cx));
    let before = cx.left();
    let start = Instant::now();
    for _ in 0..runs {
        black_box(f(cx));
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(runs);
    let charged = (before - cx.left()) as f64 / f64::from(runs) / 10.0;
    println!(
        "{:5} {name:16} {micros:9.2} µs, charged {charged:9.2}",
        cx.prec()
    );
}
