//! The curves of one run: first those that everybody looks at, then all the others.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::curves::Curves;
use super::scale::Format;
use super::style::Color;
use super::svg::{Chart, Series, Size};
use crate::watch::STEM;

/// Curves that belong into one chart: its title, how to write values, and (metric, label).
type Group = (
    &'static str,
    Format,
    &'static [(&'static str, &'static str)],
);

/// What is learned, what it costs in length, and whether the policy is still sound come first. Metrics that are in none of
/// these charts get one of their own further down.
const GROUPS: &[Group] = &[
    (
        "Accuracy of training rollouts",
        Format::Percent,
        &[("acc", "acc")],
    ),
    ("Mean reward", Format::Number, &[("reward/mean", "reward")]),
    (
        "Held-out pass@1",
        Format::Percent,
        &[("eval/pass@1", "pass@1")],
    ),
    (
        "Response length in tokens",
        Format::Number,
        &[
            ("response_length/mean", "mean"),
            ("response_length/max", "longest"),
        ],
    ),
    (
        "Responses cut off at the length limit",
        Format::Percent,
        &[("response_length/clip_ratio", "cut off")],
    ),
    ("Entropy", Format::Number, &[("actor/entropy", "entropy")]),
    (
        "KL divergence of the policy",
        Format::Number,
        &[
            ("actor/ppo_kl", "within the step"),
            ("actor/ref_kl", "to the reference"),
            ("actor/kl_loss", "in the loss"),
        ],
    ),
    (
        "Reward model: does it rank right above wrong?",
        Format::Percent,
        &[
            ("reward_model/step_auc", "answers (AUC)"),
            ("reward_model/dpo_acc", "responses (pairs)"),
            ("reward_model/dpo_acc_before", "before update"),
        ],
    ),
    (
        "Reward model loss",
        Format::Number,
        &[("reward_model/prm_loss", "loss")],
    ),
    ("Policy loss", Format::Number, &[("actor/pg_loss", "loss")]),
    (
        "Clipped tokens",
        Format::Percent,
        &[("actor/pg_clipfrac", "clipped")],
    ),
    (
        "Tokens per second",
        Format::Number,
        &[
            ("perf/tokens_per_s", "whole step"),
            ("perf/rollout_tokens_per_s", "sampling"),
        ],
    ),
];

/// Narrow enough to be read on a telephone and three to a row on a desk.
const SIZE: Size = Size {
    width: 440.0,
    height: 270.0,
};

/// Bytes of all the charts that are in no group: the page stays small, however many metrics a run has.
const OTHERS: usize = 1_300_000;

pub(super) fn charts(html: &mut String, metrics: &Curves) {
    html.push_str("<h2>Curves</h2><div class=\"charts\">");
    let mut shown = BTreeSet::new();
    for (title, format, members) in GROUPS {
        let series: Vec<Series> = members
            .iter()
            .enumerate()
            .map(|(i, (metric, label))| {
                shown.insert(*metric);
                series(metrics, metric, label, i)
            })
            .filter(|series| !series.points.is_empty())
            .collect();
        let said_already = members[0].0 == "reward/mean" && is_acc(metrics);
        if !series.is_empty() && !said_already {
            html.push_str(&chart(title, *format, series).inline(SIZE));
        }
    }
    html.push_str("</div>");
    others(html, metrics, &shown);
}

/// Whether the mean reward is the accuracy and no more.
fn is_acc(metrics: &Curves) -> bool {
    metrics.of("reward/mean") == metrics.of("acc")
}

fn others(html: &mut String, metrics: &Curves, shown: &BTreeSet<&str>) {
    let names: Vec<&str> = metrics
        .names()
        // The watch has a table of its own.
        .filter(|name| !shown.contains(name) && !name.starts_with(STEM))
        .collect();
    if names.is_empty() {
        return;
    }
    let _ = write!(
        html,
        "<details><summary>All other metrics ({})</summary><div class=\"charts\">",
        names.len()
    );
    let (mut room, mut left_out) = (OTHERS, 0);
    for name in names {
        let format = match is_share(name) {
            true => Format::Percent,
            false => Format::Number,
        };
        let drawn = chart(name, format, vec![series(metrics, name, name, 0)]).inline(SIZE);
        match room.checked_sub(drawn.len()) {
            Some(rest) => {
                room = rest;
                html.push_str(&drawn);
            }
            None => left_out += 1,
        }
    }
    html.push_str("</div>");
    if left_out > 0 {
        let _ = write!(
            html,
            "<p class=\"sub\">{left_out} more are in metrics.jsonl and in the TensorBoard events: this page would be \
             too large with them.</p>"
        );
    }
    html.push_str("</details>");
}

/// Whether a metric is a share by its name.
fn is_share(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("acc/")
        || ["acc_", "dpo_acc", "frac_"]
            .iter()
            .any(|start| last.starts_with(start))
        || [
            "auc",
            "clip_ratio",
            "_acc",
            "_waste",
            "_share",
            "_rate",
            "answers",
        ]
        .iter()
        .any(|end| last.ends_with(end))
        || last.contains("clipfrac")
        || (last.contains('@') && !last.ends_with("stderr"))
}

fn series(metrics: &Curves, metric: &str, label: &str, color: usize) -> Series {
    let points = metrics.of(metric).iter();
    Series {
        name: label.to_string(),
        color: Color::nth(color),
        points: points.map(|&(step, value)| (step as f64, value)).collect(),
        band: Vec::new(),
    }
}

fn chart(title: &str, format: Format, series: Vec<Series>) -> Chart {
    // Below this a trend would hide more than it shows.
    const ENOUGH: usize = 20;
    let smooth = series.iter().any(|series| series.points.len() >= ENOUGH);
    Chart {
        title: title.to_string(),
        x_label: "step".to_string(),
        format,
        series,
        smooth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::StepMetrics;

    fn records(names: &[String], steps: u64) -> Curves {
        let mut curves = Curves::default();
        for step in 0..steps {
            let mut record = StepMetrics::new(step);
            for (at, name) in names.iter().enumerate() {
                let value = ((step * 7 + at as u64) % 13) as f64 / 13.0;
                record.set(name, value).unwrap();
            }
            curves.add(&record);
        }
        curves
    }

    fn drawn(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut html = String::new();
        charts(&mut html, &records(&names, 5));
        html
    }

    #[test]
    fn reward_held_out_length_entropy_and_kl_are_on_top_in_this_order() {
        let html = drawn(&[
            "actor/pg_loss",
            "actor/ppo_kl",
            "reward_model/step_auc",
            "actor/entropy",
            "response_length/mean",
            "eval/pass@1",
            "acc",
            "reward/mean",
        ]);
        let at: Vec<usize> = [
            "Accuracy of training rollouts",
            "Mean reward",
            "Held-out pass@1",
            "Response length",
            "Entropy",
            "KL divergence",
            "Reward model",
            "Policy loss",
        ]
        .iter()
        .map(|title| html.find(title).unwrap_or_else(|| panic!("{title}")))
        .collect();
        assert!(at.is_sorted(), "{at:?}");
    }

    #[test]
    fn a_mean_reward_that_is_the_accuracy_is_not_drawn_twice() {
        let mut same = StepMetrics::new(1);
        same.set("acc", 0.5).unwrap();
        same.set("reward/mean", 0.5).unwrap();
        let mut html = String::new();
        let mut curves = Curves::default();
        curves.add(&same);
        charts(&mut html, &curves);
        assert!(
            !html.contains("Mean reward") && !html.contains("All other"),
            "{html}"
        );
    }

    #[test]
    fn a_thousand_metrics_of_long_runs_stay_within_their_room() {
        let names: Vec<String> = (0..300).map(|i| format!("acc/source {i}")).collect();
        let mut html = String::new();
        charts(&mut html, &records(&names, 500));
        assert!(html.len() < OTHERS + 10_000, "{}", html.len());
        assert!(html.contains("more are in metrics.jsonl"));
    }

    #[test]
    fn shares_are_known_by_their_names() {
        for name in [
            "acc/gsm8k",
            "acc_answers",
            "eval/maths/pass@1",
            "eval/pass@8",
            "eval/maj@4",
            "reward_model/dpo_acc_abs_before",
            "frac_reward_zero_std",
            "actor/pg_clipfrac_lower",
            "perf/padding_waste",
            "reward_model/rank_acc",
        ] {
            assert!(is_share(name), "{name}");
        }
        for name in [
            "actor/lr",
            "eval/pass@1_stderr",
            "rollouts",
            "timing_s/step",
            "eval/n",
        ] {
            assert!(!is_share(name), "{name}");
        }
    }
}
