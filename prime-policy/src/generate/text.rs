//! A response's text as it grows, and the stop strings in it.

use super::{StopMatch, TextOptions};
use crate::error::PolicyError;

/// Tokens decoded again for context after each new anchor.
const CONTEXT: usize = 4;
/// Tokens after which the anchor moves.
const WINDOW: usize = 12;
/// Tokens after which bytes that make no character are given up on: the longest character has four.
const PATIENCE: usize = 32;

/// The text of one response. Each token costs a decoding of a few tokens, not of the whole response.
#[derive(Debug, Default)]
pub(super) struct ResponseText {
    text: String,
    /// First token of the window that is decoded; its text is known up to `known` bytes.
    anchor: usize,
    known: usize,
}

impl ResponseText {
    /// Takes in the last of `tokens`. A character stays back until its bytes are complete, or the response ends
    /// (`last`).
    pub(super) fn push(
        &mut self,
        tokens: &[u32],
        options: &TextOptions<'_>,
        last: bool,
    ) -> Result<(), PolicyError> {
        let window = (options.decode)(&tokens[self.anchor..])?;
        let held = tokens.len() - self.anchor;
        let complete = window.trim_end_matches(char::REPLACEMENT_CHARACTER).len();
        let end = if last || held >= PATIENCE {
            window.len()
        } else {
            complete
        };
        if let Some(new) = window.get(self.known..end) {
            self.text.push_str(new);
            self.known = end;
        }
        if end == window.len() && held >= WINDOW && !last {
            self.anchor = tokens.len() - CONTEXT;
            self.known = (options.decode)(&tokens[self.anchor..])?.len();
        }
        Ok(())
    }

    /// Bytes of text so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text from this byte on.
    pub(super) fn since(&self, offset: usize) -> &str {
        self.text.get(offset..).unwrap_or_default()
    }

    /// The stop string in the text, given that the text has just grown beyond `old` bytes.
    pub(super) fn stop(&self, old: usize, options: &TextOptions<'_>) -> Option<StopMatch> {
        let found = options
            .stop
            .iter()
            .enumerate()
            .filter_map(|(string, stop)| {
                let mut from = (old + 1).saturating_sub(stop.len()).min(self.text.len());
                while !self.text.is_char_boundary(from) {
                    from -= 1;
                }
                let offset = from + self.since(from).find(stop)?;
                Some(StopMatch { string, offset })
            });
        found.min_by_key(|found| (found.offset, found.string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids are bytes.
    fn decode(ids: &[u32]) -> Result<String, PolicyError> {
        let bytes: Vec<u8> = ids.iter().map(|&id| id as u8).collect();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Feeds the bytes one by one; returns the pieces, and the first match with the number of bytes read by then.
    fn feed(bytes: &[u8], stop: &[&str]) -> (Vec<String>, Option<(StopMatch, usize)>) {
        let options = TextOptions {
            decode: &decode,
            stop,
        };
        let tokens: Vec<u32> = bytes.iter().map(|&byte| u32::from(byte)).collect();
        let (mut text, mut pieces, mut found) = (ResponseText::default(), vec![], None);
        for end in 1..=tokens.len() {
            let old = text.len();
            text.push(&tokens[..end], &options, false).unwrap();
            pieces.push(text.since(old).to_owned());
            let stop = text.stop(old, &options).map(|found| (found, end));
            found = found.or(stop);
        }
        let old = text.len();
        text.push(&tokens, &options, true).unwrap();
        pieces.push(text.since(old).to_owned());
        (pieces, found)
    }

    #[test]
    fn pieces_are_whole_characters_and_add_up() {
        let all = "naïve — 数学 🙂 and a long tail of plain text after it, so that the anchor moves often é";
        let (pieces, _) = feed(all.as_bytes(), &[]);
        assert_eq!(pieces.concat(), all);
        assert!(pieces.iter().all(|piece| !piece.contains('\u{fffd}')));
        assert!(pieces.iter().all(|piece| piece.chars().count() <= 1));
    }

    #[test]
    fn bytes_that_make_no_character_are_shown_in_the_end() {
        let (pieces, _) = feed(b"ab\xe6", &[]);
        assert_eq!(pieces, ["a", "b", "", "\u{fffd}"]);
        let (pieces, _) = feed(&[0xe6; 70], &[]);
        assert_eq!(pieces.concat().chars().count(), 70);
        let (pieces, _) = feed(b"\xe6ok", &[]);
        assert_eq!(pieces.concat(), "\u{fffd}ok");
    }

    #[test]
    fn stop_strings_are_found_when_their_last_byte_comes() {
        let found = |bytes: &[u8], stop: &[&str]| feed(bytes, stop).1;
        let at = |string, offset| StopMatch { string, offset };
        let long = "x".repeat(50) + "END" + "more";
        assert_eq!(found(long.as_bytes(), &["END"]), Some((at(0, 50), 53)));
        assert_eq!(found(b"xEN", &["END"]), None);
        assert_eq!(found("数学。".as_bytes(), &["学"]), Some((at(0, 3), 6)));
        assert_eq!(found("é\n\n".as_bytes(), &["\n\n"]), Some((at(0, 2), 4)));
        // Both are complete at the same byte: the one that starts first; then the one listed first.
        assert_eq!(found(b"1abc", &["bc", "abc"]), Some((at(1, 1), 4)));
        assert_eq!(found(b"1abc", &["bc", "abc", "abc"]), Some((at(1, 1), 4)));
    }
}
