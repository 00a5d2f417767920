//! Sampled responses of a run: some steps on the page, whole responses on pages beside it.

use std::fmt::Write;

use super::scale::significant;
use super::style::{CHART_CSS, PAGE_CSS, escape};
use super::tokens::{self, Cut};
use super::transcripts::Transcript;

/// Steps shown, the first and the last among them.
pub(super) const STEPS: usize = 6;
/// Responses shown of each step.
const SHEETS: usize = 12;
/// Bytes of a step on the page: what is short is shown whole.
const ROOM: usize = 140_000;
/// Bytes of a page beside it.
const PAGE_ROOM: usize = 2_000_000;

/// On the page.
const SHORT: Cut = Cut {
    tokens: 400,
    characters: 1500,
};
/// On a page of its own: nothing that is trained on is longer.
const WHOLE: Cut = Cut {
    tokens: 20_000,
    characters: 200_000,
};

/// The responses of a step, as they lie in `rollouts/`.
pub(super) struct Step {
    pub(super) number: u64,
    pub(super) transcripts: Vec<Transcript>,
}

/// A page beside the report: its name in the folder `report` and its text.
pub(super) struct Beside {
    pub(super) name: String,
    pub(super) html: String,
}

/// Responses that fit into `room`, at least one; how many they are; and whether something of them was left out.
fn fitting(step: &Step, cut: Cut, room: usize) -> (String, usize, bool) {
    let full = tokens::full_color(&step.transcripts);
    let (mut html, mut count, mut cut_any) = (String::new(), 0, false);
    for transcript in step.transcripts.iter().take(SHEETS) {
        let (sheet, was_cut) = tokens::html(transcript, full, cut);
        if count > 0 && html.len() + sheet.len() > room {
            break;
        }
        html.push_str(&sheet);
        count += 1;
        cut_any |= was_cut;
    }
    (html, count, cut_any)
}

fn file(step: u64) -> String {
    format!("step-{step:06}")
}

/// Writes the responses into a page, and returns the pages beside it, for steps whose responses are too long for it.
pub(super) fn sheets(html: &mut String, run: &str, steps: &[Step]) -> Vec<Beside> {
    let mut beside = vec![];
    let shown = || steps.iter().filter(|step| !step.transcripts.is_empty());
    let Some(last) = shown().next_back() else {
        return beside;
    };
    let _ = write!(
        html,
        "<h2>Sampled responses</h2><p class=\"sub\">Each token is coloured by its process reward: \
         <span class=\"ramp\"></span> from negative to positive; full colour is the 95th percentile of \
         its step. ✓ and ✗ are the verifier's own verdicts, which the reward model never sees. Point at a token for its \
         reward, advantage and log-prob.</p><div class=\"card\">"
    );
    for step in shown() {
        let (sheets, count, cut) = fitting(step, SHORT, ROOM);
        let all = step.transcripts.len();
        let open = if step.number == last.number {
            " open"
        } else {
            ""
        };
        let full = tokens::full_color(&step.transcripts);
        let name = file(step.number);
        let _ = write!(
            html,
            "<details{open}><summary>Step {}: {count} of {all} responses, full colour at ±{}</summary>{sheets}\
             <p class=\"meta\">",
            step.number,
            significant(f64::from(full))
        );
        if cut || count < all.min(SHEETS) {
            let (whole, count, _) = fitting(step, WHOLE, PAGE_ROOM);
            let _ = write!(
                html,
                "<a href=\"report/{name}.html\">{count} of them, whole</a> · "
            );
            beside.push(Beside {
                html: page(run, step.number, &whole),
                name: format!("{name}.html"),
            });
        }
        let _ = write!(
            html,
            "<a href=\"rollouts/{name}.jsonl\">all {all} as data</a></p></details>"
        );
    }
    html.push_str("</div>");
    beside
}

fn page(run: &str, step: u64, sheets: &str) -> String {
    let title = format!("{}, step {step}", escape(run));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} · PRIME</title><style>{CHART_CSS}{PAGE_CSS}{}</style></head><body><main>\
         <h1>{title}</h1><p class=\"sub\"><a href=\"../report.html\">back to the run</a></p>\
         <div class=\"card\">{sheets}</div></main></body></html>\n",
        tokens::shades_css()
    )
}
