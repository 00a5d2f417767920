//! Sockets of every family.

use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use prime_verifier::sandbox::Layer;

use crate::{only_without, probe_with, verifier};

#[test]
fn a_program_has_no_socket_of_any_family() {
    // Unix, IPv4, IPv6, netlink, packet, Bluetooth, the kernel's cryptography, vsock, XDP.
    let families = [
        ("unix", 1),
        ("ip", 2),
        ("ip6", 10),
        ("netlink", 16),
        ("vsock", 40),
    ];
    for (name, family) in families {
        let program =
            format!("import _socket\nattempt({name:?}, lambda: call(41, {family}, 2, 0))");
        let program = match name {
            // Whether a kernel has these at all is its own affair; what is asked is that the filter says no first.
            "ip6" | "vsock" => {
                format!("{program}\nattempt(\"control\", lambda: call(41, 2, 2, 0))")
            }
            _ => program,
        };
        let done = match name {
            "ip6" | "vsock" => "control done".to_owned(),
            _ => format!("{name} done"),
        };
        only_without(&[Layer::Seccomp], &done, &program, "");
    }
    let program = r#"
import socket
for family in range(46):
    for kind in (1, 2, 3, 5):
        attempt("socket", lambda: call(41, family, kind, 0))
attempt("pair", socket.socketpair)
attempt("io_uring", lambda: call(425, 8, 0))
print(6)
"#;
    for prefork in [true, false] {
        let seen = probe_with(verifier(prefork, &[]), program, "");
        assert_eq!(seen.verdict, "AC", "{seen:?}");
        let lines = seen
            .said
            .lines()
            .filter(|line| line.contains(' ') && !line.ends_with("ENOSYS"));
        assert_eq!(lines.count(), 0, "{seen:?}");
    }
}

#[test]
fn a_program_connects_to_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = r#"
import socket
attempt("connect", lambda: socket.create_connection(("127.0.0.1", int(input())), 1))
"#;
    let layers = [Layer::Seccomp, Layer::NetNamespace, Layer::Landlock];
    only_without(&layers, "connect done", program, &format!("{port}\n"));
}

#[test]
fn a_program_sends_no_datagram() {
    let listener = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = r#"
import socket
def send():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(input())))
attempt("send", send)
"#;
    // Landlock knows TCP only.
    let layers = [Layer::Seccomp, Layer::NetNamespace];
    only_without(&layers, "send done", program, &format!("{port}\n"));
}

#[test]
fn a_program_listens_to_nobody() {
    let program = r#"
import socket
def listen():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
attempt("listen", listen)
"#;
    only_without(
        &[Layer::Seccomp, Layer::Landlock],
        "listen done",
        program,
        "",
    );
}

#[test]
fn a_program_finds_no_socket_of_the_machine() {
    let path = std::env::temp_dir().join(format!("pv_layers_socket_{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let _listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = r#"
import socket
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect(input()))
"#;
    let layers = [Layer::Seccomp, Layer::MountNamespace];
    only_without(
        &layers,
        "connect done",
        program,
        &format!("{}\n", path.display()),
    );
    let _ = std::fs::remove_file(&path);

    // A name that is no file.
    let name = format!("pv_layers_abstract_{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let program = r#"
import socket
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect("\0" + input()))
"#;
    let layers = [Layer::Seccomp, Layer::NetNamespace, Layer::Landlock];
    only_without(&layers, "connect done", program, &format!("{name}\n"));
}
