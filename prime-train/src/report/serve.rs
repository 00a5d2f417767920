//! `report --serve`: the report of a run at an address of this machine, made anew whenever it is asked for.
//!
//! A few lines of HTTP/1.1 on loopback alone, for one reader: it answers GET for the report, its pages and the run's text
//! files, writes nothing into the run folder, and refuses requests that came by another name, as a page from elsewhere would
//! send them.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{html, read_run};
use crate::error::TrainError;

/// Bytes of a request's head.
const HEAD: u64 = 16 * 1024;
/// A reader that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// A report that can be asked for.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    desk: Arc<Desk>,
}

/// What all answers are made from.
struct Desk {
    run: PathBuf,
    address: SocketAddr,
    made: Mutex<Option<Made>>,
}

/// The report as it was last made, and of what.
struct Made {
    of: Vec<Option<(u64, std::time::SystemTime)>>,
    page: Arc<str>,
    beside: BTreeMap<String, Arc<str>>,
}

struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Server {
    /// Listens on loopback; port 0 is any that is free. The run has to be one.
    ///
    /// # Errors
    /// Those of [`write_report`](super::write_report); [`TrainError::Usage`] for a port that cannot be had.
    pub fn bind(run: &Path, port: u16) -> Result<Self, TrainError> {
        read_run(run)?;
        let taken = |error: std::io::Error| {
            let way_out = match error.kind() {
                ErrorKind::AddrInUse => ": another program has it; name another port, or 0 for any",
                _ => "",
            };
            TrainError::Usage(format!("--serve {port}: {error}{way_out}"))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Self {
            listener,
            address,
            desk: Arc::new(Desk {
                run: run.to_owned(),
                address,
                made: Mutex::new(None),
            }),
        })
    }

    /// Where to look.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the process ends. A reader that goes away is no error.
    pub fn run(&self) {
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else {
                // Out of files or of memory for a moment.
                std::thread::sleep(Duration::from_millis(100));
                continue;
            };
            let desk = Arc::clone(&self.desk);
            // A browser opens connections that it may not use: each waits by itself.
            std::thread::spawn(move || {
                let _ = desk.serve(&stream);
            });
        }
    }
}

impl Desk {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream.take(HEAD)).lines();
        let Some(request) = lines.next().transpose()? else {
            return Ok(());
        };
        let mut host = None;
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("host")
            {
                host = Some(value.trim().to_owned());
            }
        }
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next());
        let answer = match (method, target) {
            _ if !self.is_ours(host.as_deref()) => refused("403 Forbidden", "not by this name"),
            ("GET" | "HEAD", Some(target)) => self.answer(target),
            _ => refused("405 Method Not Allowed", "only GET"),
        };
        let mut out = stream;
        write!(
            out,
            "HTTP/1.1 {}\r\nContent-Type: {}; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            answer.status,
            answer.kind,
            answer.body.len()
        )?;
        if method != "HEAD" {
            out.write_all(&answer.body)?;
        }
        out.flush()
    }

    /// Whether a request was meant for this address: a page of somebody else's whose name leads here was not.
    fn is_ours(&self, host: Option<&str>) -> bool {
        let port = self.address.port();
        host.is_some_and(|host| {
            [format!("127.0.0.1:{port}"), format!("localhost:{port}")]
                .iter()
                .any(|ours| ours.eq_ignore_ascii_case(host))
        })
    }

    fn answer(&self, target: &str) -> Answer {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        match path {
            "/" | "/report.html" => self.made(|made| Some(Arc::clone(&made.page))),
            "/metrics.jsonl" | "/config.toml" | "/summary.json" => self.file(&path[1..]),
            _ => match path[1.min(path.len())..].split_once('/') {
                Some(("report", name)) => self.made(|made| made.beside.get(name).cloned()),
                Some(("rollouts", name)) if is_step_file(name) => self.file(&path[1..]),
                _ => refused("404 Not Found", "there is no such page"),
            },
        }
    }

    fn file(&self, name: &str) -> Answer {
        match fs::read(self.run.join(name)) {
            Ok(body) => Answer {
                status: "200 OK",
                kind: "text/plain",
                body,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                refused("404 Not Found", "the run has no such file (yet)")
            }
            Err(error) => refused("500 Internal Server Error", &error.to_string()),
        }
    }

    /// Something of the report, which is made again if the run has gone on.
    fn made(&self, wanted: impl Fn(&Made) -> Option<Arc<str>>) -> Answer {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let of = self.stamp();
        if made.as_ref().is_none_or(|made| made.of != of) {
            let files = match read_run(&self.run) {
                Ok(files) => files,
                Err(error) => return refused("500 Internal Server Error", &error.to_string()),
            };
            let (page, beside) = html::page(&files);
            *made = Some(Made {
                of,
                page: page.into(),
                beside: beside
                    .into_iter()
                    .map(|page| (page.name, page.html.into()))
                    .collect(),
            });
        }
        match made.as_ref().and_then(wanted) {
            Some(html) => Answer {
                status: "200 OK",
                kind: "text/html",
                body: html.as_bytes().to_vec(),
            },
            None => refused("404 Not Found", "there is no such page"),
        }
    }

    /// Size and time of what a report is made from.
    fn stamp(&self) -> Vec<Option<(u64, std::time::SystemTime)>> {
        let stamp = |found: Metadata| Some((found.len(), found.modified().ok()?));
        ["metrics.jsonl", "summary.json", "rollouts"]
            .iter()
            .map(|name| fs::metadata(self.run.join(name)).ok().and_then(stamp))
            .collect()
    }
}

fn refused(status: &'static str, why: &str) -> Answer {
    Answer {
        status,
        kind: "text/plain",
        body: format!("{why}\n").into_bytes(),
    }
}

/// `step-000010.jsonl`, and nothing that leads elsewhere.
fn is_step_file(name: &str) -> bool {
    name.strip_prefix("step-")
        .and_then(|rest| rest.strip_suffix(".jsonl"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::synthetic_run;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(address: SocketAddr, path: &str) -> String {
        ask(
            address,
            &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        )
    }

    #[test]
    fn the_report_follows_the_run_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        synthetic_run(run);
        fs::remove_file(run.join("summary.json")).unwrap();
        fs::write(run.join("secret"), "hush").unwrap();
        let server = Server::bind(run, 0).unwrap();
        let at = server.address();
        assert!(at.ip().is_loopback());
        std::thread::spawn(move || server.run());

        let page = get(at, "/");
        assert!(
            page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html"),
            "{page}"
        );
        assert!(page.contains("40 steps so far") && page.contains("http-equiv=\"refresh\""));
        let mut metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        metrics.push_str("{\"step\":41,\"acc\":0.5}\n");
        fs::write(run.join("metrics.jsonl"), metrics).unwrap();
        assert!(get(at, "/report.html?now").contains("41 steps so far"));

        assert!(get(at, "/rollouts/step-000010.jsonl").contains("\"step\":10"));
        assert!(get(at, "/config.toml").contains("200 OK"));
        for path in [
            "/secret",
            "/../secret",
            "/rollouts/../secret",
            "/rollouts/step-../../secret.jsonl",
            "/report/nothing.html",
            "/%2e%2e/secret",
            "",
            "x",
        ] {
            let answer = get(at, path);
            assert!(answer.starts_with("HTTP/1.1 40"), "{path}: {answer}");
            assert!(!answer.contains("hush"), "{path}");
        }
        let elsewhere = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
        assert!(ask(at, elsewhere).starts_with("HTTP/1.1 403"));
        let post = format!("POST / HTTP/1.1\r\nHost: {at}\r\n\r\n");
        assert!(ask(at, &post).starts_with("HTTP/1.1 405"));
        assert!(!run.join("report.html").exists() && !run.join("report").exists());
    }

    #[test]
    fn a_port_that_is_taken_and_a_folder_that_is_no_run_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Server::bind(folder.path(), 0).err().unwrap().to_string();
        assert!(error.contains("is not a run folder"), "{error}");
        synthetic_run(folder.path());
        let first = Server::bind(folder.path(), 0).unwrap();
        let port = first.address().port();
        let error = Server::bind(folder.path(), port).err().unwrap().to_string();
        assert!(
            error.contains(&format!("--serve {port}")) && error.contains("or 0 for any"),
            "{error}"
        );
    }
}
