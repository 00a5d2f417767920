//! A Python that runs programs.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::CodeError;
use crate::sandbox::Interpreter;

/// Asks an interpreter, outside any sandbox and before any program is there, what it is and what it reads.
const QUESTION: &str = r#"
import json, os, sys
import ctypes
maps = open("/proc/self/maps").read() if os.path.exists("/proc/self/maps") else ""
files = sorted({line.split(None, 5)[5].strip() for line in maps.splitlines() if len(line.split(None, 5)) == 6})
print(json.dumps({
    "executable": os.path.realpath(sys.executable),
    "version": list(sys.version_info[:3]),
    "implementation": sys.implementation.name,
    "prefix": sys.base_prefix,
    "path": [folder for folder in sys.path if folder],
    "files": [file for file in files if file.startswith("/")],
}))
"#;

/// Compiles what is on its standard input.
const COMPILE: &str = r#"
import marshal, sys
program = compile(sys.stdin.buffer.read(), "harness.py", "exec", dont_inherit=True, optimize=2)
sys.stdout.buffer.write(marshal.dumps(program))
"#;

/// Variables that shims look at.
const KEPT: [&str; 5] = ["PATH", "HOME", "PYENV_ROOT", "PYENV_VERSION", "SystemRoot"];

/// How long the answer may take: the file system may be cold.
const PATIENCE: Duration = Duration::from_secs(60);
/// The oldest version whose `os` module has what the pre-forked interpreter needs.
const OLDEST: [u32; 3] = [3, 9, 0];

/// A Python interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Python {
    /// The interpreter itself: no shim, no link.
    pub path: PathBuf,
    /// Its version: major, minor, micro.
    pub version: [u32; 3],
    pub(super) interpreter: Interpreter,
}

#[derive(Deserialize)]
struct Answer {
    executable: PathBuf,
    version: [u32; 3],
    implementation: String,
    prefix: PathBuf,
    path: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Python {
    /// The interpreter that runs when `path` is executed, which may be a shim or a link to it.
    ///
    /// # Errors
    /// [`CodeError::Python`] if it does not run, is too old, or is no CPython.
    pub fn at(path: &Path) -> Result<Self, CodeError> {
        let bad = |reason: String| CodeError::Python {
            path: path.to_path_buf(),
            reason,
        };
        let answer = ask(path, QUESTION, b"").map_err(bad)?;
        let answer: Answer = serde_json::from_slice(&answer)
            .map_err(|error| bad(format!("does not answer like a Python: {error}")))?;
        if answer.implementation != "cpython" {
            return Err(bad(format!(
                "is {}; it takes CPython",
                answer.implementation
            )));
        }
        if answer.version < OLDEST {
            let [major, minor, micro] = answer.version;
            let reason = format!("is Python {major}.{minor}.{micro}; it takes 3.9 or newer");
            return Err(bad(reason));
        }
        let mut readable: BTreeSet<PathBuf> = answer
            .path
            .into_iter()
            .filter(|path| path.exists())
            .collect();
        for file in answer.files {
            if file != answer.executable && !readable.iter().any(|folder| file.starts_with(folder))
            {
                // A library in a place of its own: distributions of Python that bring their libraries have the others there too.
                let folder = file.parent().filter(|folder| {
                    folder.starts_with(&answer.prefix) && folder.components().count() > 2
                });
                let shown = folder.unwrap_or(&file).to_path_buf();
                readable.extend(Some(shown).filter(|path| path.exists()));
            }
        }
        Ok(Self {
            version: answer.version,
            interpreter: Interpreter {
                loader: loader(&answer.executable),
                path: answer.executable.clone(),
                readable: readable.into_iter().collect(),
            },
            path: answer.executable,
        })
    }

    /// What may be a Python: every `python3` on `PATH`, in its order, and then where systems have theirs.
    pub(super) fn places() -> Vec<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/bin", "/usr/local/bin", "/bin"].map(PathBuf::from);
        let mut known = BTreeSet::new();
        let files = std::env::split_paths(&path).chain(usual);
        let files = files.map(|folder| folder.join("python3"));
        let new = |file: &PathBuf| {
            let real = file.canonicalize();
            file.is_file() && real.is_ok_and(|real| known.insert(real))
        };
        files.filter(new).collect()
    }

    /// The bytecode of a program of ours: to compile the harness anew for each run takes longer than to run it.
    pub(super) fn bytecode(&self, program: &str) -> Result<Vec<u8>, CodeError> {
        let compiled = ask(&self.path, COMPILE, program.as_bytes());
        compiled.map_err(|reason| CodeError::Python {
            path: self.path.clone(),
            reason,
        })
    }

    /// Its version as text.
    pub fn version_text(&self) -> String {
        let [major, minor, micro] = self.version;
        format!("{major}.{minor}.{micro}")
    }
}

/// Runs a program of ours, outside any sandbox: what it prints.
fn ask(path: &Path, program: &str, input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new(path)
        // Isolated, so that nothing is imported from where this process happens to be; and without what is preloaded into it.
        .args(["-I", "-S", "-B", "-X", "utf8", "-c", program])
        .env_clear()
        .envs(
            KEPT.iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("does not start: {error}"))?;
    let begun = Instant::now();
    // Either side is less than a pipe holds, so neither waits for the other. One that reads nothing is seen by its answer.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input);
    }
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("does not answer within {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    };
    if status.success() {
        return Ok(read(child.stdout));
    }
    let said = read(child.stderr);
    let said = String::from_utf8_lossy(&said);
    let last = said.trim().lines().last().unwrap_or("nothing").to_owned();
    Err(format!("ended with {status} and said: {last}"))
}

fn read(pipe: Option<impl std::io::Read>) -> Vec<u8> {
    let mut bytes = vec![];
    if let Some(pipe) = pipe {
        // What was read before an error is all there is.
        let _ = pipe.take(1 << 20).read_to_end(&mut bytes);
    }
    bytes
}

/// The loader that an ELF file names, which the kernel executes together with it.
fn loader(executable: &Path) -> Option<PathBuf> {
    let mut head = vec![];
    let file = fs::File::open(executable).ok()?;
    file.take(64 << 10).read_to_end(&mut head).ok()?;
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = head.get(at..at.checked_add(size)?)?;
        let digits = bytes.iter().rev();
        Some(digits.fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    // 64 bits, little-endian: every architecture that there are filters for.
    if head.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
    const INTERPRETER: usize = 3;
    let headers = (0..count).filter_map(|index| table.checked_add(size.checked_mul(index)?));
    let mut named = headers.filter(|&at| number(at, 4) == Some(INTERPRETER));
    let at = named.next()?;
    let (start, length) = (number(at + 8, 8)?, number(at + 32, 8)?);
    let name = head.get(start..start.checked_add(length)?)?;
    let name = std::str::from_utf8(name).ok()?.trim_end_matches('\0');
    Some(PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_python_found_is_the_interpreter_itself() {
        let places = Python::places();
        let found = places.iter().find_map(|place| Python::at(place).ok());
        let python = found.unwrap_or_else(|| panic!("no Python among {places:?}"));
        let start = fs::read(&python.path).unwrap();
        assert!(start.starts_with(b"\x7fELF"), "{}", python.path.display());
        assert!(python.version >= OLDEST);
        assert!(
            python
                .interpreter
                .loader
                .as_ref()
                .is_some_and(|path| path.exists())
        );
    }

    #[test]
    fn what_is_no_python_is_refused_with_a_reason() {
        for (path, reason) in [
            ("/bin/true", "does not answer like a Python"),
            ("/bin/false", "ended with exit status: 1"),
            ("/nowhere/python3", "does not start"),
        ] {
            let error = Python::at(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains(path), "{error}");
        }
    }
}
