//! Files: read, made, changed, seen.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use prime_verifier::sandbox::Layer;

use crate::{only_without, probe_with, verifier};

/// A folder that everyone may write to, with a secret in it. Removed with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pv_layers_{name}_{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(path.join("secret"), "secret").unwrap();
        fs::set_permissions(path.join("secret"), fs::Permissions::from_mode(0o666)).unwrap();
        Self(path)
    }

    fn input(&self) -> String {
        format!("{}\n", self.0.display())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_program_reads_no_file_of_the_host() {
    let folder = Folder::new("read");
    let program = r#"attempt("read", lambda: open(input() + "/secret").read())"#;
    let layers = [Layer::Landlock, Layer::MountNamespace];
    only_without(&layers, "read done", program, &folder.input());
    let program = r#"attempt("list", lambda: os.listdir(input()))"#;
    only_without(&layers, "list done", program, &folder.input());
}

#[test]
fn a_program_makes_and_changes_no_file() {
    let folder = Folder::new("write");
    let layers = [Layer::Landlock, Layer::MountNamespace];
    let make = r#"attempt("make", lambda: open(input() + "/new", "w").close())"#;
    only_without(&layers, "make done", make, &folder.input());
    let change = r#"attempt("open", lambda: open(input() + "/secret", "r+").close())"#;
    only_without(&layers, "open done", change, &folder.input());
    let cut = r#"attempt("cut", lambda: os.close(os.open(input() + "/secret", os.O_RDONLY | os.O_TRUNC)))"#;
    // Refused by the filter too, for kernels whose Landlock does not know of it.
    let layers = [Layer::Seccomp, Layer::Landlock, Layer::MountNamespace];
    only_without(&layers, "cut done", cut, &folder.input());
}

#[test]
fn what_a_program_writes_has_no_place_even_where_files_can_be_made() {
    let folder = Folder::new("size");
    let program = r#"
import signal, time
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = input() + f"/new{time.time_ns()}"
attempt("write", lambda: os.write(os.open(path, os.O_CREAT | os.O_WRONLY), b"text"))
"#;
    let layers = [
        Layer::Landlock,
        Layer::MountNamespace,
        Layer::ResourceLimits,
    ];
    only_without(&layers, "write done", program, &folder.input());
}

#[test]
fn a_program_links_renames_and_removes_nothing() {
    let folder = Folder::new("names");
    let layers = [Layer::Seccomp, Layer::Landlock, Layer::MountNamespace];
    // Each in a folder where everything is allowed to everyone.
    for (name, action) in [
        ("symlink", r#"os.symlink("/etc/passwd", folder + "/s")"#),
        ("mkdir", r#"os.mkdir(folder + "/m")"#),
        (
            "rename",
            r#"os.rename(folder + "/secret", folder + "/renamed")"#,
        ),
        ("remove", r#"os.remove(folder + "/renamed")"#),
    ] {
        let program = format!("folder = input()\nattempt({name:?}, lambda: {action})");
        only_without(&layers, &format!("{name} done"), &program, &folder.input());
    }
}

#[test]
fn rights_and_owners_of_files_stay() {
    // No layer but the filter and, for files that are not its own, the user keeps a program from this.
    let program = r#"
for name, action in (
    ("chmod", lambda: os.chmod("/", 0o777)),
    ("chown", lambda: os.chown("/", 0, 0)),
    ("utime", lambda: os.utime("/")),
    ("truncate", lambda: os.truncate("/dev/null", 0)),
    ("mknod", lambda: os.mknod("/x")),
    ("setxattr", lambda: os.setxattr("/", "user.x", b"")),
    ("link", lambda: os.link("/dev/null", "/x")),
):
    attempt(name, action)
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let refused = seen.said.lines().filter(|line| line.ends_with("ENOSYS"));
        assert_eq!(refused.count(), 7, "{seen:?}");
    }
}

#[test]
fn nothing_is_writable_anywhere() {
    let program = r#"
for folder in ("/", "/tmp", "/var/tmp", "/dev/shm", "/run", "/home", os.getcwd(), "/usr/lib", "/lib"):
    attempt("make", lambda: os.open(folder + "/pv_layers_made", os.O_CREAT | os.O_WRONLY))
    attempt("unnamed", lambda: os.open(folder, os.O_TMPFILE | os.O_WRONLY))
note("cwd", os.getcwd())
attempt("null", lambda: open("/dev/null", "w").write("x"))
print(6)
"#;
    for prefork in [true, false] {
        for without in [
            &[][..],
            &[Layer::MountNamespace],
            &[Layer::MountNamespace, Layer::UnprivilegedUser],
        ] {
            let seen = probe_with(verifier(prefork, without), program, "");
            assert_eq!(seen.verdict, "AC", "{seen:?}");
            assert!(seen.says("cwd /") && seen.says("null done"), "{seen:?}");
            let done = seen.said.lines().filter(|line| line.ends_with("done"));
            assert_eq!(done.count(), 1, "{without:?} {seen:?}");
        }
    }
    assert!(!Path::new("/tmp/pv_layers_made").exists());
}

#[test]
fn only_the_mount_namespace_hides_that_a_file_exists() {
    let folder = Folder::new("stat");
    let program = r#"attempt("stat", lambda: os.stat(input() + "/secret"))"#;
    only_without(
        &[Layer::MountNamespace],
        "stat done",
        program,
        &folder.input(),
    );
    assert_eq!(folder.names(), ["secret"]);
}

#[test]
fn modules_of_the_standard_library_are_readable() {
    let program = "import decimal, fractions, heapq, json, zoneinfo\nprint(6)";
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
    }
}
