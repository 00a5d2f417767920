//! The page of one run: numbers, curves, time, coloured responses, configuration.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::scale::{Format, significant};
use super::style::{CHART_CSS, Color, PAGE_CSS, escape};
use super::svg::{Chart, Series, Size};
use super::transcripts::{self, Transcript};
use super::{RunFiles, curve};
use crate::metrics::StepMetrics;
use crate::summary::Summary;

/// Curves that belong into one chart: its title, how to write values, and (metric, label).
type Group = (
    &'static str,
    Format,
    &'static [(&'static str, &'static str)],
);

/// The charts everybody looks at first. Metrics that are in none of them get a chart of their own
/// further down.
const GROUPS: &[Group] = &[
    (
        "Held-out pass@1",
        Format::Percent,
        &[("eval/pass@1", "pass@1")],
    ),
    (
        "Accuracy of training rollouts",
        Format::Percent,
        &[("acc", "acc")],
    ),
    (
        "Reward model: does it rank right above wrong?",
        Format::Percent,
        &[
            ("reward_model/step_auc", "answers (AUC)"),
            ("reward_model/dpo_acc", "responses (pairs)"),
            ("reward_model/dpo_acc_before", "pairs, before update"),
        ],
    ),
    (
        "Reward model loss",
        Format::Number,
        &[("reward_model/prm_loss", "loss")],
    ),
    ("Policy loss", Format::Number, &[("actor/pg_loss", "loss")]),
    ("Entropy", Format::Number, &[("actor/entropy", "entropy")]),
    (
        "Policy divergence in the step",
        Format::Number,
        &[("actor/ppo_kl", "KL")],
    ),
    (
        "Clipped tokens",
        Format::Percent,
        &[("actor/pg_clipfrac", "clipped")],
    ),
];

const SIZE: Size = Size {
    width: 540.0,
    height: 300.0,
};

/// Responses shown of each step.
const SHEETS: usize = 12;

pub(super) fn page(run: &RunFiles) -> String {
    let title = escape(&run.name);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} · PRIME</title><style>{CHART_CSS}{PAGE_CSS}</style></head><body><main>\
         <h1>{title}</h1>"
    );
    header(&mut html, run);
    charts(&mut html, &run.metrics);
    if let Some(summary) = &run.summary {
        phases(&mut html, summary);
    }
    sheets(&mut html, &run.transcripts);
    let _ = writeln!(
        html,
        "<h2>Configuration</h2><div class=\"card\"><details><summary>config.toml</summary>\
         <pre>{}</pre></details></div></main></body></html>",
        escape(&run.config)
    );
    html
}

fn tile(html: &mut String, class: &str, number: &str, label: &str) {
    let _ = write!(
        html,
        "<div class=\"tile {class}\"><b>{}</b><span>{}</span></div>",
        escape(number),
        escape(label)
    );
}

fn header(html: &mut String, run: &RunFiles) {
    let Some(summary) = &run.summary else {
        let last = run.metrics.last().map_or(0, StepMetrics::step);
        let _ = write!(
            html,
            "<p class=\"sub\">still running, or interrupted: {last} steps so far</p>"
        );
        return;
    };
    let _ = write!(
        html,
        "<p class=\"sub\">task {} · preset {} · seed {}</p><div class=\"tiles\">",
        escape(&summary.task),
        escape(&summary.preset),
        summary.seed
    );
    let percent = |share: Option<f64>| match share {
        Some(share) => Format::Percent.exact(share),
        None => "–".to_string(),
    };
    let held_out = format!("pass@1 at the end, {} held-out problems", summary.n);
    tile(
        html,
        "",
        &percent(summary.warmup_pass_at_1),
        "pass@1 after warm-up",
    );
    tile(html, "hero", &percent(summary.final_pass_at_1), &held_out);
    tile(html, "", &summary.steps.to_string(), "training steps");
    tile(html, "", &summary.rollouts.to_string(), "rollouts");
    tile(html, "", &duration(summary.seconds), "wall time");
    html.push_str("</div>");
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!(
            "{:.0} min {:02.0} s",
            (s / 60.0).floor(),
            (s % 60.0).floor()
        ),
        s => format!(
            "{:.0} h {:02.0} min",
            (s / 3600.0).floor(),
            (s % 3600.0 / 60.0).floor()
        ),
    }
}

fn charts(html: &mut String, metrics: &[StepMetrics]) {
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
        if !series.is_empty() {
            html.push_str(&chart(title, *format, series).inline(SIZE));
        }
    }
    html.push_str("</div>");

    let names: BTreeSet<&str> = metrics
        .iter()
        .flat_map(StepMetrics::iter)
        .map(|(name, _)| name)
        .filter(|name| !shown.contains(name))
        .collect();
    if names.is_empty() {
        return;
    }
    let _ = write!(
        html,
        "<details><summary>All other metrics ({})</summary><div class=\"charts\">",
        names.len()
    );
    for name in names {
        let series = series(metrics, name, name, 0);
        html.push_str(&chart(name, Format::Number, vec![series]).inline(SIZE));
    }
    html.push_str("</div></details>");
}

fn series(metrics: &[StepMetrics], metric: &str, label: &str, color: usize) -> Series {
    let points = curve(metrics, metric).into_iter();
    Series {
        name: label.to_string(),
        color: Color::nth(color),
        points: points.map(|(step, value)| (step as f64, value)).collect(),
        band: Vec::new(),
    }
}

fn chart(title: &str, format: Format, series: Vec<Series>) -> Chart {
    // Below this an average would hide more than it shows.
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

fn phases(html: &mut String, summary: &Summary) {
    let total: f64 = summary.seconds_by_phase.values().sum();
    if total <= 0.0 {
        return;
    }
    let mut phases: Vec<(&String, &f64)> = summary.seconds_by_phase.iter().collect();
    phases.sort_by(|a, b| b.1.total_cmp(a.1));
    let (mut bar, mut key) = (String::new(), String::new());
    for (i, (name, &seconds)) in phases.into_iter().enumerate() {
        let class = Color::nth(i).class();
        let (name, share) = (escape(name), 100.0 * seconds / total);
        let time = duration(seconds);
        let _ = write!(
            bar,
            "<i class=\"{class}\" style=\"width:{share:.2}%\" title=\"{name} {time}\"></i>"
        );
        let _ = write!(
            key,
            "<span><i class=\"{class}\"></i>{name} {time} ({share:.0}%)</span>"
        );
    }
    let _ = write!(
        html,
        "<h2>Where the time went</h2><div class=\"card\"><div class=\"phases\">{bar}</div>\
         <div class=\"key\">{key}</div></div>"
    );
}

fn sheets(html: &mut String, steps: &[Vec<Transcript>]) {
    let drawn: Vec<&Vec<Transcript>> = steps.iter().filter(|step| !step.is_empty()).collect();
    let Some(last) = drawn.len().checked_sub(1) else {
        return;
    };
    let _ = write!(
        html,
        "<h2>Sampled responses</h2><p class=\"sub\">Each token is coloured by its process reward: \
         <span class=\"ramp\"></span> from negative to positive; full colour is the 95th percentile of \
         its step. ✓ and ✗ are the task's own verdict on each answer, which the reward model never \
         sees. Point at a token for the numbers.</p><div class=\"card\">"
    );
    for (i, step) in drawn.into_iter().enumerate() {
        let full = transcripts::full_color(step);
        let open = if i == last { " open" } else { "" };
        let number = step.first().map_or(0, |transcript| transcript.step);
        let _ = write!(
            html,
            "<details{open}><summary>Step {number}: {} of {} responses, full colour at ±{}</summary>",
            step.len().min(SHEETS),
            step.len(),
            significant(f64::from(full))
        );
        for transcript in step.iter().take(SHEETS) {
            html.push_str(&transcripts::html(transcript, full));
        }
        html.push_str("</details>");
    }
    html.push_str("</div>");
}
