//! Feeding a process, draining it, and ending it at its limits.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, pidfd_send_signal};

use super::super::{Cancel, End, Limits};
use super::usage;

/// How often the process is looked at when it says nothing.
const TICK: Duration = Duration::from_millis(10);
/// How long a process may take to disappear once it was killed.
const GRACE: Duration = Duration::from_secs(10);
/// What is kept of standard error.
const STDERR_KEPT: usize = 64 << 10;
const CHUNK: usize = 64 << 10;

/// Our ends of the pipes to a process.
pub(super) struct Pipes {
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
}

/// The ends that the process gets.
pub(super) struct TheirEnds(pub(super) [OwnedFd; 3]);

impl Pipes {
    pub(super) fn new() -> Result<(Self, TheirEnds), Errno> {
        let (their_stdin, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stdout, their_stdout) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, their_stderr) = pipe_with(PipeFlags::CLOEXEC)?;
        for ours in [&stdin, &stdout, &stderr] {
            fcntl_setfl(ours, OFlags::NONBLOCK)?;
        }
        let ours = Self {
            stdin: Some(stdin),
            stdout: Some(stdout),
            stderr: Some(stderr),
        };
        Ok((ours, TheirEnds([their_stdin, their_stdout, their_stderr])))
    }

    /// The last of them; the others are closed.
    pub(super) fn into_stderr(self) -> Option<OwnedFd> {
        self.stderr
    }
}

/// What a process wrote while it was watched, and why it was ended if it was.
pub(super) struct Supervised {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) ended: Option<End>,
    pub(super) wall: Duration,
}

/// What is watched.
pub(super) struct Watched<'w> {
    /// Readable when the process is gone, threads and all.
    pub(super) pidfd: BorrowedFd<'w>,
    /// Its number here, where that is known.
    pub(super) pid: Option<i32>,
    /// What it gets on standard input.
    pub(super) input: &'w [&'w [u8]],
    pub(super) limits: &'w Limits,
    pub(super) cancel: &'w Cancel,
}

/// Watches a process until it is gone.
///
/// # Errors
/// [`Errno::TIMEDOUT`] if it does not go although it was killed; whatever `poll` fails with.
pub(super) fn supervise(mut pipes: Pipes, watched: &Watched<'_>) -> Result<Supervised, Errno> {
    let begun = Instant::now();
    let limits = watched.limits;
    let mut input = Input::new(watched.input);
    let mut seen = Supervised {
        stdout: vec![],
        stderr: vec![],
        ended: None,
        wall: Duration::ZERO,
    };
    let mut stderr_bytes = 0;
    let mut buffer = vec![0; CHUNK];
    let mut killed_at: Option<Instant> = None;
    let mut looked_at = begun;
    loop {
        if input.is_empty() {
            pipes.stdin = None;
        }
        let gone = wait_for_news(&pipes, watched.pidfd, begun, limits, killed_at)?;
        if let Some(stdin) = &pipes.stdin
            && !input.write(stdin)
        {
            pipes.stdin = None;
        }
        let room = limits.output - seen.stdout.len().min(limits.output);
        let stdout = drain(&mut pipes.stdout, &mut buffer, |bytes| {
            let kept = &bytes[..bytes
                .len()
                .min(limits.output - seen.stdout.len().min(limits.output))];
            seen.stdout.extend_from_slice(kept);
        })?;
        let stderr = drain(&mut pipes.stderr, &mut buffer, |bytes| {
            keep_end(&mut seen.stderr, bytes);
        })?;
        stderr_bytes += stderr;
        if stdout > room || stderr_bytes > limits.output {
            seen.ended.get_or_insert(End::OutputLimit);
        }
        if gone {
            seen.wall = begun.elapsed();
            let start = seen.stderr.len().saturating_sub(STDERR_KEPT);
            seen.stderr.drain(..start);
            return Ok(seen);
        }
        if begun.elapsed() >= limits.wall {
            seen.ended.get_or_insert(End::WallLimit);
        }
        if watched.cancel.is_cancelled() {
            seen.ended.get_or_insert(End::Cancelled);
        }
        if looked_at.elapsed() >= TICK {
            looked_at = Instant::now();
            if let Some(over) = watched.pid.and_then(|pid| usage::over_limit(pid, limits)) {
                seen.ended.get_or_insert(over);
            }
        }
        match (seen.ended, killed_at) {
            (Some(_), None) => {
                // It may have gone by itself in this moment, which the next look will show.
                let _ = pidfd_send_signal(watched.pidfd, Signal::KILL);
                killed_at = Some(Instant::now());
            }
            (_, Some(at)) if at.elapsed() > GRACE => return Err(Errno::TIMEDOUT),
            _ => {}
        }
    }
}

/// Waits for something to do, or for the time to look around; whether the process is gone.
fn wait_for_news(
    pipes: &Pipes,
    pidfd: BorrowedFd<'_>,
    begun: Instant,
    limits: &Limits,
    killed_at: Option<Instant>,
) -> Result<bool, Errno> {
    let mut fds = vec![PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    let streams = [
        (&pipes.stdin, PollFlags::OUT),
        (&pipes.stdout, PollFlags::IN),
        (&pipes.stderr, PollFlags::IN),
    ];
    for (stream, what) in streams {
        if let Some(fd) = stream {
            fds.push(PollFd::from_borrowed_fd(fd.as_fd(), what));
        }
    }
    let left = limits.wall.saturating_sub(begun.elapsed());
    let wait = match killed_at {
        None => TICK.min(left),
        Some(_) => TICK,
    };
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: wait.subsec_nanos().into(),
    };
    match poll(&mut fds, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(!fds[0].revents().is_empty()),
        Err(error) => Err(error),
    }
}

/// Reads what is there, and closes the pipe at its end; how much it was. One call does not read without end.
fn drain(
    pipe: &mut Option<OwnedFd>,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> Result<usize, Errno> {
    let mut total = 0;
    while let Some(fd) = pipe
        && total < 16 * CHUNK
    {
        match rustix::io::read(&*fd, &mut *buffer) {
            Ok(0) => *pipe = None,
            Ok(count) => {
                take(&buffer[..count]);
                total += count;
            }
            Err(Errno::AGAIN) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// Appends, and forgets the start once there is far too much.
fn keep_end(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    if kept.len() > 2 * STDERR_KEPT {
        kept.drain(..kept.len() - STDERR_KEPT);
    }
}

/// What still has to be written.
struct Input<'i> {
    pieces: &'i [&'i [u8]],
    /// Written of the first piece.
    written: usize,
}

impl<'i> Input<'i> {
    fn new(pieces: &'i [&'i [u8]]) -> Self {
        let mut input = Self { pieces, written: 0 };
        input.pass_finished();
        input
    }

    fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    fn pass_finished(&mut self) {
        while let [first, rest @ ..] = self.pieces
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.pieces = rest;
        }
    }

    /// Writes what fits; false if nobody will read more.
    fn write(&mut self, to: &OwnedFd) -> bool {
        while let [first, ..] = self.pieces {
            match rustix::io::write(to, &first[self.written..]) {
                Ok(count) => self.written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
            self.pass_finished();
        }
        true
    }
}
