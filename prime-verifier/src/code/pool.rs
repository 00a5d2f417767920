//! Workers that run tests, and who is next.
//!
//! A worker that is free takes a test of the program that has the fewest running; of several such, of the one that has waited
//! longest. So a program with many slow tests holds up another by one of its tests at most.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::judge::{Expected, judge};
use super::program::{Mode, Sent};
use super::runner::{Runner, Setup};
use super::{
    Checker, CodeConfig, CodeError, CodeGrade, Scoring, TestCases, TestResult, TestVerdict,
};
use crate::sandbox::{Cancel, Limits};

/// Workers and the programs that wait for them.
pub(super) struct Pool {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
    rules: Rules,
}

/// What a program's grade depends on besides the program.
#[derive(Debug, Clone)]
struct Rules {
    limits: Limits,
    solution_wall: f64,
    checker: Checker,
    scoring: Scoring,
    stop_early: bool,
    sandboxed: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Programs with tests that nobody has taken, the one that was served or came last at the back.
    jobs: VecDeque<Arc<Job>>,
    /// Programs whose tests run, one entry for each test.
    running: Vec<Arc<Job>>,
    closed: bool,
}

/// A program and its tests.
pub(super) struct Job {
    code: String,
    cases: TestCases,
    rules: Rules,
    state: Mutex<State>,
    news: Condvar,
    cancel: Cancel,
}

struct State {
    results: Vec<Option<TestResult>>,
    /// The first test that nobody has taken.
    next: usize,
    running: usize,
    /// Seconds on the clock that tests have taken.
    spent: f64,
    /// What the tests that are left get without a run.
    rest: Option<(TestVerdict, String)>,
}

impl State {
    fn done(&self) -> usize {
        self.results
            .iter()
            .filter(|result| result.is_some())
            .count()
    }
}

/// A panic of another thread leaves plain data behind, which is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub(super) fn start(setup: &Arc<Setup>, config: &CodeConfig) -> Result<Self, CodeError> {
        let mut pool = Self {
            queue: Arc::default(),
            workers: vec![],
            rules: Rules {
                limits: config.limits.clone(),
                solution_wall: config.solution_wall,
                checker: config.checker,
                scoring: config.scoring,
                stop_early: config.stop_early,
                sandboxed: setup.report.is_sandboxed(),
            },
        };
        for number in 0..config.workers() {
            let (queue, setup) = (pool.queue.clone(), setup.clone());
            // Processes end with the thread that made them, so these threads live as long as the pool.
            let thread = std::thread::Builder::new()
                .name(format!("tests-{number}"))
                .spawn(move || work(&queue, Runner::new(setup)));
            match thread {
                Ok(thread) => pool.workers.push(thread),
                Err(error) => {
                    return Err(CodeError::Thread {
                        reason: error.to_string(),
                    });
                }
            }
        }
        Ok(pool)
    }

    pub(super) fn submit(&self, code: String, cases: TestCases) -> Ticket {
        let tests = cases.len();
        let job = Arc::new(Job {
            code,
            cases,
            rules: self.rules.clone(),
            state: Mutex::new(State {
                results: vec![None; tests],
                next: 0,
                running: 0,
                spent: 0.0,
                rest: None,
            }),
            news: Condvar::new(),
            cancel: Cancel::default(),
        });
        if tests > 0 {
            lock(&self.queue.waiting).jobs.push_back(job.clone());
            self.queue.news.notify_all();
        }
        Ticket { job }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut guard = lock(&self.queue.waiting);
        guard.closed = true;
        let waiting = &mut *guard;
        for job in waiting.jobs.drain(..).chain(waiting.running.drain(..)) {
            job.stop(TestVerdict::InternalError, "the grader was shut down");
        }
        drop(guard);
        self.queue.news.notify_all();
        for worker in self.workers.drain(..) {
            // A worker that panicked has nothing to tell that matters now.
            let _ = worker.join();
        }
    }
}

/// A program on its way to its grade. Dropping it gives up the rest of its tests.
#[must_use = "a ticket that is dropped stops the grading"]
pub struct Ticket {
    job: Arc<Job>,
}

impl Ticket {
    /// Waits for the grade.
    pub fn wait(self) -> CodeGrade {
        let mut state = lock(&self.job.state);
        while state.done() < state.results.len() {
            state = self
                .job
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let results = state.results.iter().flatten().cloned().collect();
        CodeGrade::new(results, self.job.rules.scoring, self.job.rules.sandboxed)
    }

    /// Waits at most `time`; whether the grade is there.
    pub fn wait_for(&self, time: Duration) -> bool {
        let state = lock(&self.job.state);
        let waited = self
            .job
            .news
            .wait_timeout_while(state, time, |state| state.done() < state.results.len());
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    /// Tests that have a verdict, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        let state = lock(&self.job.state);
        (state.done(), state.results.len())
    }

    /// Stops the tests that run and skips those that don't yet; they get [`TestVerdict::InternalError`], so there is no score.
    pub fn cancel(&self) {
        self.job.stop(TestVerdict::InternalError, "cancelled");
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (done, tests) = self.progress();
        write!(f, "Ticket({done} of {tests} tests)")
    }
}

fn work(queue: &Queue, mut runner: Runner) {
    while let Some((job, index)) = next(queue) {
        // A fault of ours is to be said, not waited for.
        let ran = catch_unwind(AssertUnwindSafe(|| job.run(index, &mut runner)));
        let result = ran.unwrap_or_else(|_| {
            TestResult::not_run(TestVerdict::InternalError, "the grader panicked")
        });
        job.finish(index, result);
        let mut waiting = lock(&queue.waiting);
        if let Some(place) = waiting
            .running
            .iter()
            .position(|one| Arc::ptr_eq(one, &job))
        {
            waiting.running.swap_remove(place);
        }
        drop(waiting);
        queue.news.notify_all();
    }
}

/// The next test to run; `None` when there is nothing to do any more.
fn next(queue: &Queue) -> Option<(Arc<Job>, usize)> {
    let mut waiting = lock(&queue.waiting);
    loop {
        if waiting.closed {
            return None;
        }
        let running = |job: &Arc<Job>| lock(&job.state).running;
        let free = |job: &Arc<Job>| !(job.rules.stop_early && running(job) > 0);
        let jobs = waiting.jobs.iter().enumerate();
        let best = jobs
            .filter(|(_, job)| free(job))
            .min_by_key(|(place, job)| (running(job), *place))
            .map(|(place, _)| place);
        if let Some(job) = best.and_then(|place| waiting.jobs.remove(place)) {
            let mut state = lock(&job.state);
            if state.next < state.results.len() {
                let index = state.next;
                state.next += 1;
                state.running += 1;
                let more = state.next < state.results.len();
                drop(state);
                if more {
                    waiting.jobs.push_back(job.clone());
                }
                waiting.running.push(job.clone());
                return Some((job, index));
            }
            // Stopped: nothing of it is left to run.
            continue;
        }
        waiting = queue
            .news
            .wait(waiting)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

impl Job {
    fn run(&self, index: usize, runner: &mut Runner) -> TestResult {
        let (mode, input, expected) = match &self.cases {
            TestCases::Stdin(cases) => {
                let Some(case) = cases.get(index) else {
                    return TestResult::not_run(TestVerdict::InternalError, "no such test");
                };
                (Mode::Stdin, &case.input, Expected::Output(case))
            }
            TestCases::Call { fn_name, cases } => {
                let Some(case) = cases.get(index) else {
                    return TestResult::not_run(TestVerdict::InternalError, "no such test");
                };
                (
                    Mode::Call { fn_name },
                    &case.arguments,
                    Expected::Value(case),
                )
            }
        };
        let sent = Sent::new(mode, &self.code, input);
        match runner.run(&sent, &self.cancel) {
            Ok(outcome) => {
                let rules = &self.rules;
                judge(&outcome, &sent, expected, rules.checker, &rules.limits)
            }
            Err(error) => TestResult::not_run(TestVerdict::InternalError, error.to_string()),
        }
    }

    /// Enters a result, and what follows from it for the tests that are left.
    fn finish(&self, index: usize, result: TestResult) {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.spent += result.wall;
        let rest = match result.verdict {
            TestVerdict::CompilationError => {
                Some((TestVerdict::CompilationError, result.message.clone()))
            }
            TestVerdict::Accepted => None,
            _ if self.rules.stop_early => {
                Some((TestVerdict::Skipped, "an earlier test failed".to_owned()))
            }
            _ => None,
        };
        let spent = (state.spent >= self.rules.solution_wall).then(|| {
            let limit = self.rules.solution_wall;
            (
                TestVerdict::Skipped,
                format!("all tests together took more than {limit} s"),
            )
        });
        if let Some(entry) = state.results.get_mut(index) {
            *entry = Some(result);
        }
        if state.rest.is_none() {
            state.rest = rest.or(spent);
        }
        self.fill_rest(&mut state);
        drop(state);
        self.news.notify_all();
    }

    /// Gives the tests that nobody has taken their verdict, if it is decided.
    fn fill_rest(&self, state: &mut State) {
        if let Some((verdict, message)) = &state.rest {
            let rest = TestResult::not_run(*verdict, message.clone());
            let next = std::mem::replace(&mut state.next, state.results.len());
            for entry in state.results.iter_mut().skip(next) {
                *entry = Some(rest.clone());
            }
        }
    }

    fn stop(&self, verdict: TestVerdict, message: &str) {
        self.cancel.cancel();
        let mut state = lock(&self.state);
        state.rest = Some((verdict, message.to_owned()));
        self.fill_rest(&mut state);
        drop(state);
        self.news.notify_all();
    }
}
