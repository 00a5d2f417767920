//! Makes an input smaller as long as it still fails.

use std::time::{Duration, Instant};

use crate::case::Case;

/// The smallest case found within `time` for which `fails` holds. Only deletes, in one text or in both answers at once.
pub fn shrunk(case: &Case, time: Duration, fails: &dyn Fn(&Case) -> bool) -> Case {
    let end = Instant::now() + time;
    let mut best = case.clone();
    for index in 0..3 {
        let mut without = best.clone();
        without.field(index).clear();
        if fails(&without) {
            best = without;
        }
    }
    loop {
        let before = best.clone();
        for index in 0..3 {
            shrink_field(&mut best, index, end, fails);
        }
        if best == before || Instant::now() > end {
            return best;
        }
    }
}

fn shrink_field(best: &mut Case, index: usize, end: Instant, fails: &dyn Fn(&Case) -> bool) {
    let mut size = best.field(index).len();
    while size > 0 {
        let mut at = 0;
        while at < best.field(index).len() {
            if Instant::now() > end {
                return;
            }
            let text = best.field(index).clone();
            let (from, to) = (boundary(&text, at), boundary(&text, at + size));
            let candidates = candidates(best, index, from..to);
            match candidates.into_iter().find(|candidate| fails(candidate)) {
                Some(smaller) => *best = smaller,
                None => at += size,
            }
        }
        size /= 2;
    }
}

/// Without a piece of one text, and without the same piece of both answers.
fn candidates(case: &Case, index: usize, piece: std::ops::Range<usize>) -> Vec<Case> {
    let mut one = case.clone();
    let removed = one.field(index)[piece.clone()].to_owned();
    one.field(index).replace_range(piece, "");
    let mut all = vec![];
    if !removed.is_empty() {
        all.push(one.clone());
    }
    if index == 0
        && let Some(at) = one.answer.find(&removed)
        && !removed.is_empty()
    {
        one.answer.replace_range(at..at + removed.len(), "");
        all.push(one);
    }
    all
}

fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
