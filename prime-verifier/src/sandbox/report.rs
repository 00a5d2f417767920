//! Which layers hold a sandbox together on this machine.

use std::fmt;

use serde::Serialize;

/// One thing that keeps a program in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// Environment and descriptors made from nothing: no secrets of the grader in reach.
    Environment,
    /// Resource limits: processor time, address space, descriptors, threads, no files, no core dumps.
    ResourceLimits,
    /// A filter of system calls: no new process, no other program, no socket, no signal to others.
    Seccomp,
    /// Rules for files: the interpreter is readable, nothing else is, nothing is writable.
    Landlock,
    /// Another user than the grader, where the grader is root.
    UnprivilegedUser,
    /// A user namespace, in which others can be made without privileges.
    UserNamespace,
    /// A process namespace: no other process can be named.
    PidNamespace,
    /// A mount namespace with the interpreter's files and no others.
    MountNamespace,
    /// A network namespace without a network.
    NetNamespace,
    /// A namespace for System V objects and message queues.
    IpcNamespace,
    /// A namespace for the host's name.
    UtsNamespace,
    /// A control group with limits of memory and processes.
    Cgroup,
}

impl Layer {
    /// All of them, the first that matter first.
    pub const ALL: [Layer; 12] = [
        Layer::Environment,
        Layer::ResourceLimits,
        Layer::Seccomp,
        Layer::Landlock,
        Layer::UnprivilegedUser,
        Layer::UserNamespace,
        Layer::PidNamespace,
        Layer::MountNamespace,
        Layer::NetNamespace,
        Layer::IpcNamespace,
        Layer::UtsNamespace,
        Layer::Cgroup,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Environment => "clean environment",
            Layer::ResourceLimits => "resource limits",
            Layer::Seccomp => "seccomp filter",
            Layer::Landlock => "Landlock",
            Layer::UnprivilegedUser => "unprivileged user",
            Layer::UserNamespace => "user namespace",
            Layer::PidNamespace => "pid namespace",
            Layer::MountNamespace => "mount namespace",
            Layer::NetNamespace => "net namespace",
            Layer::IpcNamespace => "ipc namespace",
            Layer::UtsNamespace => "uts namespace",
            Layer::Cgroup => "cgroup v2",
        }
    }

    /// Whether there is no sandbox without it.
    pub fn is_required(self) -> bool {
        matches!(self, Layer::Seccomp | Layer::Landlock)
    }
}

/// Whether a layer is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayerState {
    /// It is, tried out; with what there is to say about it.
    On(String),
    /// It is not, for this reason.
    Off(String),
}

/// The layers of a sandbox, each tried out when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SandboxReport {
    /// Every layer, in the order of [`Layer::ALL`].
    pub layers: Vec<(Layer, LayerState)>,
}

impl SandboxReport {
    pub(crate) fn new() -> Self {
        let off = || LayerState::Off("not on this system".to_owned());
        Self {
            layers: Layer::ALL.map(|layer| (layer, off())).to_vec(),
        }
    }

    pub(crate) fn set(&mut self, layer: Layer, state: LayerState) {
        if let Some((_, old)) = self.layers.iter_mut().find(|(known, _)| *known == layer) {
            *old = state;
        }
    }

    /// Whether a layer is there.
    pub fn has(&self, layer: Layer) -> bool {
        let found = self.layers.iter().find(|(known, _)| *known == layer);
        matches!(found, Some((_, LayerState::On(_))))
    }

    /// Whether all layers are there that a sandbox needs.
    pub fn is_sandboxed(&self) -> bool {
        Layer::ALL
            .iter()
            .all(|&layer| !layer.is_required() || self.has(layer))
    }
}

impl fmt::Display for SandboxReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (layer, state) in &self.layers {
            let (mark, text) = match state {
                LayerState::On(text) => ("on ", text),
                LayerState::Off(why) => ("off", why),
            };
            let name = layer.name();
            let line = format!("  {mark}  {name:<18} {text}");
            writeln!(f, "{}", line.trim_end())?;
        }
        let verdict = if self.is_sandboxed() {
            "programs are sandboxed"
        } else {
            "programs are NOT sandboxed"
        };
        write!(f, "  {verdict}")
    }
}
