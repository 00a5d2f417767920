//! Text to token ids and back.

use std::path::Path;

use serde_json::json;

use crate::error::PolicyError;

/// A Hugging Face tokenizer and the ids that matter for sampling.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    bos: Option<u32>,
    eos: u32,
}

impl Tokenizer {
    /// Reads `tokenizer.json`. `eos` is the text of the token that ends a response; without it the usual names are
    /// tried (`<eos>`, `<|im_end|>`, `<|endoftext|>`, `<|eot_id|>`, `</s>`). A `<bos>` token, if there is one, starts
    /// every prompt.
    ///
    /// # Errors
    /// [`PolicyError::Io`], [`PolicyError::Format`], or [`PolicyError::Tokenizer`] when no end token is found.
    pub fn from_file(path: &Path, eos: Option<&str>) -> Result<Self, PolicyError> {
        let text = std::fs::read_to_string(path).map_err(|source| PolicyError::Io {
            path: path.to_owned(),
            source,
        })?;
        let inner = text
            .parse()
            .map_err(|error: tokenizers::Error| PolicyError::Format {
                path: path.to_owned(),
                reason: format!("not a tokenizer.json: {error}"),
            })?;
        Self::from_inner(inner, eos)
    }

    /// A tokenizer of single characters: `<pad>` `<bos>` `<eos>` `<unk>` get ids 0 to 3, then `characters` in order.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a character occurs twice.
    pub fn characters(characters: impl IntoIterator<Item = char>) -> Result<Self, PolicyError> {
        const SPECIAL: [&str; 4] = ["<pad>", "<bos>", "<eos>", "<unk>"];
        let mut vocab = serde_json::Map::new();
        for (id, token) in SPECIAL.iter().enumerate() {
            vocab.insert((*token).to_owned(), json!(id));
        }
        for character in characters {
            let id = vocab.len();
            if vocab.insert(character.to_string(), json!(id)).is_some() {
                return Err(PolicyError::Tokenizer(format!(
                    "character {character:?} occurs twice"
                )));
            }
        }
        let added: Vec<_> = SPECIAL
            .iter()
            .enumerate()
            .map(|(id, content)| {
                json!({
                    "id": id, "content": content, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true,
                })
            })
            .collect();
        let spec = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": null,
            "pre_tokenizer": {
                "type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Isolated", "invert": false,
            },
            "post_processor": null,
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
        });
        let inner = spec
            .to_string()
            .parse()
            .map_err(|error: tokenizers::Error| PolicyError::Tokenizer(error.to_string()))?;
        Self::from_inner(inner, Some("<eos>"))
    }

    fn from_inner(inner: tokenizers::Tokenizer, eos: Option<&str>) -> Result<Self, PolicyError> {
        const USUAL: [&str; 5] = ["<eos>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>"];
        let candidates: Vec<&str> = eos.map_or_else(|| USUAL.to_vec(), |token| vec![token]);
        let eos = candidates
            .iter()
            .find_map(|token| inner.token_to_id(token))
            .ok_or_else(|| {
                let looked_for = candidates.join(", ");
                PolicyError::Tokenizer(format!("no end-of-sequence token; looked for {looked_for}"))
            })?;
        Ok(Self {
            bos: inner.token_to_id("<bos>"),
            inner,
            eos,
        })
    }

    /// Number of token ids, special tokens included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Id of the token that ends a response.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    /// The ids of a prompt; starts with `<bos>` if the vocabulary has one.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a piece of the text has no token.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, PolicyError> {
        let mut ids: Vec<u32> = self.bos.into_iter().collect();
        ids.extend(self.encode(text)?);
        Ok(ids)
    }

    /// The ids of a demonstrated response, the end token included.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] when a piece of the text has no token.
    pub fn encode_response(&self, text: &str) -> Result<Vec<u32>, PolicyError> {
        let mut ids = self.encode(text)?;
        ids.push(self.eos);
        Ok(ids)
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, PolicyError> {
        let encoding = self
            .inner
            .encode(text, false)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))?;
        let ids = encoding.get_ids().to_vec();
        if let Some(unknown) = self.inner.token_to_id("<unk>")
            && let Some(at) = ids.iter().position(|&id| id == unknown)
        {
            let (from, to) = encoding.get_offsets()[at];
            let piece = text.get(from..to).unwrap_or(text);
            return Err(PolicyError::Tokenizer(format!(
                "{piece:?} in {text:?} is not in the vocabulary"
            )));
        }
        Ok(ids)
    }

    /// The text of a response for a grader: without the end token, but with any other special token spelled out, so
    /// that what the model wrote between two tokens cannot vanish.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn decode_response(&self, ids: &[u32]) -> Result<String, PolicyError> {
        let end = ids
            .iter()
            .position(|&id| id == self.eos)
            .unwrap_or(ids.len());
        self.inner
            .decode(&ids[..end], false)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))
    }

    /// The text of `ids` without special tokens.
    ///
    /// # Errors
    /// [`PolicyError::Tokenizer`] for ids that cannot be decoded.
    pub fn decode(&self, ids: &[u32]) -> Result<String, PolicyError> {
        self.inner
            .decode(ids, true)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))
    }

    /// The text of every id on its own, special tokens by name: for showing rewards token by token.
    pub fn pieces(&self, ids: &[u32]) -> Vec<String> {
        ids.iter()
            .map(|&id| {
                self.inner
                    .id_to_token(id)
                    .unwrap_or_else(|| format!("<{id}>"))
            })
            .collect()
    }

    /// Writes `tokenizer.json` and a `tokenizer_config.json` that `transformers` reads.
    ///
    /// # Errors
    /// [`PolicyError::Io`] or [`PolicyError::Tokenizer`].
    pub fn save(&self, folder: &Path) -> Result<(), PolicyError> {
        let text = self
            .inner
            .to_string(true)
            .map_err(|error| PolicyError::Tokenizer(error.to_string()))?;
        crate::checkpoint::write_atomically(&folder.join("tokenizer.json"), text.as_bytes())?;
        let name = |id: u32| self.inner.id_to_token(id);
        let config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": self.bos.and_then(name),
            "eos_token": name(self.eos),
            "pad_token": self.inner.token_to_id("<pad>").and_then(name),
            "clean_up_tokenization_spaces": false,
        });
        let path = folder.join("tokenizer_config.json");
        crate::checkpoint::write_atomically(&path, format!("{config:#}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_round_trip_through_a_file() {
        let tokenizer = Tokenizer::characters("0123456789+*=,\\{} ".chars()).unwrap();
        let ids = tokenizer.encode_prompt("7*8=\\{56}").unwrap();
        assert_eq!(ids[0], 1);
        assert_eq!(ids.len(), 10);
        assert_eq!(tokenizer.decode(&ids).unwrap(), "7*8=\\{56}");
        let folder = tempfile::tempdir().unwrap();
        tokenizer.save(folder.path()).unwrap();
        let again = Tokenizer::from_file(&folder.path().join("tokenizer.json"), None).unwrap();
        assert_eq!(
            again.encode_response("3, 4").unwrap(),
            tokenizer.encode_response("3, 4").unwrap()
        );
        assert_eq!(again.eos(), 2);
        assert_eq!(again.vocab_size(), 22);
        assert_eq!(again.pieces(&[2, 4]), ["<eos>", "0"]);
    }

    #[test]
    fn an_unknown_character_is_named() {
        let tokenizer = Tokenizer::characters("abc".chars()).unwrap();
        let error = tokenizer.encode_prompt("abz").unwrap_err().to_string();
        assert!(error.contains("\"z\""), "{error}");
    }
}
