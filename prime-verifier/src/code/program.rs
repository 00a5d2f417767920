//! What is sent to an interpreter, and what its answer means.

use std::collections::hash_map::RandomState;
use std::ffi::CString;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::PathBuf;

/// Runs one program with one test.
const RUN: &str = include_str!("harness/run.py");
/// One interpreter for one run.
const SINGLE: &str = include_str!("harness/single.py");
/// One interpreter that forks for each run.
const PREFORK: &str = include_str!("harness/prefork.py");

/// Imports that solutions take for granted, as the graders of APPS and PRIME have them.
pub const DEFAULT_PREAMBLE: &str = include_str!("harness/preamble.py");

/// Bytes of the header before a program.
const HEADER: usize = 128;

/// What runs of one program have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode<'m> {
    /// Reads standard input, writes standard output.
    Stdin,
    /// Defines a function that is called.
    Call {
        /// Its name.
        fn_name: &'m str,
    },
}

/// The texts for a run's standard input: one behind the other.
pub(super) struct Sent<'s> {
    nonce: String,
    header: Vec<u8>,
    parts: [&'s [u8]; 3],
}

impl<'s> Sent<'s> {
    /// `input` is the test's: its standard input, or the JSON list of arguments.
    pub(super) fn new(mode: Mode<'s>, code: &'s str, input: &'s str) -> Self {
        let nonce = nonce();
        let (kind, name, arguments) = match mode {
            Mode::Stdin => ("stdin", "", 0),
            Mode::Call { fn_name } => ("call", fn_name, input.len()),
        };
        let mut header =
            format!("{kind} {nonce} {} {arguments} {}", code.len(), name.len()).into_bytes();
        header.resize(HEADER, b' ');
        Self {
            nonce,
            header,
            parts: [code.as_bytes(), name.as_bytes(), input.as_bytes()],
        }
    }

    pub(super) fn parts(&self) -> [&[u8]; 4] {
        let [code, name, input] = self.parts;
        [&self.header, code, name, input]
    }

    /// What the harness says on standard output, if this is from the harness.
    pub(super) fn answer<'o>(&self, stdout: &'o [u8]) -> Answer<'o> {
        let Some(rest) = stdout.strip_prefix(self.nonce.as_bytes()) else {
            return Answer::None;
        };
        let frame = || {
            let line_end = rest.iter().position(|byte| *byte == b'\n')?;
            let (line, body) = (rest.get(..line_end)?, rest.get(line_end + 1..)?);
            let line = std::str::from_utf8(line).ok()?;
            let (kind, size) = line.trim_start().split_once(' ')?;
            let text = body.strip_suffix(b"\n")?;
            (size.parse() == Ok(text.len())).then_some((kind, text))
        };
        match frame() {
            Some(("C", text)) => Answer::DoesNotCompile(text),
            Some(("R", text)) => Answer::Returned(text),
            Some(("U", text)) => Answer::NotJson(text),
            _ => Answer::Broken,
        }
    }
}

/// What the harness says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<'o> {
    /// Nothing: the output is the program's own.
    None,
    /// The program is none, and why.
    DoesNotCompile(&'o [u8]),
    /// The function returned this JSON.
    Returned(&'o [u8]),
    /// The function returned something that is no JSON: its type and why.
    NotJson(&'o [u8]),
    /// Something else wrote where only the harness should.
    Broken,
}

/// Tells the harness's words from the program's by accident; a program that looks for it gains nothing by it.
fn nonce() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// The program of an interpreter that runs one program.
pub(super) fn single() -> String {
    format!("{RUN}\n{SINGLE}")
}

/// Arguments that run [`single`], of which so many bytes of bytecode come first on standard input. (As a literal among the
/// arguments it would have to be parsed.)
pub(super) fn single_arguments(
    bytecode_size: usize,
    preamble: &str,
    modules: &[PathBuf],
) -> Vec<CString> {
    let (preamble, modules) = (python_text(preamble), python_list(modules));
    arguments(format!(
        "import marshal, posix\n\
         harness = b''\n\
         while len(harness) < {bytecode_size}: harness += posix.read(0, {bytecode_size} - len(harness))\n\
         PREAMBLE = {preamble}\n\
         MODULES = {modules}\n\
         exec(marshal.loads(harness))"
    ))
}

/// Arguments of an interpreter that forks; `own_pid` is what the filter has for a process's own number.
pub(super) fn prefork(own_pid: u32, modules: &[PathBuf]) -> Vec<CString> {
    let modules = python_list(modules);
    let bytes: String = own_pid
        .to_ne_bytes()
        .iter()
        .map(|byte| format!("\\x{byte:02x}"))
        .collect();
    arguments(format!(
        "{RUN}\nOWN_PID = b\"{bytes}\"\nMODULES = {modules}\n{PREFORK}"
    ))
}

fn arguments(program: String) -> Vec<CString> {
    let program = CString::new(program).unwrap_or_default();
    // No site-packages, no folder of the user, no files written, UTF-8; the environment is clean already, and one variable of it
    // counts, so there is no -I.
    let mut arguments = [c"-s", c"-S", c"-B", c"-X", c"utf8", c"-c"]
        .map(ToOwned::to_owned)
        .to_vec();
    arguments.push(program);
    arguments
}

/// A text as a literal of Python.
fn python_text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            ' '..='~' if !matches!(character, '"' | '\\') => literal.push(character),
            _ => literal.push_str(&format!("\\U{:08x}", u32::from(character))),
        }
    }
    literal.push('"');
    literal
}

fn python_list(paths: &[PathBuf]) -> String {
    let texts = paths
        .iter()
        .map(|path| python_text(&path.to_string_lossy()));
    format!("[{}]", texts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_frame_is_an_answer() {
        let sent = Sent::new(Mode::Call { fn_name: "f" }, "def f(): pass", "[]");
        let nonce = sent.nonce.clone();
        let of = |text: &str| format!("{nonce}{text}").into_bytes();
        assert_eq!(sent.answer(&of(" R 1\n6\n")), Answer::Returned(b"6"));
        assert_eq!(sent.answer(&of(" U 1\n6\n")), Answer::NotJson(b"6"));
        assert_eq!(sent.answer(&of(" C 0\n\n")), Answer::DoesNotCompile(b""));
        for broken in [
            "",
            " R 1\n6",
            " R 2\n6\n",
            " R 1\n6\n6\n",
            " X 1\n6\n",
            " R -1\n\n",
            " R",
        ] {
            assert_eq!(sent.answer(&of(broken)), Answer::Broken, "{broken:?}");
        }
        assert_eq!(sent.answer(b"6\n"), Answer::None);
        assert_eq!(sent.answer(b""), Answer::None);
    }

    #[test]
    fn literals_are_plain() {
        assert_eq!(
            python_text("a\"\n\u{e9}"),
            "\"a\\U00000022\\U0000000a\\U000000e9\""
        );
    }
}
