//! Loading and saving keep one copy of the weights in memory: the peak of a process of its own is measured.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use prime_policy::{DecoderConfig, WeightDtype, WeightFormat, load_weights, save_sharded};

const CHILD: &str = "PRIME_MEMORY_TEST";

/// About 50 million parameters; a third of them are one tensor, so that a second copy of it would be seen.
fn config() -> DecoderConfig {
    let mut config = DecoderConfig::new(32_000, 512, 2048, 8, 8);
    config.tie_word_embeddings = true;
    config
}

fn parameters() -> usize {
    let (hidden, inner) = (512, 2048);
    let attention = 4 * hidden * hidden + 3 * hidden;
    8 * (attention + 3 * hidden * inner + 2 * hidden) + 32_000 * hidden + hidden
}

/// A field of `/proc/self/status`, in bytes.
fn status(field: &str) -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let number = line.unwrap().trim_matches(|c: char| !c.is_ascii_digit());
    number.parse::<usize>().unwrap() * 1024
}

/// How far `work` drives the process's memory above where it starts.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    // 5 resets the peak (proc_pid_clear_refs(5)).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    let result = work();
    (result, status("VmHWM:").saturating_sub(before))
}

/// What a child does; its report is one line.
fn child(work: &str, from: &Path, to: &Path) {
    let model = || config().init(&Device::flex()).unwrap();
    let (model, load) = match work {
        "streamed" => peak(|| load_weights(model(), from).unwrap()),
        "whole file" => peak(|| {
            let bytes = fs::read(from.join("model.safetensors")).unwrap();
            let model = load_weights(model(), from).unwrap();
            assert!(bytes.len() > 1);
            model
        }),
        other => panic!("{other}"),
    };
    let format = WeightFormat {
        dtype: WeightDtype::F32,
        max_shard_bytes: 100_000_000,
    };
    let (saved, save) = peak(|| save_sharded(&model, to, &format));
    saved.unwrap();
    println!("report {load} {save}");
}

/// Peaks of loading and of saving, each above the start of its own, in multiples of the f32 weights.
fn measure(work: &str, from: &Path) -> (f64, f64) {
    let to = tempfile::tempdir().unwrap();
    let job = format!("{work}\n{}\n{}", from.display(), to.path().display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "one_copy_of_the_weights_is_in_memory",
            "--nocapture",
        ])
        .env(CHILD, job)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = text
        .lines()
        .find_map(|line| Some(line.split_once("report ")?.1));
    let report = report.unwrap_or_else(|| {
        panic!("{text}{}", String::from_utf8_lossy(&output.stderr));
    });
    let (load, save) = report.split_once(' ').unwrap();
    let size = (parameters() * 4) as f64;
    let times = |bytes: &str| bytes.parse::<f64>().unwrap() / size;
    (times(load), times(save))
}

#[test]
fn one_copy_of_the_weights_is_in_memory() {
    if let Ok(job) = std::env::var(CHILD) {
        let [work, from, to] = job.lines().collect::<Vec<_>>()[..] else {
            panic!("{job}")
        };
        return child(work, Path::new(from), Path::new(to));
    }
    let place = tempfile::tempdir().unwrap();
    let model = config().init(&Device::flex()).unwrap();
    for (name, dtype, max_shard_bytes) in [
        ("f32", WeightDtype::F32, u64::MAX),
        ("bf16 in shards", WeightDtype::Bf16, 20_000_000),
    ] {
        let folder = place.path().join(name);
        let format = WeightFormat {
            dtype,
            max_shard_bytes,
        };
        save_sharded(&model, &folder, &format).unwrap();
        let (load, save) = measure("streamed", &folder);
        let size = parameters() * 4 / 1_000_000;
        println!("{name}, {size} MB in memory: peak of loading {load:.3}, of saving {save:.3}");
        assert!((0.9..=1.2).contains(&load), "{name}: loading takes {load}");
        assert!(
            save <= 0.2,
            "{name}: saving takes {save} on top of the model"
        );
    }
    // The measurement sees a second copy where there is one.
    let (load, _) = measure("whole file", &place.path().join("f32"));
    assert!(load > 1.9, "a second copy is not seen: {load}");
}
