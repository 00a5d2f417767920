//! Temporary.
use prime_verifier::math::*;
#[test]
fn probe() {
    let Ok(path) = std::env::var("PROBE") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let Some((a, b)) = line.split_once(" ~ ") else {
            println!("# {line}");
            continue;
        };
        let mut out = String::new();
        for name in ["strict", "default", "math_verify_compat", "prime_compat"] {
            let p = MathPolicy::by_name(name).unwrap();
            let c = compare(a, b, &p);
            let d = compare(b, a, &p);
            let ch = |v: MathVerdict| match v {
                MathVerdict::Equal => 'E',
                MathVerdict::NotEqual => '.',
                MathVerdict::Unparsed => 'P',
                MathVerdict::Undecided => 'U',
                _ => 'N',
            };
            out.push(ch(c.verdict));
            if d.verdict != c.verdict {
                out.push('!');
                out.push(ch(d.verdict));
            }
        }
        let c = compare(a, b, &MathPolicy::default());
        println!(
            "{out}  {a}  ~  {b}    [{} | {}] {:?} {:?} {:?} {:?} {:?}",
            c.gold,
            c.answer,
            c.gold.kind(),
            c.answer.kind(),
            c.stage,
            c.gold.syntax_error(),
            c.answer.syntax_error()
        );
    }
}
