//! Stop strings, and the text of a response up to the one that ended it.

use prime_policy::{PolicyError, Response, TextOptions, Tokenizer};

type Decode<'a> = dyn Fn(&[u32]) -> Result<String, PolicyError> + Sync + 'a;

/// The texts that end a response (`sampling.stop_strings`). What is trained on are the tokens as they were sampled, also
/// those of the stop string; what is judged is the text before it.
pub(crate) struct ResponseText<'a> {
    tokenizer: &'a Tokenizer,
    stop: Vec<&'a str>,
    decode: Box<Decode<'a>>,
}

impl<'a> ResponseText<'a> {
    pub(crate) fn new(tokenizer: &'a Tokenizer, stop: &'a [String]) -> Self {
        Self {
            tokenizer,
            stop: stop.iter().map(String::as_str).collect(),
            decode: Box::new(|ids| tokenizer.decode_response(ids)),
        }
    }

    /// For the sampler; nothing is looked for where there are none.
    pub(crate) fn options(&self) -> Option<TextOptions<'_>> {
        (!self.stop.is_empty()).then(|| TextOptions {
            decode: &*self.decode,
            stop: &self.stop,
        })
    }

    /// The text up to the stop string. One that closes an element, `</answer>`, is part of what was said: without it the
    /// element is an unfinished one.
    pub(crate) fn of(&self, response: &Response) -> Result<String, PolicyError> {
        let mut text = self.tokenizer.decode_response(&response.tokens)?;
        if let Some(found) = response.stop_string {
            let stop = self.stop.get(found.string).copied().unwrap_or_default();
            let kept = match stop.starts_with("</") && stop.ends_with('>') {
                true => stop.len(),
                false => 0,
            };
            let end = found.offset + kept;
            if text.is_char_boundary(end) {
                text.truncate(end);
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use prime_policy::{FinishReason, StopMatch};

    use super::*;

    #[test]
    fn text_ends_before_the_stop_string_unless_it_closes_an_element() {
        let tokenizer = Tokenizer::characters("12</a>é".chars()).unwrap();
        let stop = ["2".to_owned(), "</a>".to_owned()];
        let texts = ResponseText::new(&tokenizer, &stop);
        let response = |text: &str, string, offset| Response {
            tokens: tokenizer.encode(text).unwrap(),
            log_probs: vec![],
            sampling_log_probs: vec![],
            finish: FinishReason::StopString,
            stop_string: Some(StopMatch { string, offset }),
        };
        assert_eq!(texts.of(&response("é121", 0, 3)).unwrap(), "é1");
        assert_eq!(texts.of(&response("1</a>2", 1, 1)).unwrap(), "1</a>");
        let whole = Response {
            stop_string: None,
            ..response("121", 0, 1)
        };
        assert_eq!(texts.of(&whole).unwrap(), "121");
        assert!(texts.options().is_some());
        assert!(ResponseText::new(&tokenizer, &[]).options().is_none());
    }
}
