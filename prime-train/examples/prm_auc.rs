//! Does the implicit PRM find out *which* answers are wrong, told only which sheets failed?
//!
//! A warmed-up policy is frozen and keeps answering new sheets. The PRM learns from their marks, pass or fail; after
//! every step its rewards, summed over each answer, are held against the right answers on sheets that it never sees.
//! Printed is the area under the ROC curve: ½ knows nothing, 1 tells every wrong answer from every right one.
//!
//! What it takes is sheets: over four warmed-up models, 0.95 to 0.98 after ten steps of 128, 0.77 to 0.87 after ten of 32.
//!
//! ```text
//! cargo run -p prime-train --example prm_auc
//! cargo run -p prime-train --example prm_auc -- seed=7 prm.beta=0.3 data.task=mod3
//! ```
//!
//! Arguments are settings as after `--set`; `model.path=… warmup.steps=0` skips the warm-up.

use std::error::Error;

use prime_policy::{GenerationRequest, Response, Sequence, generate};
use prime_reward::{ImplicitPrm, Rollout, auc};
use prime_train::config::{Config, Layer, resolve};
use prime_train::data::problems::{PreparedProblem, Problems};
use prime_train::data::tasks::{Split, Task};
use prime_train::run::{Start, warmed_up_model};
use prime_verifier::Verdict;

/// A hundred and twenty-eight sheets a step, one response each: nothing is compared within a group here.
const SETTINGS: &str = r#"
preset = "paper"
[data]
task = "exam"
[rl]
steps = 10
prompts_per_step = 128
group_size = 1
[advantage]
estimator = "reinforce"
process_estimator = "reinforce"
[prm]
beta = 1.0
lr = 3e-4
[prm.replay]
steps = 50
mini_batches = 8
batch_size = 64
[eval]
problems = 128
"#;

/// An answered and marked sheet.
struct Sheet {
    problem: PreparedProblem,
    response: Response,
    mark: f32,
    /// Whether each answer is right: the PRM is never told.
    right: Vec<bool>,
}

impl Sheet {
    fn sequence(&self) -> Sequence<'_> {
        Sequence {
            prompt: &self.problem.prompt_ids,
            response: &self.response.tokens,
        }
    }
}

/// Has the frozen policy answer `count` sheets of a split, from number `first` on.
fn answered(
    config: &Config,
    start: &Start,
    problems: &Problems,
    split: Split,
    first: usize,
    count: usize,
) -> Result<Vec<Sheet>, Box<dyn Error>> {
    let sheets = (first..first + count)
        .map(|index| problems.get(split, index as u64, &start.tokenizer))
        .collect::<Result<Vec<_>, _>>()?;
    let prompts: Vec<&[u32]> = sheets.iter().map(|p| p.prompt_ids.as_slice()).collect();
    let ids: Vec<u64> = sheets.iter().map(|p| p.id).collect();
    let responses = generate(
        &start.model,
        &GenerationRequest {
            stop: start.tokenizer.stop_ids(),
            seed: config.seed,
            step: split as u64,
            prompt_ids: &ids,
            batches: 8,
            threads: config.worker_threads(),
            ..GenerationRequest::new(&prompts, &config.sampling())
        },
    )?;
    sheets
        .into_iter()
        .zip(responses.into_iter().flatten())
        .map(|(problem, response)| {
            let text = start.tokenizer.decode_response(&response.tokens)?;
            match problems.verify(&text, &problem) {
                Verdict::Judged(judgement) => Ok(Sheet {
                    problem,
                    response,
                    mark: judgement.score.get(),
                    right: judgement
                        .steps
                        .ok_or("the task does not mark single answers")?,
                }),
                Verdict::CouldNotJudge { reason } => Err(reason.into()),
            }
        })
        .collect()
}

/// The reward summed over each answer, with whether it is right.
fn answer_rewards(
    task: &dyn Task,
    start: &Start,
    sheet: &Sheet,
    rewards: &[f32],
) -> Vec<(f32, bool)> {
    let pieces = start.tokenizer.pieces(&sheet.response.tokens);
    let spans = task.answer_spans(&pieces).into_iter();
    spans
        .zip(&sheet.right)
        .filter(|(span, _)| !span.is_empty())
        .map(|(span, &right)| (rewards[span].iter().sum(), right))
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut layers = vec![Layer::text("prm_auc", SETTINGS)?];
    for argument in std::env::args().skip(1) {
        layers.push(Layer::set(&argument)?);
    }
    let config = resolve(&layers)?;
    let task = config
        .data
        .task
        .builtin()
        .ok_or("only built-in tasks know which answers are right")?;
    let settings = config
        .implicit_prm()
        .ok_or("prm.enabled and not prm.oracle")?;

    let start = warmed_up_model(&config, true)?;
    let problems = Problems::open(&config, &start.tokenizer)?;
    let mut prm = ImplicitPrm::new(&start.model, settings)?;
    let unseen = answered(
        &config,
        &start,
        &problems,
        Split::Eval,
        0,
        config.eval.problems,
    )?;
    let measure = |prm: &ImplicitPrm<_>| -> Result<Option<f64>, Box<dyn Error>> {
        let sequences: Vec<Sequence<'_>> = unseen.iter().map(Sheet::sequence).collect();
        let log_probs: Vec<&[f32]> = unseen.iter().map(|s| &s.response.log_probs[..]).collect();
        let rewards = prm.score(&sequences, &log_probs)?;
        let scored: Vec<(f32, bool)> = unseen
            .iter()
            .zip(&rewards)
            .flat_map(|(sheet, rewards)| answer_rewards(task.as_ref(), &start, sheet, rewards))
            .collect();
        Ok(auc(&scored))
    };
    let show = |area: Option<f64>| area.map_or("-".to_owned(), |area| format!("{area:.4}"));

    println!("step  sheets  passed  AUC");
    println!("   0       0       -  {}", show(measure(&prm)?));
    let per_step = config.rl.prompts_per_step;
    for step in 0..config.rl.steps {
        let sheets = answered(
            &config,
            &start,
            &problems,
            Split::Train,
            step * per_step,
            per_step,
        )?;
        let rollouts: Vec<Rollout<'_>> = sheets
            .iter()
            .map(|sheet| Rollout {
                sequence: sheet.sequence(),
                label: sheet.mark,
                policy_log_probs: &sheet.response.log_probs,
            })
            .collect();
        prm.step(&rollouts)?;
        println!(
            "{:4}  {:6}  {:6.2}  {}",
            step + 1,
            (step + 1) * per_step,
            sheets.iter().map(|s| s.mark).sum::<f32>() / per_step as f32,
            show(measure(&prm)?),
        );
    }
    Ok(())
}
