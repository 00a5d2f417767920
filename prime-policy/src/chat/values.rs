//! Values that a template keeps are bounded.
//!
//! The engine compares, concatenates and drops values recursively and without fuel. A list that a loop nests in itself
//! would overflow the stack, and one that holds itself twice, fifty times over, would take for ever to compare. So what is
//! bound to a name is walked first, and its size paid for.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::python::DEEPEST;

/// The filter for what is bound to a name.
pub(super) const BOUNDED: &str = "__bounded";
/// The filter for what becomes a member of a namespace.
pub(super) const MEMBER: &str = "__member";

/// Values that are walked for one unit of fuel.
const PER_FUEL: u64 = 2;

pub(super) fn add(environment: &mut Environment<'_>) {
    environment.add_filter(BOUNDED, |state: &State<'_, '_>, value: Value| {
        bound(state, value, false)
    });
    environment.add_filter(MEMBER, |state: &State<'_, '_>, value: Value| {
        bound(state, value, true)
    });
}

fn bound(state: &State<'_, '_>, value: Value, member: bool) -> Result<Value, Error> {
    let mut walk = Walk {
        state,
        member,
        visited: 0,
    };
    Ok(walk.value(&value, 0)?.unwrap_or(value))
}

struct Walk<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    member: bool,
    visited: u64,
}

impl Walk<'_, '_, '_> {
    /// `None` for a value that may stay as it is. Slices, repetitions and sums of lists become lists: they would hold the
    /// list that they were made of, which holds the one before.
    fn value(&mut self, value: &Value, depth: usize) -> Result<Option<Value>, Error> {
        self.visited += 1;
        if self.visited.is_multiple_of(PER_FUEL) {
            self.state.consume_fuel(1)?;
        }
        let Some(object) = value.as_object() else {
            return Ok(None);
        };
        let fail = |reason: String| Err(Error::new(ErrorKind::InvalidOperation, reason));
        if depth > DEEPEST {
            return fail(format!("a value is nested more than {DEEPEST} deep"));
        }
        if let Some(items) = value.downcast_object_ref::<Vec<Value>>() {
            let mut changed: Option<Vec<Value>> = None;
            for (at, item) in items.iter().enumerate() {
                if let Some(kept) = self.value(item, depth + 1)? {
                    changed.get_or_insert_with(|| items.clone())[at] = kept;
                }
            }
            return Ok(changed.map(Value::from));
        }
        let type_name = object.type_name();
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                let (mut items, mut changed) = (vec![], false);
                for item in value.try_iter()? {
                    let kept = self.value(&item, depth + 1)?;
                    changed |= kept.is_some();
                    items.push(kept.unwrap_or(item));
                }
                if value.downcast_object_ref::<Tuple>().is_some() {
                    return Ok(changed.then(|| Value::from(Tuple::from(items))));
                }
                // A group of `groupby` has attributes beside its items.
                if type_name.ends_with("GroupTuple") {
                    return Ok(None);
                }
                Ok(Some(Value::from(items)))
            }
            ValueKind::Map => {
                let namespace = type_name.ends_with("Namespace");
                if namespace && self.member {
                    return fail("a namespace in a namespace is not supported".to_owned());
                }
                let (mut pairs, mut changed) = (vec![], false);
                for key in value.try_iter()? {
                    let item = value.get_item(&key)?;
                    let kept = self.value(&item, depth + 1)?;
                    changed |= kept.is_some();
                    pairs.push((key, kept.unwrap_or(item)));
                }
                let plain = type_name.contains("IndexMap");
                Ok((changed && plain).then(|| Value::from_pairs(pairs)))
            }
            _ => Ok(None),
        }
    }
}
