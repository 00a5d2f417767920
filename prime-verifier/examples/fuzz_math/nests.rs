//! How much stack nests take.

use crate::case::Case;
use crate::hostile;
use crate::supervise::dies;
use crate::{Options, Result};

const DEPTHS: [usize; 6] = [16, 32, 64, 130, 400, 4_000];
const INSIDES: [&str; 3] = ["x", "2", "1,2"];

/// Whether every nest is read and compared within the stack of the options; prints what the hungriest ones take.
pub fn nests(options: &Options) -> Result<bool> {
    let mut good = true;
    let mut needs = vec![];
    let all = hostile::nests();
    for (number, kind) in all.iter().enumerate() {
        // Nests of one kind, and of two in turn.
        let next = all[(number * 7 + 1) % all.len()];
        for kinds in [vec![*kind], vec![*kind, next]] {
            let mut most = (0, String::new());
            for inside in INSIDES {
                let at_once = DEPTHS.map(|depth| case(&kinds, inside, depth));
                for (depth, case) in DEPTHS.into_iter().zip(at_once) {
                    let floor = most.0.max(32 << 10);
                    if !dies(&case, floor) {
                        continue;
                    }
                    let need = need(&case, floor);
                    most = (need, format!("{kinds:?}, {depth} deep around {inside}"));
                }
            }
            if most.0 > options.stack {
                good = false;
                println!(
                    "too deep for the stack: {} KiB for {}",
                    most.0 >> 10,
                    most.1
                );
            }
            needs.push(most);
        }
    }
    needs.sort_unstable();
    println!("stack that the hungriest nests take:");
    for (need, what) in needs.iter().rev().take(12) {
        println!("  {:5} KiB  {what}", need >> 10);
    }
    Ok(good)
}

fn case(kinds: &[(&str, &str)], inside: &str, depth: usize) -> Case {
    let gold = hostile::nested(kinds, inside, depth, true);
    // Something that differs deep inside, so that nothing decides early.
    let answer = hostile::nested(kinds, &format!("{inside}+1"), depth, true);
    let response = format!(r"\boxed{{{answer}}}");
    Case {
        gold,
        answer,
        response,
    }
}

/// The smallest stack, to 1/8, with which a case does not die.
fn need(case: &Case, floor: usize) -> usize {
    let mut high = floor;
    while dies(case, high) {
        if high > 1 << 30 {
            return high;
        }
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > high / 8 {
        let middle = (low + high) / 2;
        if dies(case, middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
