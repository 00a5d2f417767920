//! An interpreter that waits with everything imported and forks a process for each run.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::{Signal, pidfd_send_signal};

use super::Confinement;
use super::process::{Process, StartError, cpu_seconds};
use super::seccomp::Role;
use super::supervise::{Pipes, Supervised, TheirEnds, Watched, supervise};
use super::sys::Waited;
use crate::sandbox::{Cancel, Limits};

/// How long the interpreter may take to get ready, and to answer when nothing keeps it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A forker that is not there any more, or never was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ForkerError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the forking interpreter {what}{}", .said.as_deref().map(|said| format!(" and said: {said}")).unwrap_or_default())]
    Lost { what: String, said: Option<String> },
}

/// An interpreter that forks.
pub(super) struct Forker {
    process: Process,
    control: OwnedFd,
    /// What it says on standard error, which is only ever a complaint.
    complaints: Option<OwnedFd>,
}

impl Forker {
    /// Starts `interpreter -c program` and hands it the preamble.
    pub(super) fn start(
        confinement: &Confinement,
        arguments: &[CString],
        preamble: &str,
        limits: &Limits,
    ) -> Result<Self, ForkerError> {
        let at = |what| move |errno| StartError::Parent { what, errno };
        let (control, their_control) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(at("socketpair"))?;
        // The runs get pipes, so the interpreter sets up its streams for pipes from the start.
        let (ours, TheirEnds(theirs)) = Pipes::new().map_err(at("pipe"))?;
        let files = [
            theirs[0].as_raw_fd(),
            theirs[1].as_raw_fd(),
            theirs[2].as_raw_fd(),
            their_control.as_raw_fd(),
        ];
        let process = Process::start(confinement, Role::Forker, arguments, &files, limits)?;
        drop((theirs, their_control));
        let forker = Self {
            process,
            control,
            complaints: ours.into_stderr(),
        };
        let filter = confinement.filter(Role::Forked);
        let filter = filter.map(|filter| filter.to_bytes()).unwrap_or_default();
        let mut message = vec![];
        message.extend((filter.len() as u32).to_ne_bytes());
        message.extend((preamble.len() as u32).to_ne_bytes());
        message.extend(filter);
        message.extend(preamble.as_bytes());
        forker.send(&message)?;
        let mut ready = [0; 1];
        forker.receive(&mut ready, Instant::now() + PATIENCE)?;
        Ok(forker)
    }

    /// Runs a program with everything it needs on its standard input.
    ///
    /// # Errors
    /// [`ForkerError::Lost`]: this forker is of no use any more, and nothing can be said about the run.
    pub(super) fn run(
        &self,
        input: &[&[u8]],
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<(Supervised, Waited), ForkerError> {
        let lost = |what: &str, errno: Errno| self.lost(format!("{what}: {errno}"));
        let (pipes, TheirEnds(theirs)) = Pipes::new().map_err(|errno| lost("pipe", errno))?;
        let mut request = [0; 16];
        request[..8].copy_from_slice(&cpu_seconds(limits).to_ne_bytes());
        request[8..].copy_from_slice(&limits.memory.to_ne_bytes());
        self.send_with(&request, &theirs)?;
        drop(theirs);
        let pidfd = self.receive_pidfd()?;
        let watched = Watched {
            pidfd: pidfd.as_fd(),
            pid: pid_of(&pidfd),
            input,
            limits,
            cancel,
        };
        let supervised = supervise(pipes, &watched);
        if supervised.is_err() {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
        let supervised = supervised.map_err(|errno| lost("could not be watched", errno))?;
        let mut message = [0; 20];
        self.receive(&mut message, Instant::now() + PATIENCE)?;
        let (status, rest) = message.split_at(4);
        let (cpu, peak) = rest.split_at(8);
        let number = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
        let waited = Waited {
            status: i32::from_ne_bytes(status.try_into().unwrap_or_default()),
            cpu_micros: number(cpu),
            peak_kib: number(peak),
        };
        Ok((supervised, waited))
    }

    /// How often the kernel ended a process of it for want of memory.
    pub(super) fn out_of_memory(&self) -> u64 {
        self.process.out_of_memory()
    }

    fn send(&self, mut bytes: &[u8]) -> Result<(), ForkerError> {
        while !bytes.is_empty() {
            match rustix::net::send(&self.control, bytes, SendFlags::NOSIGNAL) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.lost(format!("could not be asked: {errno}"))),
            }
        }
        Ok(())
    }

    fn send_with(&self, bytes: &[u8], files: &[OwnedFd; 3]) -> Result<(), ForkerError> {
        let files = [files[0].as_fd(), files[1].as_fd(), files[2].as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&files));
        let parts = [std::io::IoSlice::new(bytes)];
        loop {
            match sendmsg(&self.control, &parts, &mut ancillary, SendFlags::NOSIGNAL) {
                Ok(count) if count == bytes.len() => return Ok(()),
                Ok(_) => return Err(self.lost("took half a question".to_owned())),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.lost(format!("could not be asked: {errno}"))),
            }
        }
    }

    fn wait_for_answer(&self, until: Instant) -> Result<(), ForkerError> {
        loop {
            let mut fds = [PollFd::from_borrowed_fd(
                self.control.as_fd(),
                PollFlags::IN,
            )];
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Err(self.lost("does not answer".to_owned())),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.lost(format!("cannot be heard: {errno}"))),
            }
        }
    }

    fn receive(&self, into: &mut [u8], until: Instant) -> Result<(), ForkerError> {
        let mut filled = 0;
        while filled < into.len() {
            self.wait_for_answer(until)?;
            match rustix::io::read(&self.control, &mut into[filled..]) {
                Ok(0) => return Err(self.lost("ended".to_owned())),
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.lost(format!("cannot be heard: {errno}"))),
            }
        }
        Ok(())
    }

    fn receive_pidfd(&self) -> Result<OwnedFd, ForkerError> {
        self.wait_for_answer(Instant::now() + PATIENCE)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut kind = [0; 1];
        let mut parts = [std::io::IoSliceMut::new(&mut kind)];
        let received = recvmsg(
            &self.control,
            &mut parts,
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        );
        let received = received.map_err(|errno| self.lost(format!("cannot be heard: {errno}")))?;
        if received.bytes == 0 {
            return Err(self.lost("ended".to_owned()));
        }
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(mut files) = message
                && let Some(pidfd) = files.next()
            {
                return Ok(pidfd);
            }
        }
        let mut errno = [0; 4];
        self.receive(&mut errno, Instant::now() + PATIENCE)?;
        let errno = Errno::from_raw_os_error(i32::from_ne_bytes(errno));
        Err(self.lost(format!("could not fork: {errno}")))
    }

    /// The error, with what the process itself says about it.
    fn lost(&self, what: String) -> ForkerError {
        if let Some(failure) = self.process.failure() {
            return StartError::Child(failure).into();
        }
        let mut buffer = vec![0; 4096];
        let complaints = self.complaints.as_ref();
        let count = complaints.and_then(|pipe| rustix::io::read(pipe, &mut buffer).ok());
        let count = count.unwrap_or(0);
        let said = String::from_utf8_lossy(&buffer[..count]).trim().to_owned();
        ForkerError::Lost {
            what,
            said: (!said.is_empty()).then_some(said),
        }
    }
}

/// The number, in this process's namespace, of the process that `pidfd` stands for.
fn pid_of(pidfd: &OwnedFd) -> Option<i32> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    pid.trim().parse().ok().filter(|pid| *pid > 0)
}
