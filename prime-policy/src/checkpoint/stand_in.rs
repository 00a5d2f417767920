//! Files that stand in the place of another: told by their first bytes.

/// What a file is that begins with `bytes`, where it is neither JSON nor `safetensors` but something well known; and the
/// way out. `None` for what might be the real thing.
pub(crate) fn stand_in(bytes: &[u8]) -> Option<&'static str> {
    let text: Vec<u8> = bytes
        .iter()
        .skip_while(|byte| byte.is_ascii_whitespace())
        .take(24)
        .map(u8::to_ascii_lowercase)
        .collect();
    const KNOWN: [(&[u8], &str); 6] = [
        (
            b"version https://git-lfs",
            "is a Git LFS pointer, not the file that it stands for; fetch the files with `git lfs pull` in that folder, \
             or download it again",
        ),
        (
            b"<!doctype html",
            "is a web page, not the file that was to be downloaded; download it again",
        ),
        (
            b"<html",
            "is a web page, not the file that was to be downloaded; download it again",
        ),
        (
            b"gguf",
            "is a GGUF file under another name, which is not read; use the Hugging Face folder of the same model",
        ),
        (
            b"pk\x03\x04",
            "is a pickle of PyTorch under another name, which is not read; load it with transformers and save it again \
             with save_pretrained",
        ),
        (
            b"access to model",
            "is the hub's refusal to hand the file out; accept the model's terms there, log in, and download it again",
        ),
    ];
    KNOWN
        .iter()
        .find(|(start, _)| text.starts_with(start))
        .map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_ones_are_named_and_the_real_ones_are_not() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
        assert!(stand_in(pointer).unwrap().contains("git lfs pull"));
        for page in [&b"\n<!DOCTYPE html><html>"[..], b"<html lang=en>"] {
            assert!(stand_in(page).unwrap().contains("web page"));
        }
        assert!(stand_in(b"GGUF\x03\0\0\0").unwrap().contains("GGUF"));
        assert!(stand_in(b"PK\x03\x04").unwrap().contains("pickle"));
        for real in [&b"{\"version\": \"1.0\"}"[..], b"", b"\x08\0\0\0\0\0\0\0{}"] {
            assert_eq!(stand_in(real), None);
        }
    }
}
