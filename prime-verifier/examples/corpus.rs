//! Grades a corpus of labelled pairs and says how often the grader agrees.
//!
//! `cargo run -p prime-verifier --example corpus -- [--policy NAME] [--all] [--misses] FILE…`
//!
//! Rows are JSON objects with `gold`, `pred`, `expected`, and optionally `form` (`answer` unless said: both bare; `text`:
//! both whole texts; `text_gold_answer`: a bare gold and the text of a model), `label_class` (only `firm` rows count unless
//! `--all`) and `doubtful` (left out unless `--all`).

use std::time::Instant;

use prime_verifier::math::{Extraction, MathPolicy, MathVerdict, MathVerifier};
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = vec![];
    let (mut all, mut misses) = (false, false);
    let mut policy = MathPolicy::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--all" => all = true,
            "--misses" => misses = true,
            "--policy" => {
                let name = arguments.next().unwrap_or_default();
                policy =
                    MathPolicy::by_name(&name).ok_or(format!("no policy is called {name:?}"))?;
            }
            file => files.push(file.to_owned()),
        }
    }
    let verifier = MathVerifier::new(Extraction::anywhere(), policy);
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{file}: {e}"))?;
        let mut counts = Counts::default();
        let mut times = vec![];
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let row: Value = serde_json::from_str(line)?;
            let field = |name: &str| row[name].as_str().unwrap_or("");
            let firm = row["label_class"]
                .as_str()
                .is_none_or(|class| class == "firm");
            if !all && (!firm || row["doubtful"] == true) {
                continue;
            }
            let expected = row["expected"] == true;
            let (gold, answer) = (field("gold"), field("pred"));
            let start = Instant::now();
            let grade = match field("form") {
                "text" | "text_gold_answer" => verifier.grade(answer, &[gold]),
                _ => verifier.grade_answer(answer, &[gold]),
            };
            times.push(start.elapsed());
            let equal = grade.comparison.is_equal();
            counts.add(expected, equal, grade.comparison.verdict);
            let undecided = grade.comparison.verdict == MathVerdict::Undecided;
            if misses && (equal != expected || undecided) {
                println!(
                    "{} {} expected {expected}, {:?} ({:?}) {gold:?} ~ {:?}\n      read {} ~ {} [{:?} | {:?}]",
                    field("id"),
                    field("category"),
                    grade.comparison.verdict,
                    grade.comparison.stage,
                    tail(answer),
                    grade.comparison.gold,
                    grade.comparison.answer,
                    grade.comparison.gold.syntax_error(),
                    grade.comparison.answer.syntax_error(),
                );
            }
        }
        times.sort_unstable();
        let at = |share: f64| {
            let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            times
                .get(index)
                .map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        println!(
            "{file}: {counts}; per pair median {:.1} µs, p99 {:.1} µs, max {:.0} µs",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    right: usize,
    accepted: usize,
    true_pairs: usize,
    false_accepted: usize,
    false_pairs: usize,
    undecided: usize,
    unparsed: usize,
}

impl Counts {
    fn add(&mut self, expected: bool, equal: bool, verdict: MathVerdict) {
        self.right += usize::from(expected == equal);
        if expected {
            self.true_pairs += 1;
            self.accepted += usize::from(equal);
        } else {
            self.false_pairs += 1;
            self.false_accepted += usize::from(equal);
        }
        self.undecided += usize::from(verdict == MathVerdict::Undecided);
        self.unparsed += usize::from(verdict == MathVerdict::Unparsed);
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        write!(
            f,
            "{} pairs, accuracy {:.4}, recall {:.4}, false positives {:.4} ({} of {}), undecided {}, unparsed {}",
            self.true_pairs + self.false_pairs,
            share(self.right, self.true_pairs + self.false_pairs),
            share(self.accepted, self.true_pairs),
            share(self.false_accepted, self.false_pairs),
            self.false_accepted,
            self.false_pairs,
            self.undecided,
            self.unparsed,
        )
    }
}

/// The last 200 characters.
fn tail(text: &str) -> &str {
    match text.char_indices().nth_back(199) {
        Some((at, _)) => &text[at..],
        None => text,
    }
}
