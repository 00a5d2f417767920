//! How much of a text is one number: thousands and decimal marks.

use super::token::Grouping;

/// Spellings of the mark between thousands that cannot be anything else.
const GROUP_MARKS: [&str; 9] = [
    r"{,}", r"\,", r",\!", r"\!,", r"\!", "\u{202f}", "\u{2009}", r"\ ", "~",
];

/// How much of `text` is one number, thousands included.
pub(super) fn number_length(text: &str, commas_may_group: bool) -> (usize, Grouping) {
    let digits = |from: usize| -> usize {
        text.get(from..).map_or(0, |rest| {
            rest.bytes().take_while(u8::is_ascii_digit).count()
        })
    };
    let whole = digits(0);
    let mut end = whole;
    let mut grouping = Grouping::None;
    if (1..=3).contains(&whole) && !text.starts_with('0') {
        let mut used: Option<(Grouping, bool)> = None;
        while let Some(rest) = text.get(end..) {
            let plain = [(",", commas_may_group), (" ", true), ("'", true)];
            let mark = group_mark(rest)
                .map(|length| (length, Grouping::Other))
                .or_else(|| {
                    plain
                        .iter()
                        .find(|(mark, allowed)| *allowed && rest.starts_with(mark))
                        .map(|(mark, _)| {
                            (
                                1,
                                if *mark == "," {
                                    Grouping::Comma
                                } else {
                                    Grouping::Other
                                },
                            )
                        })
                });
            let Some((length, kind)) = mark else { break };
            let class = (kind, length == 1);
            if used.is_some_and(|before| before != class) || digits(end + length) != 3 {
                break;
            }
            used = Some(class);
            grouping = kind;
            end += length + 3;
        }
    }
    // `101,100,99` lists: if one part is no group of three, none is.
    let goes_on = text
        .get(end..)
        .and_then(|rest| rest.strip_prefix(','))
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if grouping == Grouping::Comma && goes_on {
        return (whole, Grouping::None);
    }
    let rest = text.get(end..).unwrap_or("");
    let decimal_comma = rest
        .strip_prefix("{,}")
        .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    if decimal_comma && grouping == Grouping::None && whole > 0 {
        return (end + 3 + digits(end + 3), Grouping::DecimalComma);
    }
    if rest.starts_with('.') {
        let fraction = digits(end + 1);
        // `5.` ends a sentence, `1..5` is no number; `0.\overline{3}` has its digits still to come.
        let repeats = [r"\overline", r"\bar"]
            .iter()
            .any(|mark| rest[1..].starts_with(mark));
        if fraction > 0 || repeats {
            end += 1 + fraction;
        }
    }
    (end, grouping)
}

/// Length of a mark between thousands at the start of `text`; blanks may stand in `{ , }`.
fn group_mark(text: &str) -> Option<usize> {
    if let Some(mark) = GROUP_MARKS.iter().find(|mark| text.starts_with(**mark)) {
        let mut length = mark.len();
        // `12,\! 345`
        if mark.ends_with('!') {
            let rest = text.get(length..)?;
            length += rest.len() - rest.trim_start_matches(' ').len();
        }
        return Some(length);
    }
    let inner = text.trim_start_matches(' ').strip_prefix('{')?;
    let inner = inner.trim_start_matches(' ').strip_prefix(',')?;
    let inner = inner.trim_start_matches(' ').strip_prefix('}')?;
    Some(text.len() - inner.len())
}
