//! Comparing arms: one chart with a band over seeds, and tables for people and for pages.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::scale::Format;
use super::style::{CHART_CSS, Color, PAGE_CSS, escape};
use super::svg::{Chart, Series, Size};

/// One arm of a comparison.
#[derive(Debug, Clone)]
pub struct Arm {
    /// What the arm is called.
    pub name: String,
    /// Its colour.
    pub color: Color,
    /// For each seed, (step, pass@1) in order of steps.
    pub seeds: Vec<Vec<(u64, f64)>>,
}

/// A chart of several arms as an SVG file: the mean over seeds as a line, least to greatest as a
/// band. Only steps that every seed of the arm has measured are drawn, so that the mean is always
/// over the same seeds.
pub fn compare_chart(title: &str, arms: &[Arm]) -> String {
    chart(title, arms).standalone(WIDE)
}

const WIDE: Size = Size {
    width: 820.0,
    height: 440.0,
};
/// For narrow windows: its letters are as large as the text around it there.
const NARROW: Size = Size {
    width: 420.0,
    height: 380.0,
};

fn chart(title: &str, arms: &[Arm]) -> Chart {
    Chart {
        title: title.to_string(),
        x_label: "training step".to_string(),
        format: Format::Percent,
        series: arms.iter().map(series).collect(),
        smooth: false,
    }
}

/// A run of an arm: what the link to it says, and where its folder lies as seen from the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLink {
    /// E.g. `seed 1`.
    pub text: String,
    /// A path with `/` between its parts.
    pub folder: String,
}

/// The page of a comparison: the chart, the table, and links to the reports of each arm's runs, in the order of `arms`.
pub fn compare_page(
    title: &str,
    arms: &[Arm],
    table: &ResultTable,
    runs: &[Vec<RunLink>],
) -> String {
    let chart = chart(title, arms);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Comparison · PRIME</title><style>{CHART_CSS}{PAGE_CSS}</style></head><body><main>\
         <h1>Comparison</h1><div class=\"charts one\"><div class=\"wide\">{}</div><div class=\"narrow\">{}</div></div>\
         <h2>Results</h2><div class=\"card scroll\">{}</div><h2>Runs</h2><div class=\"card\"><ul>",
        chart.inline(WIDE),
        chart.inline(NARROW),
        table.to_html()
    );
    for (arm, runs) in arms.iter().zip(runs) {
        let links: Vec<String> = runs
            .iter()
            .map(|run| {
                let (at, text) = (href(&run.folder), escape(&run.text));
                format!("<a href=\"{at}/report.html\">{text}</a>")
            })
            .collect();
        let _ = write!(
            html,
            "<li><span class=\"swatch {}\"></span>{}: {}</li>",
            arm.color.class(),
            escape(&arm.name),
            links.join(", ")
        );
    }
    html.push_str("</ul></div></main></body></html>\n");
    html
}

/// A path as part of an address.
fn href(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

fn series(arm: &Arm) -> Series {
    let mut by_step: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for curve in &arm.seeds {
        for &(step, value) in curve.iter().filter(|point| point.1.is_finite()) {
            by_step.entry(step).or_default().push(value);
        }
    }
    by_step.retain(|_, values| values.len() == arm.seeds.len());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let band = by_step
        .iter()
        .filter(|_| arm.seeds.len() > 1)
        .map(|(&step, values)| (step as f64, least(values), greatest(values)));
    Series {
        name: arm.name.clone(),
        color: arm.color,
        points: by_step
            .iter()
            .map(|(&step, values)| (step as f64, mean(values)))
            .collect(),
        band: band.collect(),
    }
}

/// A table of text, written as Markdown or HTML. The first column is left-aligned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultTable {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl ResultTable {
    /// An empty table with these column heads.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        ResultTable {
            columns: columns.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: missing cells stay empty, cells beyond the columns are left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// The table in Markdown.
    pub fn to_markdown(&self) -> String {
        let cell = |text: &String| text.replace('|', "\\|").replace(['\n', '\r'], " ");
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(cell).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rules = (0..self.columns.len()).map(|i| if i == 0 { "---" } else { "---:" });
        let rule = format!("| {} |\n", rules.collect::<Vec<_>>().join(" | "));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.columns) + &rule + &rows
    }

    /// The table as an HTML element.
    pub fn to_html(&self) -> String {
        let mut html = String::from("<table><thead><tr>");
        for column in &self.columns {
            let _ = write!(html, "<th>{}</th>", escape(column));
        }
        html.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            html.push_str("<tr>");
            for cell in row {
                let _ = write!(html, "<td>{}</td>", escape(cell));
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table>");
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_narrow_and_wide_light_and_dark_and_leads_to_its_runs() {
        let arm = |name: &str, color| Arm {
            name: name.into(),
            color: Color::nth(color),
            seeds: vec![vec![(0, 0.1), (2, 0.4)]],
        };
        let mut table = ResultTable::new(["arm", "final"]);
        table.row(["PRIME", "0.4"]);
        let run = |folder: &str| RunLink {
            text: "seed 1".into(),
            folder: folder.into(),
        };
        let html = compare_page(
            "held-out",
            &[arm("PRIME <1>", 0), arm("RLOO", 1)],
            &table,
            &[vec![run("prime-1")], vec![run("../a b#\"x\"")]],
        );
        assert!(html.contains("name=\"viewport\"") && html.contains("prefers-color-scheme:dark"));
        assert!(html.contains("href=\"prime-1/report.html\">seed 1</a>"));
        assert!(html.contains("href=\"../a%20b%23%22x%22/report.html\""));
        assert!(html.contains("PRIME &lt;1&gt;") && !html.contains("<1>"));
        assert_eq!(html.matches("<svg").count(), 2);
        assert!(html.contains("viewBox=\"0 0 420 ") && html.contains("viewBox=\"0 0 820 "));
    }

    #[test]
    fn lines_are_means_and_bands_are_extremes() {
        let arm = Arm {
            name: "PRIME".into(),
            color: Color::nth(0),
            seeds: vec![
                vec![(0, 0.1), (10, 0.5), (20, 0.9)],
                vec![(0, 0.3), (10, 0.7)],
            ],
        };
        let series = series(&arm);
        let rounded: Vec<(f64, f64)> = series
            .points
            .iter()
            .map(|&(x, y)| (x, (y * 1e9).round() / 1e9))
            .collect();
        assert_eq!(
            rounded,
            [(0.0, 0.2), (10.0, 0.6)],
            "step 20 has one seed only"
        );
        assert_eq!(series.band, [(0.0, 0.1, 0.3), (10.0, 0.5, 0.7)]);
        let svg = compare_chart("a <title>", &[arm]);
        assert!(svg.starts_with("<svg") && svg.contains("a &lt;title&gt;"));
        assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("class=\"band c0\""));
    }

    #[test]
    fn tables_keep_their_shape() {
        let mut table = ResultTable::new(["arm", "final"]);
        table.row(["a|b", "0.9"]);
        table.row(["<c>"]);
        table.row(["d", "1", "too many"]);
        assert_eq!(
            table.to_markdown(),
            "| arm | final |\n| --- | ---: |\n| a\\|b | 0.9 |\n| <c> |  |\n| d | 1 |\n"
        );
        let html = table.to_html();
        assert!(html.contains("<td>&lt;c&gt;</td><td></td>") && !html.contains("too many"));
    }
}
