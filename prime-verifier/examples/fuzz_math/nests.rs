//! How much stack nests take.

use crate::case::Case;
use crate::hostile;
use crate::supervise::{End, end_of};
use crate::{Options, Result};

const DEPTHS: [usize; 5] = [16, 63, 126, 400, 4_000];
const INSIDES: [&str; 3] = ["x", "2", "1,2"];
/// What every thread needs.
const LEAST: usize = 64 << 10;
const MOST: usize = 1 << 28;

/// Whether every nest is read and compared within the stack of the options; prints what the hungriest ones take.
pub fn nests(options: &Options) -> Result<bool> {
    let mut good = true;
    let mut needs = vec![];
    let all = hostile::nests();
    for (number, kind) in all.iter().enumerate() {
        // Nests of one kind, and of two in turn.
        let next = all[(number * 7 + 1) % all.len()];
        for kinds in [vec![*kind], vec![*kind, next]] {
            let mut need = LEAST;
            let mut what = String::new();
            for inside in INSIDES {
                for depth in DEPTHS {
                    let case = case(&kinds, inside, depth);
                    let end = end_of(&case, need)?;
                    if end == End::Hung {
                        good = false;
                        println!("hangs: {kinds:?}, {depth} deep around {inside}");
                        break;
                    }
                    if end == End::Died {
                        need = stack_for(&case, need)?;
                        what = format!("{kinds:?}, {depth} deep around {inside}");
                    }
                }
            }
            needs.push((need, what));
        }
    }
    needs.sort_unstable();
    println!("stack that the hungriest nests take, to an eighth:");
    for (need, what) in needs.iter().rev().take(12) {
        println!("  {:5} KiB  {what}", need >> 10);
    }
    let over = needs
        .iter()
        .filter(|(need, _)| *need > options.stack)
        .count();
    println!("{over} kinds take more than {} KiB", options.stack >> 10);
    Ok(good && over == 0)
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

/// The smallest stack, to an eighth, with which a case does not die; it does with `low`.
fn stack_for(case: &Case, mut low: usize) -> Result<usize> {
    let mut high = 2 * low;
    while high < MOST && end_of(case, high)? == End::Died {
        low = high;
        high *= 2;
    }
    while high - low > high / 8 {
        let middle = (low + high) / 2;
        if end_of(case, middle)? == End::Died {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}
