//! The files that a program may read.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use ::landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
};

/// Rights up to this version are handled; an older kernel handles those it has.
const NEWEST: ABI = ABI::V7;

/// What is readable and what may be executed; everything else is not, and nothing is writable.
#[derive(Debug, Clone, Default)]
pub(super) struct Readable {
    /// Folders with all that is under them, and files.
    pub(super) paths: Vec<PathBuf>,
    /// The interpreter and the loader of its libraries.
    pub(super) executable: Vec<PathBuf>,
    /// Devices that keep nothing, which may be written to as well.
    pub(super) devices: Vec<PathBuf>,
}

impl Readable {
    /// Everything that has to be there, without what is under something else.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = [&self.paths, &self.executable, &self.devices]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        all.sort();
        all.dedup();
        let under = |path: &Path| {
            all.iter()
                .any(|other| other != path && path.starts_with(other))
        };
        let kept = all.iter().filter(|path| !under(path));
        kept.cloned().collect()
    }
}

/// A ruleset that lets read and execute this and nothing else, connects no TCP socket, and sends no signal out of the sandbox.
///
/// # Errors
/// What the kernel refused.
pub(super) fn ruleset(readable: &Readable) -> Result<Option<OwnedFd>, RulesetError> {
    let possible = |path: &Path| match path.is_dir() {
        true => AccessFs::from_all(NEWEST),
        false => AccessFs::from_file(NEWEST),
    };
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let paths = readable.paths.iter().map(|path| (path, read));
    let executable = readable
        .executable
        .iter()
        .map(|path| (path, AccessFs::Execute | AccessFs::ReadFile));
    let devices = readable
        .devices
        .iter()
        .map(|path| (path, AccessFs::ReadFile | AccessFs::WriteFile));
    for (path, rights) in paths.chain(executable).chain(devices) {
        // One that is not there cannot be read either.
        if let Ok(fd) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(fd, rights & possible(path)))?;
        }
    }
    Ok(rules.into())
}
