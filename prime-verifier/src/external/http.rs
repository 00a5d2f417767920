//! An address that grades: one JSON object posted for each response.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::answer::{graded, quoted};
use super::{ExternalGrader, Graded, GraderError};

/// Longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;
/// Before the first retry; twice as long before each further one.
const BACKOFF: Duration = Duration::from_millis(250);

/// Where a grader listens and how long it is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// `http://host:port/path`.
    pub url: String,
    /// How long the answer about a response may take, from the first try on; the client counts whole seconds, rounded up.
    pub deadline: Duration,
    /// How often a request is sent again if the connection fails or the status is 5xx or 429.
    pub retries: usize,
    /// Requests on their way at the same time, at least 1.
    pub connections: usize,
}

impl HttpConfig {
    /// 30 s for an answer, three retries, eight requests at a time.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            deadline: Duration::from_secs(30),
            retries: 3,
            connections: 8,
        }
    }

    /// The host and port to connect to.
    ///
    /// # Errors
    /// [`GraderError::Url`].
    pub fn authority(&self) -> Result<String, GraderError> {
        let bad = |reason| {
            let url = self.url.clone();
            Err(GraderError::Url { url, reason })
        };
        if self.url.starts_with("https://") {
            return bad(
                "https is not built in; put a proxy without TLS on this machine in front of it, or reach it through a command",
            );
        }
        let Some(rest) = self.url.strip_prefix("http://") else {
            return bad("write http://host:port/path");
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.starts_with(':') {
            return bad("it names no host");
        }
        if authority.contains('@') {
            return bad("a user and password in it are not supported");
        }
        let behind_brackets = authority.rsplit(']').next().unwrap_or(authority);
        match behind_brackets.split_once(':') {
            None => Ok(format!("{authority}:80")),
            Some((_, port)) if port.parse::<u16>().is_ok_and(|port| port > 0) => {
                Ok(authority.to_owned())
            }
            Some(_) => bad("its port is none"),
        }
    }
}

/// A grader behind an address.
///
/// Each response is posted as one JSON object (`Content-Type: application/json`), on a connection of its own; the answer is an
/// object with a `score` from 0 to 1, or null with a `reason`. A failed connection, 429 and 5xx are tried again after a pause;
/// any other status, an answer that is none and a passed deadline are could-not-judge. Redirects are not followed, and proxies
/// of the environment are not used.
#[derive(Debug)]
pub struct HttpGrader {
    config: HttpConfig,
}

/// Why a try gave no score, and whether another one may.
struct Failed {
    reason: String,
    again: bool,
}

impl HttpGrader {
    /// Looks whether somebody listens there.
    ///
    /// # Errors
    /// [`GraderError::Url`], [`GraderError::Unreachable`].
    pub fn connect(config: HttpConfig) -> Result<Self, GraderError> {
        let authority = config.authority()?;
        reach(&authority, config.deadline).map_err(|source| GraderError::Unreachable {
            url: config.url.clone(),
            source,
        })?;
        Ok(Self { config })
    }

    fn ask(&self, id: usize, request: &Map<String, Value>) -> Result<Graded, String> {
        let mut whole = Map::with_capacity(request.len() + 1);
        whole.insert("id".to_owned(), id.into());
        whole.extend(request.clone());
        let body = Value::Object(whole).to_string();
        let until = Instant::now() + self.config.deadline;
        let mut tries = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let failed = match self.post(&body, left) {
                Ok(answer) => return graded(&answer),
                Err(failed) => failed,
            };
            let pause = BACKOFF * 2u32.saturating_pow(tries);
            tries += 1;
            let in_time = Instant::now() + pause < until;
            if !failed.again || tries as usize > self.config.retries || !in_time {
                let url = &self.config.url;
                let tried = match tries {
                    1 => String::new(),
                    tries => format!(", in the last of {tries} tries"),
                };
                return Err(format!("{url}: {}{tried}", failed.reason));
            }
            thread::sleep(pause);
        }
    }

    fn post(&self, body: &str, left: Duration) -> Result<Map<String, Value>, Failed> {
        // Whole seconds are what the client knows.
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let sent = minreq::post(&self.config.url)
            .with_header("content-type", "application/json")
            .with_header("connection", "close")
            .with_timeout(seconds.max(1))
            .with_follow_redirects(false)
            .with_max_headers_size(LONGEST)
            .with_max_status_line_length(LONGEST)
            .with_body(body)
            .send_lazy();
        let response = sent.map_err(|error| self.failed(error))?;
        let status = response.status_code;
        let phrase = response.reason_phrase.clone();
        let mut text = vec![];
        for byte in response {
            let (byte, _) = byte.map_err(|error| self.failed(error))?;
            text.push(byte);
            if text.len() > LONGEST {
                return Err(Failed {
                    reason: format!("the grader's answer is longer than {LONGEST} bytes"),
                    again: false,
                });
            }
        }
        let text = String::from_utf8_lossy(&text);
        if !(200..300).contains(&status) {
            return Err(Failed {
                reason: format!("status {status} {phrase}: {}", quoted(&text)),
                again: status >= 500 || status == 429,
            });
        }
        match serde_json::from_str(&text) {
            Ok(Value::Object(answer)) => Ok(answer),
            _ => Err(Failed {
                reason: format!(
                    "the grader answered `{}`, which is not a JSON object",
                    quoted(&text)
                ),
                again: false,
            }),
        }
    }

    fn failed(&self, error: minreq::Error) -> Failed {
        match error {
            minreq::Error::IoError(error) if error.kind() == io::ErrorKind::TimedOut => Failed {
                reason: format!(
                    "the grader gave no answer within {} s",
                    self.config.deadline.as_secs_f64()
                ),
                again: false,
            },
            error => Failed {
                again: matches!(
                    error,
                    minreq::Error::IoError(_)
                        | minreq::Error::AddressNotFound
                        | minreq::Error::InvalidUtf8InResponse
                ),
                reason: error.to_string(),
            },
        }
    }
}

fn reach(authority: &str, deadline: Duration) -> io::Result<()> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, deadline) {
            Ok(_) => return Ok(()),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

impl ExternalGrader for HttpGrader {
    fn grade(&self, requests: &[Map<String, Value>]) -> Vec<Result<Graded, String>> {
        let next = AtomicUsize::new(0);
        let answers: Vec<_> = requests.iter().map(|_| None).collect();
        let answers = Mutex::new(answers);
        thread::scope(|scope| {
            for _ in 0..self.config.connections.clamp(1, requests.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(request) = requests.get(index) else {
                            return;
                        };
                        let answer = self.ask(index, request);
                        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                        answers[index] = Some(answer);
                    }
                });
            }
        });
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|| Err("it was never asked about".to_owned())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let authority = |url: &str| HttpConfig::new(url).authority();
        assert_eq!(authority("http://host/grade").unwrap(), "host:80");
        assert_eq!(authority("http://host:8000").unwrap(), "host:8000");
        assert_eq!(authority("http://[::1]:9/x").unwrap(), "[::1]:9");
        assert_eq!(authority("http://[::1]/x").unwrap(), "[::1]:80");
        for (url, part) in [
            ("https://host/grade", "https is not built in"),
            ("host:80", "write http://"),
            ("http:///x", "no host"),
            ("http://:80/x", "no host"),
            ("http://me:pw@host/x", "password"),
            ("http://host:http/x", "port"),
        ] {
            let message = authority(url).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains(url), "{message}");
        }
    }
}
