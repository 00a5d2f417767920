//! A process with threads at its pipes, so that no full pipe can stop both sides.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::external::answer::quoted;

/// Longest line of output that is read.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// Bytes of standard error that are kept.
const KEPT: usize = 4096;
/// How long a process that is asked to end may take.
const GRACE: Duration = Duration::from_secs(1);
/// How soon a process that cannot work usually ends: a script that is not there, a missing module.
const SOON: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What comes from the process.
#[derive(Debug)]
pub(super) enum Event {
    Line(String),
    TooLong,
    End,
}

#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// To the thread that writes; gone when standard input is to end.
    requests: Option<Sender<Vec<u8>>>,
    events: Receiver<Event>,
    errors: Arc<Mutex<VecDeque<u8>>>,
    /// Whether it has given an answer.
    pub(super) has_answered: bool,
    ended: bool,
    /// There once it has been reaped.
    status: Option<ExitStatus>,
}

impl Process {
    pub(super) fn start(command: &[String]) -> io::Result<Self> {
        let (program, arguments) = command
            .split_first()
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Python keeps what it prints to a pipe to itself until there is much of it. Nothing else reads this.
            .env("PYTHONUNBUFFERED", "1");
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (requests, lines) = channel();
        let (sender, events) = channel();
        let errors = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(pipe) = child.stdin.take() {
            thread::spawn(move || write(pipe, &lines));
        }
        if let Some(pipe) = child.stdout.take() {
            thread::spawn(move || read(pipe, &sender));
        }
        if let Some(pipe) = child.stderr.take() {
            let kept = Arc::clone(&errors);
            thread::spawn(move || keep_end(pipe, &kept));
        }
        Ok(Self {
            child,
            requests: Some(requests),
            events,
            errors,
            has_answered: false,
            ended: false,
            status: None,
        })
    }

    pub(super) fn send(&self, line: Vec<u8>) {
        if let Some(requests) = &self.requests {
            // A thread that is gone has met the end of the pipe, and the reader says so.
            let _ = requests.send(line);
        }
    }

    /// What comes next; `None` if nothing comes in `wait`.
    pub(super) fn next(&mut self, wait: Duration) -> Option<Event> {
        match self.events.recv_timeout(wait) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::End),
        }
    }

    /// Whether it ended while nobody asked. What it said meanwhile is passed over.
    pub(super) fn has_ended(&mut self) -> bool {
        loop {
            match self.events.try_recv() {
                Ok(Event::End) | Err(TryRecvError::Disconnected) => return true,
                Ok(_) => {}
                Err(TryRecvError::Empty) => return self.is_gone(),
            }
        }
    }

    /// How it ended, if it does so right after its start.
    pub(super) fn ends_at_once(&mut self) -> Option<String> {
        self.gone_within(SOON).then(|| self.how_it_ended())
    }

    /// In words, with the end of its standard error.
    pub(super) fn how_it_ended(&mut self) -> String {
        let how = match self.gone_within(GRACE) {
            true => match self.reap() {
                Some(status) => format!("the grader ended with {status}"),
                None => "the grader ended".to_owned(),
            },
            false => "the grader closed its standard output".to_owned(),
        };
        // What it wrote last may still be on its way.
        thread::sleep(LOOK_AGAIN);
        how + &self.last_words()
    }

    /// The end of its standard error, as the end of a sentence.
    pub(super) fn last_words(&self) -> String {
        let kept = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        drop(kept);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let last = lines.get(lines.len().saturating_sub(3)..).unwrap_or(&[]);
        match last.join(" | ") {
            none if none.is_empty() => String::new(),
            words => format!("; its standard error ends with: {}", quoted(&words)),
        }
    }

    fn gone_within(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.is_gone() {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(LOOK_AGAIN);
        }
        true
    }

    /// Whether it has ended. It is left to be reaped, so that its number stays its own until its group has been killed.
    #[cfg(unix)]
    fn is_gone(&mut self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        if !self.ended
            && let Some(pid) = self.pid()
        {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            self.ended = matches!(waitid(WaitId::Pid(pid), look), Ok(Some(_)) | Err(_));
        }
        self.ended
    }

    #[cfg(not(unix))]
    fn is_gone(&mut self) -> bool {
        self.ended |= !matches!(self.child.try_wait(), Ok(None));
        self.ended
    }

    #[cfg(unix)]
    fn pid(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }

    /// Kills what is left of it and of what it started. Its status.
    fn reap(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.requests = None;
            #[cfg(unix)]
            if let Some(pid) = self.pid() {
                let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
            }
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
            self.ended = true;
        }
        self.status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its standard input tells it to end.
        self.requests = None;
        if self.status.is_none() {
            self.gone_within(GRACE);
            self.reap();
        }
    }
}

fn write(mut pipe: ChildStdin, lines: &Receiver<Vec<u8>>) {
    for line in lines {
        if pipe.write_all(&line).and_then(|()| pipe.flush()).is_err() {
            return;
        }
    }
}

fn read(pipe: ChildStdout, events: &Sender<Event>) {
    let mut pipe = BufReader::new(pipe);
    loop {
        let mut line = vec![];
        let most = LONGEST_LINE as u64 + 1;
        let event = match pipe.by_ref().take(most).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => Event::End,
            Ok(_) if line.len() > LONGEST_LINE => Event::TooLong,
            Ok(_) => Event::Line(String::from_utf8_lossy(&line).trim_end().to_owned()),
        };
        let last = !matches!(event, Event::Line(_));
        if events.send(event).is_err() || last {
            return;
        }
    }
}

fn keep_end(mut pipe: ChildStderr, kept: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = pipe.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..read]);
        let over = kept.len().saturating_sub(KEPT);
        kept.drain(..over);
    }
}
