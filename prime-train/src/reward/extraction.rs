//! Where in a response the answer stands, by name: `data.extract` and `verify --extract`.

use prime_verifier::math::{Extraction, Source};

use crate::config::nearest;
use crate::data::answer_place::AnswerPlace;

/// What the prompt of a row asks for.
pub(crate) const AUTO: &str = "auto";
/// All places of texts whose form nobody laid down.
const ANYWHERE: &str = "anywhere";

/// Places in a response by their names, separated by commas, or `anywhere`: the first place that has an answer wins.
///
/// # Errors
/// The name that is none, with those that are.
pub fn extraction(names: &str) -> Result<Extraction, String> {
    if names.trim() == ANYWHERE {
        return Ok(Extraction::anywhere());
    }
    let place = |given: &str| {
        Source::by_name(given.trim()).ok_or_else(|| {
            let names = Source::ALL.map(Source::name);
            let all = names.into_iter().chain([ANYWHERE]);
            let meant = nearest(&given.trim().to_lowercase(), all);
            let hint = meant.map_or(String::new(), |meant| format!(" (did you mean `{meant}`?)"));
            let known = names.join(", ");
            format!(
                "`{given}` is none of {known} (separated by commas), nor {ANYWHERE} by itself{hint}"
            )
        })
    };
    let sources = names.split(',').map(place).collect::<Result<Vec<_>, _>>()?;
    Ok(Extraction::boxed().with_sources(sources))
}

/// Where answers stand that a prompt asks for, or does not ask for anywhere. A box counts too: models that were trained to
/// box their answers do so whatever they are asked. Anything looser would reward hinting at answers.
pub(super) fn asked(place: Option<AnswerPlace>) -> Extraction {
    let mark = match place {
        None | Some(AnswerPlace::Boxed) => return Extraction::boxed(),
        Some(AnswerPlace::Hashes) => Source::Hash,
        Some(AnswerPlace::AnswerLine) => Source::AnswerLine,
        Some(AnswerPlace::AnswerTags) => Source::AnswerTag,
    };
    Extraction::boxed().with_sources([mark, Source::Boxed])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_verifier() {
        let found = extraction("hash, answer_tag,boxed").unwrap();
        assert_eq!(
            found.sources,
            [Source::Hash, Source::AnswerTag, Source::Boxed]
        );
        assert_eq!(extraction("anywhere").unwrap(), Extraction::anywhere());
        for wrong in ["box", "", "boxed,anywhere", "auto"] {
            let message = extraction(wrong).unwrap_err();
            assert!(message.contains("answer_line"), "{message}");
        }
    }
}
