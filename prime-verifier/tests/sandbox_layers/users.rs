//! The same for a grader that is no root.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// Set for the tests that run as an ordinary user.
const INSIDE: &str = "PV_LAYERS_AS_NOBODY";

/// What the user makes a difference to.
const MODULES: [&str; 5] = [
    "processes::",
    "files::",
    "network::",
    "kernel::",
    "resources::",
];

#[test]
fn all_of_this_holds_for_an_ordinary_user() {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|data| {
        use std::os::unix::fs::MetadataExt as _;
        data.uid() == 0
    });
    if !is_root {
        println!("not root, so all other tests were run as an ordinary user already");
        return;
    }
    // What cargo built may be where another user cannot look.
    let folder = std::env::temp_dir().join(format!("pv_layers_nobody_{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.join("tests");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let ran = Command::new("setpriv")
        .args(user)
        .arg(&copy)
        .args(MODULES)
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("CARGO_MANIFEST_DIR", "/")
        .env(INSIDE, "1")
        .output();
    std::fs::remove_dir_all(&folder).unwrap();
    let Ok(output) = ran else {
        println!("no setpriv here, so nothing was run as an ordinary user");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "as user 65534:\n{said}");
}
