//! `report.html` of a run that goes on: the page loads itself again, so it has to be made again now and then.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::report::write_report;
use crate::view;

/// Time between two reports at least.
const PAUSE: Duration = Duration::from_secs(30);
/// Reports take one part in so many of a run's time at most.
const SHARE: u32 = 100;

pub(super) struct Following {
    last: Instant,
    pause: Duration,
    warned: bool,
}

impl Default for Following {
    fn default() -> Self {
        Self {
            last: Instant::now(),
            pause: PAUSE,
            warned: false,
        }
    }
}

impl Following {
    /// Makes the report again if it is time. A report that cannot be made is no reason to stop.
    pub(super) fn look(&mut self, run: &Path) {
        if self.last.elapsed() < self.pause {
            return;
        }
        let clock = Instant::now();
        if let Err(error) = write_report(run)
            && !self.warned
        {
            self.warned = true;
            view::say(&format!("warning: no report for now: {error}"));
        }
        self.last = Instant::now();
        self.pause = PAUSE.max(clock.elapsed() * SHARE);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_report_is_made_again_when_it_is_time_and_never_stops_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.html");
        let mut following = Following::default();
        following.look(folder.path());
        assert!(!following.warned, "it was not time");

        following.pause = Duration::ZERO;
        following.look(folder.path());
        assert!(following.warned && !report.exists(), "there is no run here");

        fs::write(folder.path().join("config.toml"), "").unwrap();
        fs::write(
            folder.path().join("metrics.jsonl"),
            "{\"step\":0,\"acc\":0.5}\n",
        )
        .unwrap();
        following.pause = Duration::ZERO;
        following.look(folder.path());
        assert!(report.exists() && following.pause >= PAUSE);
    }
}
