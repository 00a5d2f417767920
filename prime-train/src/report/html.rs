//! The page of one run: numbers, curves, time, coloured responses, configuration.

use std::fmt::Write;

use super::RunFiles;
use super::charts::charts;
use super::scale::{Format, whole};
use super::sheets::{Beside, sheets};
use super::style::{CHART_CSS, Color, PAGE_CSS, escape};
use super::tokens::shades_css;
use super::watch::watch;
use crate::summary::Summary;

/// Seconds after which the page of a run that goes on is loaded again.
const REFRESH: u32 = 20;
/// Characters of the configuration that are shown.
const CONFIG: usize = 100_000;

/// The page, and the pages that lie beside it in the folder `report`.
pub(super) fn page(run: &RunFiles) -> (String, Vec<Beside>) {
    let title = escape(&run.name);
    let refresh = match run.summary {
        Some(_) => String::new(),
        None => format!("<meta http-equiv=\"refresh\" content=\"{REFRESH}\">"),
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">{refresh}\
         <title>{title} · PRIME</title><style>{CHART_CSS}{PAGE_CSS}{}</style></head><body><main>\
         <h1>{title}</h1>",
        shades_css()
    );
    header(&mut html, run);
    watch(&mut html, &run.metrics);
    charts(&mut html, &run.metrics);
    if let Some(summary) = &run.summary {
        phases(&mut html, summary);
    }
    let beside = sheets(&mut html, &run.name, &run.steps);
    let (config, more) = match run.config.char_indices().nth(CONFIG) {
        Some((end, _)) => (&run.config[..end], "\n…"),
        None => (run.config.as_str(), ""),
    };
    let _ = writeln!(
        html,
        "<h2>Configuration</h2><div class=\"card\"><details><summary>config.toml</summary>\
         <pre>{}{more}</pre></details></div></main></body></html>",
        escape(config)
    );
    (html, beside)
}

fn tile(html: &mut String, class: &str, number: &str, label: &str) {
    let _ = write!(
        html,
        "<div class=\"tile {class}\"><b>{}</b><span>{}</span></div>",
        escape(number),
        escape(label)
    );
}

fn percent(share: Option<f64>) -> String {
    match share {
        Some(share) => Format::Percent.exact(share),
        None => "–".to_string(),
    }
}

fn header(html: &mut String, run: &RunFiles) {
    let Some(summary) = &run.summary else {
        return going(html, run);
    };
    let _ = write!(
        html,
        "<p class=\"sub\">task {} · preset {} · seed {}</p><div class=\"tiles\">",
        escape(&summary.task),
        escape(&summary.preset),
        summary.seed
    );
    let held_out = format!("pass@1 at the end, {} held-out problems", summary.n);
    let start = format!("pass@1 {}", summary.start());
    tile(html, "", &percent(summary.warmup_pass_at_1), &start);
    tile(html, "hero", &percent(summary.final_pass_at_1), &held_out);
    tile(html, "", &summary.steps.to_string(), "training steps");
    tile(html, "", &summary.rollouts.to_string(), "rollouts");
    tile(html, "", &duration(summary.seconds), "wall time");
    html.push_str("</div>");
}

/// The head of a run without a summary: how far it is, and the latest numbers.
fn going(html: &mut String, run: &RunFiles) {
    let last = run.metrics.last_step();
    let total = toml::from_str::<toml::Table>(&run.config).ok();
    let total = total
        .as_ref()
        .and_then(|config| config.get("rl")?.get("steps")?.as_integer());
    let of = total.map_or(String::new(), |total| format!(" of {total}"));
    let _ = write!(
        html,
        "<p class=\"sub\">still running, or interrupted: {last} steps so far{of}; this page loads itself again every \
         {REFRESH} s</p><div class=\"tiles\">"
    );
    for (class, name, label, format) in [
        ("hero", "eval/pass@1", "held-out pass@1", Format::Percent),
        ("", "acc", "accuracy of rollouts", Format::Percent),
        (
            "",
            "response_length/mean",
            "tokens a response",
            Format::Number,
        ),
        ("", "actor/entropy", "entropy", Format::Number),
        ("", "timing_s/step", "seconds a step", Format::Number),
    ] {
        if let Some(&(step, value)) = run.metrics.of(name).last() {
            let label = format!("{label}, step {}", whole(step as f64));
            tile(html, class, &format.exact(value), &label);
        }
    }
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
