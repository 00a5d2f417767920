//! What attacks look for on the machine, and what is left of it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The variable with a secret.
pub const ENVIRONMENT: &str = "PV_CANARY_ENV";
/// What a daemon would leave behind.
const DAEMON: &str = "/tmp/pv_daemon_was_here";
const FOLDER: &str = "/tmp/pv_canary";
/// A port that an attack listens on.
const PORT: u16 = 45678;
/// Users from this number on are those of programs, where the grader is root.
const FIRST_USER: u32 = 0x7a00_0000;

/// 16 random bytes in hexadecimal.
pub fn random() -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}

/// Secrets, listeners and a bystander. Removed when this is dropped.
pub struct Canary {
    /// Texts that no program may have seen.
    pub secrets: Vec<String>,
    secret: String,
    tcp: TcpListener,
    unix: [UnixListener; 2],
    sleeper: Child,
    interpreter_file: Option<(PathBuf, Vec<u8>)>,
    names: [String; 2],
}

impl Canary {
    pub fn new(environment: &str, interpreter: &Path) -> Result<Self, Box<dyn Error>> {
        let _ = fs::remove_dir_all(FOLDER);
        let _ = fs::remove_file(DAEMON);
        fs::create_dir(FOLDER).map_err(|error| format!("{FOLDER}: {error}"))?;
        let secret = random()?;
        let folder = Path::new(FOLDER);
        fs::write(folder.join("secret.txt"), &secret)?;
        fs::write(folder.join("keep.txt"), "keep\n")?;
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        tcp.set_nonblocking(true)?;
        let unix = [
            UnixListener::bind(folder.join("sock"))?,
            UnixListener::bind_addr(&SocketAddr::from_abstract_name("pv_abstract")?)?,
        ];
        for listener in &unix {
            listener.set_nonblocking(true)?;
        }
        let tag = format!("pv_sleeper_{}", random()?);
        let sleeper = Command::new("sleep").arg0(&tag).arg("600").spawn()?;
        let library = interpreter
            .ancestors()
            .nth(2)
            .map(|prefix| prefix.join("lib"));
        let json = library
            .and_then(|library| fs::read_dir(library).ok())
            .and_then(|entries| {
                let files = entries.flatten().map(|entry| entry.path());
                let mut files = files.map(|folder| folder.join("json/__init__.py"));
                files.find(|file| file.is_file())
            });
        Ok(Self {
            secrets: vec![environment.to_owned(), secret.clone(), tag],
            secret,
            tcp,
            unix,
            sleeper,
            interpreter_file: json.and_then(|file| Some((file.clone(), fs::read(&file).ok()?))),
            names: host_names(),
        })
    }

    pub fn sleeper(&self) -> u32 {
        self.sleeper.id()
    }

    /// What has been touched.
    pub fn damage(&mut self) -> Vec<String> {
        let mut damage = vec![];
        let mut note = |bad: bool, what: &str| {
            if bad {
                damage.push(what.to_owned());
            }
        };
        let text = |name: &str| fs::read_to_string(Path::new(FOLDER).join(name)).ok();
        note(
            text("secret.txt").as_ref() != Some(&self.secret),
            "secret.txt changed",
        );
        note(
            text("keep.txt").as_deref() != Some("keep\n"),
            "keep.txt changed",
        );
        let files = fs::read_dir(FOLDER).map_or(0, Iterator::count);
        note(files != 3, "other files beside the secret");
        note(self.tcp.accept().is_ok(), "a connection over TCP");
        for listener in &self.unix {
            note(
                listener.accept().is_ok(),
                "a connection to a socket of this machine",
            );
        }
        note(
            !matches!(self.sleeper.try_wait(), Ok(None)),
            "the sleeper is dead",
        );
        note(Path::new(DAEMON).exists(), "a daemon was here");
        if let Some((file, before)) = &self.interpreter_file {
            note(
                fs::read(file).ok().as_ref() != Some(before),
                "the interpreter's files changed",
            );
        }
        note(
            host_names() != self.names,
            "the host's name or core pattern changed",
        );
        damage
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        let _ = self.sleeper.kill();
        let _ = self.sleeper.wait();
        let _ = fs::remove_dir_all(FOLDER);
    }
}

fn host_names() -> [String; 2] {
    ["/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern"]
        .map(|file| fs::read_to_string(file).unwrap_or_default())
}

/// Whether somebody listens where an attack would.
pub fn is_listened_to() -> bool {
    let connected = TcpStream::connect(("127.0.0.1", PORT));
    // The port is one that the kernel hands out: now and then it gives the caller itself this one, who then talks to himself.
    connected.is_ok_and(|stream| stream.local_addr().ok() != stream.peer_addr().ok())
}

/// Memory that files in memory take, in bytes.
pub fn shared_memory() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("Shmem:"));
    let number = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    number.unwrap_or(0) << 10
}

/// Threads on the whole machine.
pub fn threads() -> u64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let field = load
        .split(' ')
        .nth(3)
        .and_then(|field| field.split_once('/'));
    field.and_then(|(_, all)| all.parse().ok()).unwrap_or(0)
}

/// Processes that run programs of ours: those that come from this process, and those that nobody waits for any more and that have
/// a user which only programs have.
pub fn programs(bystander: u32) -> BTreeSet<u32> {
    let own = std::process::id();
    let own_user = fs::metadata("/proc/self").map_or(0, |data| data.uid());
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut parents = BTreeMap::new();
    let mut orphans = BTreeSet::new();
    for entry in entries {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u32>().ok())
        };
        let (Some(parent), Some(user)) = (number("PPid:"), number("Uid:")) else {
            continue;
        };
        parents.insert(pid, parent);
        let is_of_programs = match own_user {
            0 => user >= FIRST_USER,
            own_user => user == own_user,
        };
        if parent == 1 && is_of_programs {
            orphans.insert(pid);
        }
    }
    let descends = |pid: &u32| {
        let mut up = std::iter::successors(Some(*pid), |pid| parents.get(pid).copied()).skip(1);
        up.any(|pid| pid == own)
    };
    let mut found: BTreeSet<u32> = parents.keys().copied().filter(descends).collect();
    found.extend(orphans);
    found.remove(&own);
    found.remove(&bystander);
    found
}

/// Processes that carry a text in their arguments or environment, but for this one.
pub fn tagged(tag: &str) -> usize {
    let own = std::process::id().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let others = entries.filter(|entry| *entry.file_name() != *own);
    let carries = |path: &Path| {
        ["cmdline", "environ"].iter().any(|file| {
            let bytes = fs::read(path.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(tag)
        })
    };
    others.filter(|entry| carries(&entry.path())).count()
}
