//! How much memory the process may take, and whether a plan fits.

use std::fs;
use std::path::Path;

use crate::config::Config;
use crate::error::TrainError;
use crate::memory::MemoryPlan;

/// The memory of the machine, or of the control group that the process is in, whichever is less, in bytes; `None` where nobody
/// says.
pub(crate) fn limit() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(total);
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = of_groups(&groups, Path::new("/sys/fs/cgroup"));
    machine.into_iter().chain(group).min()
}

/// `MemTotal` of `/proc/meminfo`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The least limit of the process's control groups and of those above them: `memory.max` of version 2, or
/// `memory.limit_in_bytes` of version 1.
fn of_groups(groups: &str, root: &Path) -> Option<u64> {
    let mut least: Option<u64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (base, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mut folder = base.join(path.trim_start_matches('/'));
        loop {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            // No limit is `max`, or a number beyond any memory.
            let limit = text
                .trim()
                .parse::<u64>()
                .ok()
                .filter(|&bytes| bytes < 1 << 60);
            least = least.into_iter().chain(limit).min();
            if folder == base || !folder.pop() || !folder.starts_with(&base) {
                break;
            }
        }
    }
    least
}

/// Whether the plan fits in `limit`.
///
/// # Errors
/// [`TrainError::Memory`] where even short responses need more than there is, unless `run.check_memory` is off; a warning where
/// the longest do.
pub(crate) fn check(
    config: &Config,
    plan: &MemoryPlan,
    limit: Option<u64>,
) -> Result<Option<String>, TrainError> {
    // What an accelerator has is not known before it is asked.
    let Some(limit) =
        limit.filter(|_| config.device.starts_with("flex") && config.run.check_memory)
    else {
        return Ok(None);
    };
    let mib = |bytes: u64| bytes >> 20;
    let least = plan.shorter.unwrap_or(plan.peak);
    if least > limit {
        return Err(TrainError::Memory {
            needed_mib: mib(least),
            limit_mib: mib(limit),
        });
    }
    Ok((plan.peak > limit).then(|| {
        format!(
            "warning: a step with responses of full length takes {} MiB by the plan, and there are {} MiB: lower \
             sampling.max_new_tokens, rl.micro_batch_tokens or rl.mini_batch_size",
            mib(plan.peak),
            mib(limit)
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_counts_of_the_group_and_those_above_it() {
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2 << 20)
        );
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let of = |groups: &str| of_groups(groups, root.path());
        write("a/b/memory.max", "max\n");
        assert_eq!(of("0::/a/b\n"), None);
        write("a/memory.max", "3000\n");
        assert_eq!(of("0::/a/b\n"), Some(3000));
        write("a/b/memory.max", "2000\n");
        assert_eq!(of("0::/a/b\n"), Some(2000));
        write("memory/c/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(of("5:cpu,memory:/c\n"), None);
        write("memory/c/memory.limit_in_bytes", "1000\n");
        assert_eq!(of("5:cpu,memory:/c\n4:cpu:/c\n0::/a\n"), Some(1000));
        assert_eq!(of("nonsense\n"), None);
    }
}
