//! What a living process has used, as `/proc` says.

use std::fs;
use std::time::Duration;

use super::super::{End, Limits};

/// The limit that the process is over, of those that the kernel does not keep exactly: processor time, which it counts in whole
/// seconds, and threads, which it counts by user.
pub(super) fn over_limit(pid: i32, limits: &Limits) -> Option<End> {
    // The process may have given itself a name that is no text.
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let (cpu, threads) = parse(&String::from_utf8_lossy(&stat))?;
    if cpu > limits.cpu {
        Some(End::CpuLimit)
    } else if threads > limits.threads {
        Some(End::ThreadLimit)
    } else {
        None
    }
}

fn parse(stat: &str) -> Option<(Duration, u32)> {
    // The second field is a name that may hold anything, in brackets; what follows is numbered from 3.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace();
    let user: u64 = fields.nth(14 - 3)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let threads = fields.nth(20 - 16)?.parse().ok()?;
    // USER_HZ is 100 on every architecture that this runs on.
    Some((Duration::from_millis((user + system) * 10), threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_proc() {
        let stat = "12 (a) b) S 1 12 12 0 -1 4194304 90 0 0 0 150 25 0 0 20 0 7 0 1000 1 2";
        assert_eq!(parse(stat), Some((Duration::from_millis(1750), 7)));
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        assert!(
            parse(&own).is_some_and(|(_, threads)| threads >= 1),
            "{own}"
        );
    }
}
