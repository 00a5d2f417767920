//! What a law says of an estimator that breaks it.

use std::fmt;

use crate::OwnedBatch;

/// A law that an estimator breaks, with the smallest batch found that shows it.
///
/// `{:?}` is the same text as `{}`, since that is what `unwrap` and a test that
/// returns the error print.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub struct LawBroken {
    pub(super) law: &'static str,
    pub(super) estimator: String,
    pub(super) found: String,
    pub(super) counterexample: Option<OwnedBatch>,
}

impl LawBroken {
    /// The law's name: the name of its function.
    pub fn law(&self) -> &'static str {
        self.law
    }

    /// The estimator's name.
    pub fn estimator(&self) -> &str {
        &self.estimator
    }

    /// What was found where something else was expected, or how the estimator panicked.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// The batch, after shrinking; printed as JSON, which [`OwnedBatch`] deserialises.
    /// `None` only if proptest gave up before it had a batch.
    pub fn counterexample(&self) -> Option<&OwnedBatch> {
        self.counterexample.as_ref()
    }
}

impl fmt::Display for LawBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (estimator, law, found) = (&self.estimator, self.law, &self.found);
        write!(f, "`{estimator}` breaks the law `{law}`: {found}")?;
        match &self.counterexample {
            None => Ok(()),
            Some(batch) => {
                let json = serde_json::to_string(batch).map_err(|_| fmt::Error)?;
                write!(f, "\ncounterexample: {json}")
            }
        }
    }
}

impl fmt::Debug for LawBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The laws that an estimator breaks, at least one; see [`universal`](super::universal).
///
/// `{:?}` is the same text as `{}`.
#[derive(Clone, PartialEq, thiserror::Error)]
pub struct LawsBroken {
    pub(super) all: Vec<LawBroken>,
}

impl LawsBroken {
    /// The broken laws, in the order they were tested.
    pub fn all(&self) -> &[LawBroken] {
        &self.all
    }
}

impl fmt::Display for LawsBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, broken) in self.all.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{broken}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LawsBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
