//! Cutting an output into tokens or lines, as far as somebody asks for them.

/// The tokens of a text, each with the number of line breaks since the one before it.
///
/// Blank lines at the end are in front of nothing, and so count for nothing.
pub(super) fn tokens(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut breaks = 0;
        let Some(start) = rest.iter().position(|byte| {
            breaks += usize::from(*byte == b'\n');
            !is_space(*byte)
        }) else {
            rest = &[];
            return None;
        };
        rest = &rest[start..];
        let end = rest
            .iter()
            .position(|byte| is_space(*byte))
            .unwrap_or(rest.len());
        let (token, behind) = rest.split_at(end);
        rest = behind;
        Some((breaks, token))
    })
}

/// The lines of a text that are not blank, without the blanks at their end, each with the number of line
/// breaks since the one before it.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = text;
    let mut breaks = 0;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len());
            let line = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            let length = line
                .iter()
                .rposition(|byte| !is_space(*byte))
                .map_or(0, |last| last + 1);
            if length > 0 {
                return Some((std::mem::replace(&mut breaks, 1), &line[..length]));
            }
            breaks += 1;
        }
        None
    })
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}
