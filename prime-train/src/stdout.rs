//! Standard output, which can be closed or full.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::TrainError;

/// Writes a line to standard output.
///
/// # Errors
/// [`TrainError::OutputClosed`] where nobody reads any more, as after `| head`; [`TrainError::Io`].
pub(crate) fn line(text: impl fmt::Display) -> Result<(), TrainError> {
    text_of(format_args!("{text}\n"))
}

/// [`line`] without the end of the line.
pub(crate) fn text_of(text: impl fmt::Display) -> Result<(), TrainError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.to_string().as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => TrainError::OutputClosed,
            _ => TrainError::io("write", Path::new("standard output"))(error),
        })
}
