//! Runs by arm as a table, a chart and a page.

use std::path::{Path, PathBuf};

use super::measures::{area, crossing, reached, spread};
use crate::error::TrainError;
use crate::files::write_atomically;
use crate::metrics::{StepMetrics, read_metrics};
use crate::report::{Arm, Color, ResultTable, RunLink, compare_chart, compare_page, curve};

/// Pass rates whose first crossing is reported.
const THRESHOLDS: [f64; 2] = [0.5, 0.8];
const PHASES: [&str; 4] = ["rollout", "prm", "policy", "step"];

/// The runs of an arm.
pub(super) struct Measured {
    pub(super) name: String,
    /// Each with the words that lead to it, `seed 101`.
    pub(super) runs: Vec<(String, PathBuf)>,
}

/// Writes `compare.md`, `compare.svg` and `compare.html` into `folder`, and shows the table.
///
/// # Errors
/// A run whose metrics cannot be read; a file that cannot be written.
pub(super) fn write(folder: &Path, measured: &[Measured]) -> Result<(), TrainError> {
    let mut columns = vec![
        "arm".to_owned(),
        "mean pass@1 over the run".to_owned(),
        "final pass@1".to_owned(),
    ];
    for threshold in THRESHOLDS {
        columns.push(format!("steps to {threshold}"));
    }
    columns.push(format!("rollouts to {}", THRESHOLDS[1]));
    for phase in PHASES {
        columns.push(format!("s/step {phase}"));
    }
    let mut table = ResultTable::new(columns);
    let (mut arms, mut links) = (vec![], vec![]);
    for (a, arm) in measured.iter().enumerate() {
        let records = arm
            .runs
            .iter()
            .map(|(_, run)| read_metrics(&run.join("metrics.jsonl")))
            .collect::<Result<Vec<_>, _>>()?;
        let curves: Vec<Vec<(u64, f64)>> =
            records.iter().map(|r| curve(r, "eval/pass@1")).collect();
        table.row(row(&arm.name, &records, &curves));
        arms.push(Arm {
            name: arm.name.clone(),
            color: Color::nth(a),
            seeds: curves,
        });
        let link = |(text, run): &(String, PathBuf)| RunLink {
            text: text.clone(),
            folder: seen_from(folder, run),
        };
        links.push(arm.runs.iter().map(link).collect::<Vec<_>>());
    }
    let seeds = measured.iter().map(|arm| arm.runs.len()).max().unwrap_or(0);
    let title = match seeds {
        1 => "held-out pass@1".to_owned(),
        seeds => format!("held-out pass@1, {seeds} seeds (line: mean, band: range)"),
    };
    let svg = compare_chart(&title, &arms);
    let markdown = table.to_markdown();
    let html = compare_page(&title, &arms, &table, &links);
    write_atomically(&folder.join("compare.svg"), svg.as_bytes())?;
    write_atomically(&folder.join("compare.md"), markdown.as_bytes())?;
    write_atomically(&folder.join("compare.html"), html.as_bytes())?;
    crate::stdout::line(format_args!(
        "\n{markdown}\nchart: {}",
        folder.join("compare.svg").display()
    ))?;
    Ok(())
}

fn row(name: &str, records: &[Vec<StepMetrics>], curves: &[Vec<(u64, f64)>]) -> Vec<String> {
    let mut row = vec![name.to_owned()];
    row.push(spread(curves.iter().filter_map(|c| area(c))));
    row.push(spread(curves.iter().filter_map(|c| c.last().map(|p| p.1))));
    for threshold in THRESHOLDS {
        row.push(reached(curves.iter().map(|c| crossing(c, threshold))));
    }
    let per_step = records
        .first()
        .and_then(|r| r.last())
        .and_then(|r| r.get("rollouts"))
        .unwrap_or(0.0);
    let crossings = curves
        .iter()
        .map(|c| crossing(c, THRESHOLDS[1]).map(|s| s * per_step));
    row.push(reached(crossings));
    for phase in PHASES {
        let name = format!("timing_s/{phase}");
        let times: Vec<f64> = records
            .iter()
            .flatten()
            .filter_map(|r| r.get(&name))
            .collect();
        row.push(format!(
            "{:.3}",
            times.iter().sum::<f64>() / times.len().max(1) as f64
        ));
    }
    row
}

/// Where a run lies as seen from a folder, with `/` between the parts.
fn seen_from(folder: &Path, run: &Path) -> String {
    let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (from, to) = (whole(folder), whole(run));
    let common = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common);
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_the_page_to_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["c/rloo-1", "other/run"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        assert_eq!(seen_from(&at("c"), &at("c/rloo-1")), "rloo-1");
        assert_eq!(seen_from(&at("c"), &at("other/run")), "../other/run");
    }
}
