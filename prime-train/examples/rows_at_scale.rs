//! What opening many rows takes, and what drawing from them takes: `rows_at_scale [--model FOLDER] [--rows N]…`.
//!
//! Writes a JSON Lines file of short sums, opens it as a run does, and draws a step's prompts many times. Without a folder
//! the tokenizer is one of characters, whose prompts are all counted; a folder's tokenizer that can write any text counts the
//! first rows and those that might be too long. Linux only: processor time and memory are read from `/proc`.

use std::error::Error;
use std::fs;
use std::io::{BufWriter, Write};

use prime_policy::Tokenizer;
use prime_train::config::{Layer, resolve};
use prime_train::data::problems::Problems;
use prime_train::data::tasks::Split;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut model, mut sizes) = (None, vec![]);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or("a value is missing");
        match argument.as_str() {
            "--model" => model = Some(value()?),
            "--rows" => sizes.push(value()?.parse::<usize>()?),
            other => return Err(format!("{other} is neither --model nor --rows").into()),
        }
    }
    if sizes.is_empty() {
        sizes = vec![1_000, 1_000_000];
    }
    let tokenizer = match &model {
        Some(folder) => Tokenizer::from_folder(folder.as_ref())?,
        None => Tokenizer::characters("0123456789 +?Whatis".chars())?,
    };
    let folder = tempfile::tempdir()?;
    for rows in sizes {
        let path = folder.path().join("rows.jsonl");
        let mut out = BufWriter::new(fs::File::create(&path)?);
        for row in 0..rows {
            let (a, b) = (row % 977, row % 89);
            let answer = a + b;
            writeln!(
                out,
                r#"{{"data_source":"sums","prompt":[{{"role":"user","content":"What is {a} + {b}?"}}],"ability":"math","reward_model":{{"style":"rule","ground_truth":"{answer}"}}}}"#
            )?;
        }
        drop(out);
        let config = resolve(&[
            Layer::set(&format!(
                "model.path={}",
                model.as_deref().unwrap_or("none")
            ))?,
            Layer::set(&format!("data.train_file={}", path.display()))?,
            Layer::set("threads=1")?,
        ])?;
        fs::write("/proc/self/clear_refs", "5")?;
        let start = processor_seconds()?;
        let problems = Problems::open(&config, &tokenizer)?;
        let opened = processor_seconds()?;
        // The first of an epoch pays for its order.
        problems.get(Split::Train, 0, &tokenizer)?;
        let ordered = processor_seconds()?;
        const DRAWN: u64 = 800;
        for index in 1..=DRAWN {
            problems.get(Split::Train, index % rows as u64, &tokenizer)?;
        }
        let drawn = processor_seconds()?;
        println!(
            "{rows} rows: opening {:.2} s, the order of an epoch {:.3} s, a step of 8 prompts {:.3} ms (processor time); peak {} MiB",
            opened - start,
            ordered - opened,
            (drawn - ordered) / (DRAWN / 8) as f64 * 1e3,
            peak_mib()?
        );
    }
    Ok(())
}

/// Of this process, all threads together.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?.1;
    let mut ticks = fields.split_whitespace().skip(11).take(2);
    let mut next = || Ok::<f64, Box<dyn Error>>(ticks.next().ok_or("too few fields")?.parse()?);
    Ok((next()? + next()?) / 100.0)
}

fn peak_mib() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .ok_or("no VmHWM")?;
    Ok(kib.parse::<usize>()? / 1024)
}
