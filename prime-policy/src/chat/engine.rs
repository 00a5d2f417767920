//! The Jinja engine, set up as `transformers` sets up jinja2.

use std::fmt;

use jiff::ZonedDateTime;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, Value};

use super::{filters, methods, python, values};
use crate::error::PolicyError;

/// What the engine calls the template.
pub(super) const NAME: &str = "chat_template";

/// An instruction costs one unit, and so do 64 bytes: seconds at most, and a quarter of a gigabyte.
const FUEL: u64 = 1 << 22;

/// What jinja2 does not have. Used, it is an error there, so here too.
/// `escape` and `pprint` it has, but they write something else.
const FOREIGN_FILTERS: [&str; 8] = [
    "bool", "chain", "e", "escape", "lines", "pprint", "split", "zip",
];
const FOREIGN_TESTS: [&str; 3] = ["endingwith", "safe", "startingwith"];

/// An engine that holds the compiled template, as `source::prepare` wrote it.
pub(super) fn environment(template: String) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    // Errors then say which variable is undefined.
    environment.set_debug(true);
    environment.set_formatter(print);
    environment.set_unknown_method_callback(methods::call);
    for name in FOREIGN_FILTERS {
        environment.remove_filter(name);
    }
    for name in FOREIGN_TESTS {
        environment.remove_test(name);
    }
    environment.remove_global("debug");
    filters::add(&mut environment);
    values::add(&mut environment);
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
    environment.add_function("raise_exception", raise_exception);
    environment.add_template_owned(NAME, template)?;
    Ok(environment)
}

fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => out.write_str(text)?,
        None => out.write_str(&python::to_str(state, value)?)?,
    }
    Ok(())
}

/// What a template said through `raise_exception`.
#[derive(Debug)]
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

fn raise_exception(state: &State<'_, '_>, message: &Value) -> Result<Value, Error> {
    let raised = Raised(python::to_str(state, message)?);
    Err(Error::new(ErrorKind::InvalidOperation, raised.0.clone()).with_source(raised))
}

/// `strftime_now(format)` at a fixed time, or at the time that the local clock shows.
pub(super) fn strftime_now(now: Option<DateTime>) -> Value {
    Value::from_function(move |format: &str| {
        let time = now.unwrap_or_else(|| ZonedDateTime::now().datetime());
        BrokenDownTime::from(time)
            .to_string(format)
            .map_err(|error| {
                Error::new(
                    ErrorKind::InvalidOperation,
                    format!("strftime_now({format:?}): {error}"),
                )
            })
    })
}

/// The engine's error with the file, the line and the way out.
pub(super) fn explain(origin: &str, error: &Error) -> PolicyError {
    let raised =
        std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| {
            error.source()
        })
        .find_map(|error| error.downcast_ref::<Raised>());
    let detail = error.detail().unwrap_or_default();
    let reason = match (raised, error.kind()) {
        (Some(Raised(message)), _) => {
            format!("the template refuses this conversation: {message}")
        }
        (None, ErrorKind::OutOfFuel) => {
            "does not come to an end, or makes too long a text; correct its loops".to_owned()
        }
        (
            None,
            kind @ (ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownMethod
            | ErrorKind::UnknownFunction),
        ) => format!(
            "{kind}: {detail}; rewrite that line with what jinja2 and this crate have, and give the file as the template"
        ),
        (None, kind) if detail.is_empty() => kind.to_string(),
        (None, kind) => format!("{kind}: {detail}"),
    };
    PolicyError::ChatTemplate {
        origin: origin.to_owned(),
        line: error.line(),
        reason,
    }
}
