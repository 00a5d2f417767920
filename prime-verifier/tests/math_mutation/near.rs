//! One change that makes an answer another one.

/// Near-misses of a gold, with the kind of their change.
pub fn misses(gold: &str) -> Vec<(&'static str, String)> {
    let mut out = vec![];
    let bytes = gold.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let put = |text: &str| format!("{}{text}{}", &gold[..at], &gold[at + 1..]);
        let before = at
            .checked_sub(1)
            .and_then(|at| bytes.get(at))
            .copied()
            .unwrap_or(b' ');
        let raised = before == b'^' || before == b'{' && at >= 2 && bytes[at - 2] == b'^';
        match byte {
            b'0'..=b'9' => {
                let kind = if raised { "exponent" } else { "digit" };
                let digit = byte - b'0';
                // One more, one less, and twice: but no first digit 0, which would leave the number shorter.
                out.push((
                    kind,
                    put(&((digit + 1) % 10).to_string()).replace("^0", "^8"),
                ));
                if digit > 1 {
                    out.push((kind, put(&(digit - 1).to_string())));
                }
                if digit > 0 && !raised {
                    out.push((kind, put(&format!("{digit}{digit}"))));
                }
            }
            b'+' if !gold[..at].ends_with(['(', '^', '_']) => out.push(("sign", put("-"))),
            b'-' => out.push(("sign", put("+"))),
            b'<' => out.push(("end", put(r"\le "))),
            b'>' => out.push(("end", put(r"\ge "))),
            _ => {}
        }
        if is_letter(bytes, at) {
            let other = if *byte == b'w' { 'v' } else { 'w' };
            out.push(("variable", put(&other.to_string())));
            let behind = bytes.get(at + 1).copied().unwrap_or(b' ');
            if !matches!(behind, b'^' | b'_' | b'(' | b'\'' | b'$')
                && !matches!(before, b'_' | b'^' | b'd')
            {
                out.push(("exponent", put(&format!("{}^3", *byte as char))));
            }
            // Another letter of the gold itself.
            if let Some(neighbour) = (0..bytes.len())
                .filter(|other| is_letter(bytes, *other))
                .map(|other| bytes[other])
                .find(|other| other != byte)
            {
                out.push(("variable", put(&(neighbour as char).to_string())));
            }
        }
    }
    for (from, to, kind) in SWAPS {
        for (at, _) in gold.match_indices(from) {
            // `\le` is the beginning of `\left`.
            let rest = &gold[at + from.len()..];
            if from.starts_with('\\') && rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            out.push((*kind, format!("{}{to}{rest}", &gold[..at])));
        }
    }
    out.extend(intervals(gold));
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|(_, answer)| answer != gold && seen.insert(answer.clone()));
    out
}

const SWAPS: &[(&str, &str, &str)] = &[
    (r"\lfloor", r"\lceil", "bracket"),
    (r"\lceil", r"\lfloor", "bracket"),
    (r"\le", "<", "end"),
    (r"\ge", ">", "end"),
    (r"\text{ and }", r"\text{ or }", "connective"),
    (r"\text{ or }", r"\text{ and }", "connective"),
    (r"\land", r"\lor", "connective"),
    (r"\lor", r"\land", "connective"),
    (r"\cup", r"\cap", "connective"),
    (r"\sin", r"\cos", "variable"),
    (r"\ne", "=", "end"),
    ("odd", "even", "connective"),
    ("even", "odd", "connective"),
];

/// A letter that is a variable: none of a command, a word or a unit.
fn is_letter(bytes: &[u8], at: usize) -> bool {
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let (alone, behind) = (
        letter(at) && !(at > 0 && letter(at - 1)) && !letter(at + 1),
        at.checked_sub(1),
    );
    alone
        && behind.is_none_or(|at| !matches!(bytes[at], b'\\' | b'\''))
        && !matches!(bytes[at], b'e' | b'i')
}

/// `\lfloor … \rfloor` changes as a pair, which [`SWAPS`] leave to here; so do the ends of intervals.
fn intervals(gold: &str) -> Vec<(&'static str, String)> {
    let mut out = vec![];
    let opens = |at: usize| {
        // An interval stands alone, behind `∈` or between unions.
        let before = gold[..at].trim_end();
        before.is_empty()
            || [r"\in", r"\cup", r"\left"]
                .iter()
                .any(|mark| before.ends_with(mark))
    };
    for (at, bracket) in gold.char_indices().filter(|(_, c)| matches!(c, '(' | '[')) {
        let infinite = gold[at + 1..].trim_start().starts_with(r"-\infty");
        if opens(at)
            && !infinite
            && gold.contains(r"\infty") | gold.contains(r"\in") | gold.starts_with('[')
        {
            let other = if bracket == '(' { "[" } else { "(" };
            out.push((
                "bracket",
                format!("{}{other}{}", &gold[..at], &gold[at + 1..]),
            ));
        }
    }
    out
}
