//! Superscript and subscript digits.

pub(super) enum Script {
    Digit(u8),
    Plus,
    Minus,
    Letter(char),
}

/// The digits, as text that outlives every input.
pub(super) const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Bytes of the run of raised (or lowered) characters that `text` opens with, and whether it is raised.
pub(super) fn script(text: &str) -> Option<(usize, bool)> {
    let raised = is_raised(text.chars().next()?)?;
    let length = text
        .chars()
        .take_while(|&c| is_raised(c) == Some(raised))
        .map(char::len_utf8)
        .sum();
    Some((length, raised))
}

fn is_raised(character: char) -> Option<bool> {
    match character {
        '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' | '⁺' | '⁻' | 'ⁿ' | 'ˣ' => Some(true),
        '₀'..='₉' | '₊' | '₋' | 'ₙ' | 'ₓ' => Some(false),
        _ => None,
    }
}

/// `1` for `₁`, and anything else for itself.
pub(super) fn lowered(character: char) -> char {
    match script_value(character) {
        Some(Script::Digit(digit)) => char::from(b'0' + digit),
        Some(Script::Letter(letter)) => letter,
        _ => character,
    }
}

pub(super) fn script_value(character: char) -> Option<Script> {
    Some(match character {
        '⁰' => Script::Digit(0),
        '¹' => Script::Digit(1),
        '²' => Script::Digit(2),
        '³' => Script::Digit(3),
        '⁴'..='⁹' => Script::Digit((u32::from(character) - u32::from('⁴')) as u8 + 4),
        '₀'..='₉' => Script::Digit((u32::from(character) - u32::from('₀')) as u8),
        '⁺' | '₊' => Script::Plus,
        '⁻' | '₋' => Script::Minus,
        'ⁿ' | 'ₙ' => Script::Letter('n'),
        'ˣ' | 'ₓ' => Script::Letter('x'),
        _ => return None,
    })
}
