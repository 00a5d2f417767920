//! Text while it is being sampled.

use super::Tokenizer;
use crate::error::PolicyError;

/// Turns ids into text one at a time.
///
/// A character may be spread over several tokens: its text comes with the last of them. The texts of all calls together
/// are the text of all ids.
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
