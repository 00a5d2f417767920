//! Which layers this system has: all are tried together, and what fails is left out, with the reason.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;

use super::landlock::{self, Readable};
use super::namespaces::{self, IdMaps};
use super::plan::Step;
use super::process::StartError;
use super::root::Root;
use super::seccomp::{Filter, Role};
use super::users::Users;
use super::{Confinement, Filters, RunError, cgroup, sys};
use crate::sandbox::{
    Cancel, End, Interpreter, Layer, LayerState, Limits, SandboxError, SandboxOptions,
    SandboxReport,
};

/// What a program must not be able to do: each line that it prints is a layer that does not hold.
const TRIAL: &str = "
import posix
def can(what):
    try:
        return what() is not None
    except OSError:
        return False
def fork():
    child = posix.fork()
    if child == 0:
        posix._exit(0)
    return child
if can(fork) or can(lambda: posix.kill(1, 0) or 1 if posix.getpid() != 1 else None):
    print('seccomp')
if can(lambda: posix.listdir('/')) or can(lambda: posix.open('/etc/passwd', posix.O_RDONLY)):
    print('landlock')
";

const HOW_TO_FIX: &str = "It takes Linux 5.13 or newer with CONFIG_SECCOMP_FILTER and with `landlock` among the security \
    modules (kernel parameter `lsm=landlock,…`; `cat /sys/kernel/security/lsm` lists them), and a container whose own filter allows \
    `seccomp` and `landlock_restrict_self`, as those of current container engines do.";

/// The interpreter's arguments for the trial.
const TRIAL_ARGUMENTS: [&CStr; 4] = [c"-s", c"-S", c"-B", c"-c"];

/// Read by every program: where libraries are, what time zones there are.
const SYSTEM_PATHS: [&str; 6] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    "/usr/share/zoneinfo",
];
const DEVICES: [&str; 1] = ["/dev/null"];

impl Confinement {
    /// The most confined way in which `interpreter` runs here, and what it consists of.
    ///
    /// # Errors
    /// [`SandboxError::SandboxUnavailable`] if a layer that must be there is not, unless the options allow that;
    /// [`SandboxError::Interpreter`] if the interpreter does not run however little confines it.
    pub(crate) fn probe(
        interpreter: &Interpreter,
        options: &SandboxOptions,
    ) -> Result<(Self, SandboxReport), SandboxError> {
        let mut probe = Probe::new(interpreter, options);
        loop {
            let confinement = probe.build()?;
            match trial(&confinement) {
                Ok(broken) => {
                    let broken = broken.into_iter().filter(|layer| probe.is_on(*layer));
                    let broken: Vec<Layer> = broken.collect();
                    if broken.is_empty() {
                        let report = probe.report(&confinement);
                        return match probe.missing() {
                            missing if missing.is_empty() || options.allow_unsandboxed => {
                                Ok((confinement, report))
                            }
                            missing => Err(SandboxError::SandboxUnavailable {
                                missing,
                                how_to_fix: HOW_TO_FIX.to_owned(),
                            }),
                        };
                    }
                    for layer in broken {
                        probe.give_up(layer, "is accepted by this system but does not hold");
                    }
                }
                Err(trouble) => probe.give_way(trouble)?,
            }
        }
    }
}

/// Why a trial failed.
enum Trouble {
    Start(StartError),
    Interpreter(String),
}

struct Probe<'p> {
    interpreter: &'p Interpreter,
    options: &'p SandboxOptions,
    is_root: bool,
    users: fn() -> Users,
    /// Layers that are left out, and why.
    off: BTreeMap<Layer, String>,
}

impl<'p> Probe<'p> {
    fn new(interpreter: &'p Interpreter, options: &'p SandboxOptions) -> Self {
        let mut probe = Self {
            interpreter,
            options,
            is_root: geteuid().is_root(),
            users: Users::unused,
            off: BTreeMap::new(),
        };
        for &layer in &options.without {
            probe.give_up(layer, "left out as asked");
        }
        if let Err(errno) = sys::landlock_version() {
            probe.give_up(
                Layer::Landlock,
                &format!("landlock_create_ruleset: {errno}"),
            );
        }
        if probe.is_root {
            probe.give_up(Layer::UserNamespace, "not needed: the grader is root");
        } else {
            let why = "the grader is not root; programs have its user, without its rights";
            probe.give_up(Layer::UnprivilegedUser, why);
        }
        probe.try_namespaces();
        probe
    }

    fn is_on(&self, layer: Layer) -> bool {
        !self.off.contains_key(&layer)
    }

    fn give_up(&mut self, layer: Layer, why: &str) {
        self.off.entry(layer).or_insert_with(|| why.to_owned());
    }

    /// Gives up the namespaces that the kernel does not let this process make.
    fn try_namespaces(&mut self) {
        let user = self.flag(Layer::UserNamespace);
        for (flag, layer) in namespaces::KINDS {
            if !self.is_on(layer) {
                continue;
            }
            if !self.is_root && user == 0 {
                self.give_up(layer, "needs a user namespace");
                continue;
            }
            let made = sys::spawn(user | flag, None, |child| child.exit(0));
            match made {
                Ok(spawned) => drop(sys::wait(spawned.pid)),
                Err(errno) => self.give_up(layer, &format!("clone: {errno}")),
            }
        }
    }

    fn flag(&self, layer: Layer) -> u64 {
        let kind = namespaces::KINDS.iter().find(|(_, kind)| *kind == layer);
        kind.filter(|_| self.is_on(layer))
            .map_or(0, |(flag, _)| *flag)
    }

    fn build(&mut self) -> Result<Confinement, SandboxError> {
        let text = |path: &Path| {
            CString::new(path.as_os_str().as_bytes()).map_err(|_| SandboxError::Interpreter {
                interpreter: path.to_path_buf(),
                reason: "its path has a zero byte".to_owned(),
            })
        };
        let readable = readable(self.interpreter);
        let landlock = match self
            .is_on(Layer::Landlock)
            .then(|| landlock::ruleset(&readable))
        {
            Some(Ok(ruleset)) => ruleset,
            Some(Err(error)) => {
                self.give_up(Layer::Landlock, &error.to_string());
                None
            }
            None => None,
        };
        let filters = || {
            Ok::<_, seccompiler::BackendError>(Filters {
                program: Filter::of(Role::Program)?,
                forked: Filter::of(Role::Forked)?,
                forker: Filter::of(Role::Forker)?,
            })
        };
        let filters = match self.is_on(Layer::Seccomp).then(filters) {
            Some(Ok(filters)) => Some(filters),
            Some(Err(error)) => {
                self.give_up(Layer::Seccomp, &error.to_string());
                None
            }
            None => None,
        };
        let cgroup = match self.is_on(Layer::Cgroup) {
            true => match cgroup::Parent::open(self.options.cgroup.as_deref()) {
                Ok(parent) => Some(parent),
                Err(why) => {
                    self.give_up(Layer::Cgroup, &why);
                    None
                }
            },
            false => None,
        };
        let root = match self.is_on(Layer::MountNamespace) {
            true => {
                let root = Root::showing(&readable.all());
                if root.is_none() {
                    self.give_up(
                        Layer::MountNamespace,
                        "there is no folder to build a root in",
                    );
                }
                root
            }
            false => None,
        };
        let users = match self.is_on(Layer::UnprivilegedUser) {
            true => (self.users)(),
            false => Users::Same,
        };
        let own_users = matches!(users, Users::Unused { .. });
        let kinds = namespaces::KINDS.iter();
        Ok(Confinement {
            interpreter: text(&self.interpreter.path)?,
            environment: environment(self.is_on(Layer::Environment)),
            namespaces: kinds.map(|(_, layer)| self.flag(*layer)).sum(),
            id_maps: self.is_on(Layer::UserNamespace).then(IdMaps::own),
            root,
            users,
            landlock,
            filters,
            resource_limits: self.is_on(Layer::ResourceLimits),
            counts_threads: own_users || (self.is_on(Layer::UserNamespace) && !self.is_root),
            cgroup,
        })
    }

    /// Gives up the layer that a trial failed at, or the interpreter.
    fn give_way(&mut self, trouble: Trouble) -> Result<(), SandboxError> {
        let hopeless = |reason: String| SandboxError::Interpreter {
            interpreter: self.interpreter.path.clone(),
            reason,
        };
        let all_namespaces = || namespaces::KINDS.iter().map(|(_, layer)| *layer);
        let any_namespace = all_namespaces().any(|layer| self.is_on(layer));
        let (layers, why): (Vec<Layer>, String) = match trouble {
            Trouble::Start(StartError::Parent {
                what: "clone",
                errno,
            }) if any_namespace => (all_namespaces().collect(), format!("clone: {errno}")),
            Trouble::Start(error @ StartError::Parent { .. }) => {
                return Err(SandboxError::Failed {
                    reason: error.to_string(),
                });
            }
            Trouble::Start(StartError::Child(failure)) => {
                let layers = match failure.step {
                    Step::IdMaps => all_namespaces().collect(),
                    Step::Root => vec![Layer::MountNamespace],
                    Step::User if self.is_on(Layer::UnprivilegedUser) => {
                        let nobody: fn() -> Users = || Users::Nobody;
                        if !std::ptr::fn_addr_eq(self.users, nobody) {
                            self.users = nobody;
                            return Ok(());
                        }
                        vec![Layer::UnprivilegedUser]
                    }
                    Step::Limits => vec![Layer::ResourceLimits],
                    Step::Landlock => vec![Layer::Landlock],
                    Step::Seccomp => vec![Layer::Seccomp],
                    // Perhaps the new root lacks something that the interpreter needs.
                    Step::Interpreter | Step::Exec => vec![Layer::MountNamespace],
                    _ => vec![],
                };
                (layers, failure.to_string())
            }
            Trouble::Interpreter(reason) => (vec![Layer::MountNamespace], reason),
        };
        if !layers.iter().any(|layer| self.is_on(*layer)) {
            return Err(hopeless(why));
        }
        for layer in layers {
            self.give_up(layer, &why);
        }
        Ok(())
    }

    /// Layers that must be there and are not.
    fn missing(&self) -> Vec<String> {
        let off = self.off.iter().filter(|(layer, _)| layer.is_required());
        off.map(|(layer, why)| format!("{} ({why})", layer.name()))
            .collect()
    }

    fn report(&self, confinement: &Confinement) -> SandboxReport {
        let mut report = SandboxReport::new();
        for layer in Layer::ALL {
            let state = match self.off.get(&layer) {
                Some(why) => LayerState::Off(why.clone()),
                None => LayerState::On(self.detail(layer, confinement)),
            };
            report.set(layer, state);
        }
        report
    }

    fn detail(&self, layer: Layer, confinement: &Confinement) -> String {
        match layer {
            Layer::ResourceLimits if confinement.counts_threads => {
                "threads counted by the kernel".to_owned()
            }
            Layer::ResourceLimits => "threads counted by the grader, every 10 ms".to_owned(),
            Layer::Seccomp => match &confinement.filters {
                Some(filters) => format!("{} instructions", filters.program.instructions.len()),
                None => String::new(),
            },
            Layer::Landlock => match sys::landlock_version() {
                Ok(version) => format!("version {version}"),
                Err(_) => String::new(),
            },
            Layer::UnprivilegedUser => match confinement.users {
                Users::Unused { .. } => "another one for each run".to_owned(),
                _ => "nobody".to_owned(),
            },
            Layer::NetNamespace => {
                "for interpreters that fork; others have no sockets anyway".to_owned()
            }
            _ => String::new(),
        }
    }
}

fn readable(interpreter: &Interpreter) -> Readable {
    let present = |paths: &[&str]| -> Vec<PathBuf> {
        let paths = paths.iter().map(PathBuf::from);
        paths.filter(|path| path.exists()).collect()
    };
    let mut executable = vec![interpreter.path.clone()];
    executable.extend(interpreter.loader.clone());
    let mut paths = present(&SYSTEM_PATHS);
    paths.extend(interpreter.readable.iter().cloned());
    Readable {
        paths,
        executable,
        devices: present(&DEVICES),
    }
}

/// Either what a program needs and nothing else, or that of the grader.
fn environment(clean: bool) -> Vec<CString> {
    if !clean {
        let all = std::env::vars_os()
            .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
        return all.filter_map(|text| CString::new(text).ok()).collect();
    }
    [
        c"PATH=/usr/bin:/bin",
        c"HOME=/",
        c"LANG=C.UTF-8",
        c"TZ=UTC",
        // The same order of sets, the same verdict, every time.
        c"PYTHONHASHSEED=0",
        c"PYTHONSAFEPATH=1",
        // Every thread that allocates would otherwise take 64 MiB of address space.
        c"MALLOC_ARENA_MAX=2",
    ]
    .map(CStr::to_owned)
    .to_vec()
}

/// Runs the trial; the layers that do not hold.
fn trial(confinement: &Confinement) -> Result<Vec<Layer>, Trouble> {
    let program = CString::new(TRIAL).unwrap_or_default();
    let mut arguments = TRIAL_ARGUMENTS.map(CStr::to_owned).to_vec();
    arguments.push(program);
    let limits = Limits::default().with_cpu(Duration::from_secs(10));
    let ran = confinement.try_run(&arguments, &[], &limits, &Cancel::default());
    let outcome = match ran {
        Ok(outcome) => outcome,
        Err(RunError::Start(error)) => return Err(Trouble::Start(error)),
        Err(RunError::Watch { what, errno }) => {
            return Err(Trouble::Interpreter(format!("{what}: {errno}")));
        }
    };
    if outcome.end != End::Exited(0) {
        let said = String::from_utf8_lossy(&outcome.stderr);
        let last = said.trim().lines().last().unwrap_or("nothing").to_owned();
        let end = outcome.end;
        return Err(Trouble::Interpreter(format!(
            "it ended with {end:?} and said: {last}"
        )));
    }
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let broken = said.lines().filter_map(|line| match line {
        "seccomp" => Some(Layer::Seccomp),
        "landlock" => Some(Layer::Landlock),
        _ => None,
    });
    Ok(broken.collect())
}
