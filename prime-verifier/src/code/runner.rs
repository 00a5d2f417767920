//! Runs of programs, by whatever way is fastest here.

use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use super::judge::last_line;
use super::program::{self, Sent};
use super::{CodeConfig, CodeError, Python};
use crate::sandbox::{
    Cancel, Confinement, End, Forker, Limits, OWN_PID, Outcome, SandboxError, SandboxReport,
};

/// What is the same for all runs: the interpreter, its confinement, the arguments.
pub(super) struct Setup {
    pub(super) python: Python,
    pub(super) report: SandboxReport,
    /// Why tests are not forked from a prepared interpreter, if they are not.
    pub(super) no_prefork: Option<String>,
    confinement: Confinement,
    limits: Limits,
    preamble: String,
    single: Vec<CString>,
    /// The harness, for those that run one program.
    bytecode: Vec<u8>,
    prefork: Vec<CString>,
}

impl Setup {
    pub(super) fn new(config: &CodeConfig) -> Result<Self, CodeError> {
        config.check()?;
        let places = match &config.python {
            Some(path) => vec![path.clone()],
            None => Python::places(),
        };
        let mut refused = vec![];
        let options = config.sandbox();
        for place in places {
            let mut python = match Python::at(&place) {
                Ok(python) => python,
                Err(error) => {
                    refused.push(error);
                    continue;
                }
            };
            python
                .interpreter
                .readable
                .extend(config.modules.iter().cloned());
            let (confinement, report) = match Confinement::probe(&python.interpreter, &options) {
                Ok(probed) => probed,
                Err(SandboxError::Interpreter {
                    interpreter,
                    reason,
                }) => {
                    refused.push(CodeError::Python {
                        path: interpreter,
                        reason: format!("does not run in the sandbox: {reason}"),
                    });
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let bytecode = python.bytecode(&program::single())?;
            let mut setup = Self {
                python,
                report,
                no_prefork: None,
                confinement,
                limits: config.limits.clone(),
                single: program::single_arguments(
                    bytecode.len(),
                    &config.preamble,
                    &config.modules,
                ),
                bytecode,
                prefork: program::prefork(OWN_PID, &config.modules),
                preamble: config.preamble.clone(),
            };
            setup.no_prefork = match config.prefork {
                false => Some("left out as asked".to_owned()),
                true if !setup.report.is_sandboxed() => Some("there is no sandbox".to_owned()),
                true => setup.try_forker().err(),
            };
            setup.check_preamble()?;
            return Ok(setup);
        }
        match refused.as_slice() {
            [one] if config.python.is_some() => Err(one.clone()),
            _ => {
                let tried: Vec<String> = refused.iter().map(ToString::to_string).collect();
                Err(CodeError::NoPython {
                    tried: tried.join("; "),
                })
            }
        }
    }

    fn forker(&self) -> Result<Forker, SandboxError> {
        self.confinement
            .forker(&self.prefork, &self.preamble, &self.limits)
    }

    /// What keeps a forked process from running an empty program would keep it from every other.
    fn try_forker(&self) -> Result<(), String> {
        let sent = Sent::new(program::Mode::Stdin, "", "");
        let forker = self.forker().map_err(|error| error.to_string())?;
        // With time to spare: the machine may be busy, and this is to find out whether it works at all.
        let limits = self.limits.clone().with_cpu(Duration::from_secs(10));
        let ran = forker.run(&sent.parts(), &limits, &Cancel::default());
        let ran = ran.map_err(|error| error.to_string())?;
        if ran.end == End::Exited(0) {
            return Ok(());
        }
        Err(format!("{} ({:?})", last_line(&ran.stderr), ran.end))
    }

    /// Runs a program in an interpreter of its own.
    fn run_single(
        &self,
        sent: &Sent<'_>,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Outcome, SandboxError> {
        let [header, code, name, input] = sent.parts();
        let input = [&self.bytecode, header, code, name, input];
        self.confinement.run(&self.single, &input, limits, cancel)
    }

    /// An empty program has to run: what keeps it from that would fail every other, and be its author's fault.
    fn check_preamble(&self) -> Result<(), CodeError> {
        let sent = Sent::new(program::Mode::Stdin, "", "");
        let limits = Limits::default();
        let cancel = Cancel::default();
        let ran = self.run_single(&sent, &limits, &cancel)?;
        if ran.end == End::Exited(0) {
            return Ok(());
        }
        Err(CodeError::Preamble {
            reason: format!("{} ({:?})", last_line(&ran.stderr), ran.end),
        })
    }
}

/// One worker's way to run programs.
pub(super) struct Runner {
    setup: Arc<Setup>,
    forker: Option<Forker>,
}

impl Runner {
    pub(super) fn new(setup: Arc<Setup>) -> Self {
        Self {
            setup,
            forker: None,
        }
    }

    /// Runs a program once. A fault of ours gets a second try with everything new.
    pub(super) fn run(
        &mut self,
        sent: &Sent<'_>,
        cancel: &Cancel,
    ) -> Result<Outcome, SandboxError> {
        match self.try_run(sent, cancel) {
            Err(_) if !cancel.is_cancelled() => {
                self.forker = None;
                let second = self.try_run(sent, cancel);
                if second.is_err() {
                    self.forker = None;
                }
                second
            }
            first => first,
        }
    }

    fn try_run(&mut self, sent: &Sent<'_>, cancel: &Cancel) -> Result<Outcome, SandboxError> {
        let setup = &self.setup;
        if setup.no_prefork.is_some() {
            return setup.run_single(sent, &setup.limits, cancel);
        }
        let forker = match self.forker.take() {
            Some(forker) => forker,
            None => setup.forker()?,
        };
        let outcome = forker.run(&sent.parts(), &setup.limits, cancel)?;
        self.forker = Some(forker);
        Ok(outcome)
    }
}
