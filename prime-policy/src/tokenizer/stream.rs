//! Text while it is being sampled.

use super::Tokenizer;
use crate::error::PolicyError;

/// Turns ids into text one at a time.
///
/// A character may be spread over several tokens: its text comes with the last of them. The texts of all calls together
/// are the text of all ids, as long as these spell whole characters.
///
/// ```
/// use prime_policy::{TokenStream, Tokenizer};
///
/// let tokenizer = Tokenizer::characters("12+".chars())?;
/// let mut stream = TokenStream::new(&tokenizer, false);
/// let mut text = String::new();
/// for id in tokenizer.encode_response("1+2")? {
///     text += &stream.push(id)?;
/// }
/// assert_eq!(text + &stream.finish()?, "1+2");
/// # Ok::<(), prime_policy::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct TokenStream<'a> {
    tokenizer: &'a Tokenizer,
    special_tokens: bool,
    /// Ids whose text is out, kept because it decides how the next ones are written, then ids whose text is not.
    ids: Vec<u32>,
    /// How many of them are of the first kind.
    out: usize,
}

impl<'a> TokenStream<'a> {
    /// A stream that spells special tokens out, or leaves them out.
    pub fn new(tokenizer: &'a Tokenizer, special_tokens: bool) -> Self {
        Self {
            tokenizer,
            special_tokens,
            ids: vec![],
            out: 0,
        }
    }

    /// The text that is certain with one more id; often empty.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn push(&mut self, id: u32) -> Result<String, PolicyError> {
        self.ids.push(id);
        let text = self.pending()?;
        // What ends in the replacement character is half a character, or may be.
        if text.is_empty() || text.ends_with(char::REPLACEMENT_CHARACTER) {
            return Ok(String::new());
        }
        self.ids.drain(..self.out);
        self.out = self.ids.len();
        Ok(text)
    }

    /// The text that was held back: bytes that never became a character are replacement characters.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn finish(self) -> Result<String, PolicyError> {
        self.pending()
    }

    fn pending(&self) -> Result<String, PolicyError> {
        let decode = |ids: &[u32]| self.tokenizer.decode_ids(ids, !self.special_tokens);
        let before = decode(&self.ids[..self.out])?;
        let text = decode(&self.ids)?;
        Ok(text.get(before.len()..).unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Map, json};

    use super::*;

    /// One of the tokenizers that `tests/fixtures/make_chat.py` makes: the bytes of a character are tokens.
    fn byte_level() -> Tokenizer {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chat/bpe");
        Tokenizer::from_folder(&fixtures).unwrap()
    }

    /// In the manner of SentencePiece: `▁` for spaces, one of them put before the text, bytes for what has no token.
    fn byte_fallback() -> Tokenizer {
        let mut vocab = Map::new();
        let mut add = |token: String| {
            let id = vocab.len();
            vocab.insert(token, json!(id));
        };
        ["<unk>", "</s>", "▁", "a", "b", "▁a", "ab"]
            .into_iter()
            .for_each(|token| add(token.to_owned()));
        (0..=255).for_each(|byte| add(format!("<0x{byte:02X}>")));
        let special = |id: u32, content: &str| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true})
        };
        let spec = json!({
            "version": "1.0", "truncation": null, "padding": null, "pre_tokenizer": null, "post_processor": null,
            "added_tokens": [special(0, "<unk>"), special(1, "</s>")],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ]},
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"}, {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ]},
            "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "vocab": vocab,
                "merges": ["▁ a", "a b"]},
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, spec.to_string()).unwrap();
        Tokenizer::from_file(&path, None).unwrap()
    }

    fn streamed(tokenizer: &Tokenizer, ids: &[u32], special: bool) -> (Vec<String>, String) {
        let mut stream = TokenStream::new(tokenizer, special);
        let pieces: Vec<String> = ids.iter().map(|&id| stream.push(id).unwrap()).collect();
        (pieces, stream.finish().unwrap())
    }

    #[test]
    fn no_piece_holds_half_a_character_and_all_of_them_are_the_text() {
        let text = "a ab  ß→😀👩‍👩‍👧 日本 a\n b";
        for tokenizer in [byte_level(), byte_fallback()] {
            let ids = tokenizer.encode(text).unwrap();
            assert!(
                ids.len() > text.chars().count(),
                "characters are spread over tokens"
            );
            let (pieces, rest) = streamed(&tokenizer, &ids, false);
            assert!(
                !pieces
                    .iter()
                    .any(|piece| piece.contains(char::REPLACEMENT_CHARACTER))
            );
            assert_eq!((pieces.concat().as_str(), rest.as_str()), (text, ""));
            assert!(pieces.iter().filter(|piece| !piece.is_empty()).count() >= 12);
        }
    }

    #[test]
    fn special_tokens_are_spelled_out_or_left_out() {
        let tokenizer = byte_level();
        let ids = tokenizer.encode("<|im_start|>ß<|im_end|>ß").unwrap();
        let all = |special| {
            let (pieces, rest) = streamed(&tokenizer, &ids, special);
            pieces.concat() + &rest
        };
        assert_eq!(all(true), "<|im_start|>ß<|im_end|>ß");
        assert_eq!(all(false), "ßß");
    }

    #[test]
    fn what_never_becomes_a_character_comes_at_the_end() {
        let tokenizer = byte_level();
        let mut ids = tokenizer.encode("a€").unwrap();
        ids.pop();
        let (pieces, rest) = streamed(&tokenizer, &ids, false);
        assert_eq!((pieces.concat().as_str(), rest.as_str()), ("a", "\u{fffd}"));
    }

    #[test]
    fn any_ids_give_the_text_that_they_give_at_once() {
        let tokenizer = byte_level();
        let size = tokenizer.vocab_size() as u64;
        let mut state = 1_u64;
        for length in 0..200 {
            let ids: Vec<u32> = (0..length % 17)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    ((state >> 33) % size) as u32
                })
                .collect();
            for special in [true, false] {
                let (pieces, rest) = streamed(&tokenizer, &ids, special);
                let whole = tokenizer.decode_ids(&ids, !special).unwrap();
                assert_eq!(pieces.concat() + &rest, whole, "{ids:?}");
            }
        }
    }
}
