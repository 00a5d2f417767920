//! Names of the files and tensors of a Hugging Face model folder.

/// All weights in one file.
pub(crate) const SINGLE: &str = "model.safetensors";

/// Which shard holds which tensor.
pub(crate) const INDEX: &str = "model.safetensors.index.json";

/// The first part of a shard's name.
pub(crate) const STEM: &str = "model";

/// The name of shard `number` (from 1) of `count`.
pub(crate) fn shard(stem: &str, number: usize, count: usize) -> String {
    format!("{stem}-{number:05}-of-{count:05}.safetensors")
}

/// First parts of shard names in the order in which they are tried: [`STEM`], then what keeps the shards of a new save
/// apart from those of the model that it replaces.
pub(crate) fn stems() -> impl Iterator<Item = String> {
    std::iter::once(STEM.to_owned()).chain((1..).map(|number| format!("{STEM}.new{number}")))
}

/// Whether a file has a name that [`shard`] gives.
pub(crate) fn is_shard(name: &str) -> bool {
    let parts = name
        .strip_prefix(STEM)
        .and_then(|rest| rest.strip_suffix(".safetensors"))
        .and_then(|rest| rest.rsplit_once("-of-"))
        .and_then(|(rest, count)| Some((rest.rsplit_once('-')?, count)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|((new, number), count)| {
        let stem_ok = new.is_empty() || new.strip_prefix(".new").is_some_and(digits);
        stem_ok
            && [number, count]
                .iter()
                .all(|part| part.len() >= 5 && digits(part))
    })
}

/// Whether `name` is the name of a file in the same folder, and nowhere else.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}

/// The embedding and the output head, which are one matrix in a tied model.
pub(crate) const EMBEDDING: &str = "model.embed_tokens.weight";

/// See [`EMBEDDING`].
pub(crate) const HEAD: &str = "lm_head.weight";

/// Whether a tensor is a buffer that follows from the configuration. Checkpoints of 2023 hold the rotary frequencies;
/// `transformers` ignores them, and so does this crate.
pub(crate) fn is_derived(tensor: &str) -> bool {
    tensor.ends_with("rotary_emb.inv_freq")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_told_from_other_files() {
        for stem in stems().take(3) {
            assert!(is_shard(&shard(&stem, 2, 123_456)));
            assert!(is_shard(&shard(&stem, 1, 3)));
        }
        assert_eq!(shard(STEM, 1, 3), "model-00001-of-00003.safetensors");
        for other in [
            SINGLE,
            INDEX,
            "model-1-of-3.safetensors",
            "model-00001-of-00003.bin",
            "model.fp16-00001-of-00003.safetensors",
            "model.new-00001-of-00003.safetensors",
            "pytorch_model-00001-of-00003.safetensors",
            "model-00001-of-0000x.safetensors",
            "model-of-00003.safetensors",
        ] {
            assert!(!is_shard(other), "{other}");
        }
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_not_plain() {
        assert!(is_plain("model-00001-of-00002.safetensors"));
        for name in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "c:x"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
