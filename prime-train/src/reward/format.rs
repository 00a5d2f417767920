//! A reward for the form of a response.

use regex::Regex;

/// What a response has to look like.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    /// Somewhere in it.
    Pattern(Regex),
    /// All of it: one element after the other, with nothing but blanks around them.
    Tags(Vec<[String; 2]>),
}

impl Format {
    /// A pattern or tags.
    ///
    /// # Errors
    /// What is needed instead, in words.
    pub(crate) fn new(pattern: &str, tags: &[String]) -> Result<Self, String> {
        match (pattern, tags) {
            ("", []) => Err("a `pattern` or `tags` for a format".to_owned()),
            (_, []) => Regex::new(pattern)
                .map(Format::Pattern)
                .map_err(|error| format!("a regular expression as `pattern`; {error}")),
            ("", tags) => {
                let name = |tag: &String| {
                    let ok = |c: char| c.is_alphanumeric() || "_-".contains(c);
                    match !tag.is_empty() && tag.chars().all(ok) {
                        true => Ok([format!("<{tag}>"), format!("</{tag}>")]),
                        false => Err(format!(
                            "a list of names of letters, digits, `_` and `-` as `tags`, without the brackets; {tag:?} is none"
                        )),
                    }
                };
                Ok(Format::Tags(
                    tags.iter().map(name).collect::<Result<_, _>>()?,
                ))
            }
            _ => Err("a `pattern` or `tags` for a format, not both".to_owned()),
        }
    }

    /// Whether a response has the form. In time linear in its length.
    pub(crate) fn fits(&self, response: &str) -> bool {
        match self {
            Format::Pattern(pattern) => pattern.is_match(response),
            Format::Tags(tags) => {
                let mut rest = response;
                for [open, close] in tags {
                    let Some(inner) = rest.trim_start().strip_prefix(open.as_str()) else {
                        return false;
                    };
                    let Some((content, behind)) = inner.split_once(close.as_str()) else {
                        return false;
                    };
                    // One opened twice is not an element but a try at several.
                    if content.contains(open.as_str()) {
                        return false;
                    }
                    rest = behind;
                }
                rest.trim().is_empty()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_the_whole_of_a_response() {
        let tags = ["think", "answer"].map(str::to_owned);
        let format = Format::new("", &tags).unwrap();
        for (text, fits) in [
            ("<think>a</think><answer>b</answer>", true),
            ("\n<think>a\n</think>\n\n<answer></answer>\n", true),
            ("<think>a</think><answer>b</answer> c", false),
            ("Well <think>a</think><answer>b</answer>", false),
            ("<answer>b</answer><think>a</think>", false),
            ("<think>a</think><answer>b", false),
            ("<think>a<think>b</think><answer>c</answer>", false),
            (
                "<think>a</think><answer>b</answer><answer>c</answer>",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(format.fits(text), fits, "{text:?}");
        }
    }

    #[test]
    fn a_pattern_matches_somewhere_and_takes_linear_time() {
        let format = Format::new(r"(?m)^Answer: \d+$", &[]).unwrap();
        assert!(format.fits("So.\nAnswer: 12\nDone."));
        assert!(!format.fits("My Answer: 12"));
        let hostile = Format::new(r"(a+)+$", &[]).unwrap();
        let begun = std::time::Instant::now();
        assert!(!hostile.fits(&("a".repeat(1 << 16) + "b")));
        assert!(begun.elapsed().as_secs() < 5);
    }
}
