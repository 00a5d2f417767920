//! Line charts as SVG text: lines, bands, and what each line is called, where it ends or in a legend.
//!
//! What a chart weighs does not grow with its points: lines are drawn through at most some hundred of them, and only some
//! can be pointed at.

use std::fmt::Write;

use super::downsample::{evenly, extremes};
use super::plot::{Plot, left_margin};
use super::scale::{Axis, Format, whole};
use super::smooth::smooth;
use super::style::{CHART_CSS, Color, escape};

/// One line of a chart.
#[derive(Debug, Clone)]
pub struct Series {
    /// What the line is called at its end.
    pub name: String,
    /// Its colour.
    pub color: Color,
    /// (x, y) in order of x, which are whole numbers; all finite.
    pub points: Vec<(f64, f64)>,
    /// (x, low, high) of a band around the line; empty = none.
    pub band: Vec<(f64, f64, f64)>,
}

/// A line chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Above the chart.
    pub title: String,
    /// Under the x axis.
    pub x_label: String,
    /// How y values are written.
    pub format: Format,
    /// The lines; a chart without points says so.
    pub series: Vec<Series>,
    /// Draw the points faintly and their trend over them.
    pub smooth: bool,
}

/// Size of a chart in SVG units; it scales to the width it is given.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

const TOP: f64 = 40.0;
const BOTTOM: f64 = 42.0;
const LABEL_HEIGHT: f64 = 15.0;
/// An average width of a character at the size labels have.
const CHARACTER: f64 = 7.6;
/// The same of titles.
const TITLE_CHARACTER: f64 = 8.4;
/// From this width on lines are named where they end; narrower charts have a legend.
const WIDE: f64 = 700.0;

/// Most points of a raw line.
const RAW: usize = 400;
/// Most points of a trend and of a band.
const TREND: usize = 160;
/// Most points of a line that can be pointed at.
const HITS: usize = 100;

impl Chart {
    /// The chart as an `<svg>` element that takes its colours from the page around it.
    pub fn inline(&self, size: Size) -> String {
        self.render(size, "")
    }

    /// The chart as an SVG file with its own colours, light or dark as the reader prefers.
    pub fn standalone(&self, size: Size) -> String {
        let style = format!(
            "<style>{CHART_CSS}</style><rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"8\"/>"
        );
        self.render(size, &style)
    }

    fn render(&self, size: Size, preamble: &str) -> String {
        let Size { width, height } = size;
        let title = escape(&self.title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             class=\"chart\" role=\"img\" aria-label=\"{title}\">{preamble}"
        );
        let mut head = self.heading(&mut svg, width);
        if self.series.len() > 1 && width < WIDE {
            head += self.legend(&mut svg, width, head);
        }
        match self.plot(size, head) {
            Some(plot) => {
                plot.axes(&mut svg, self.format, &self.x_label);
                let drawn: Vec<Vec<(f64, f64)>> = self
                    .series
                    .iter()
                    .map(|series| self.drawn(series))
                    .collect();
                for (series, drawn) in self.series.iter().zip(&drawn) {
                    self.line(&mut svg, &plot, series, drawn);
                }
                if self.series.len() > 1 && width >= WIDE {
                    self.labels(&mut svg, &plot, &drawn);
                }
            }
            None => {
                let (x, y) = (width / 2.0, height / 2.0);
                let _ = write!(
                    svg,
                    "<text class=\"tick\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">no data</text>"
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }

    /// `None` without any point.
    fn plot(&self, size: Size, head: f64) -> Option<Plot> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let bands = || self.series.iter().flat_map(|series| &series.band);
        let xs = points().map(|p| p.0);
        let ys = points()
            .map(|p| p.1)
            .chain(bands().flat_map(|&(_, low, high)| [low, high]));
        let longest = self.series.iter().map(|s| named(s).chars().count()).max();
        let label_width = match longest {
            Some(characters) if self.series.len() > 1 && size.width >= WIDE => {
                16.0 + characters as f64 * CHARACTER
            }
            _ => 20.0,
        };
        let y = Axis::nice(ys, self.format)?;
        Some(Plot {
            x: Axis::tight(xs)?,
            y,
            left: left_margin(y, self.format),
            right: (size.width - label_width).max(size.width / 2.0),
            top: TOP + head,
            bottom: size.height - BOTTOM,
        })
    }

    fn line(&self, svg: &mut String, plot: &Plot, series: &Series, drawn: &[(f64, f64)]) {
        let class = series.color.class();
        if series.band.len() > 1 {
            let at = evenly(series.band.len(), TREND);
            let band: Vec<(f64, f64, f64)> = at.into_iter().map(|at| series.band[at]).collect();
            let band = plot.band(&band);
            let _ = write!(svg, "<path class=\"band {class}\" d=\"{band}\"/>");
        }
        if self.smooth {
            let raw = plot.path(&extremes(&series.points, RAW));
            let _ = write!(svg, "<path class=\"raw {class}\" d=\"{raw}\"/>");
        }
        let _ = write!(
            svg,
            "<path class=\"line {class}\" d=\"{}\"/>",
            plot.path(drawn)
        );
        if let Some(&(x, y)) = drawn.last() {
            let _ = write!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                plot.px(x),
                plot.py(y)
            );
        }
        for (x, y) in extremes(&series.points, HITS) {
            let _ = write!(
                svg,
                "<circle class=\"hit\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"6\"><title>{} · {} {}: {}</title></circle>",
                plot.px(x),
                plot.py(y),
                escape(&series.name),
                escape(&self.x_label),
                whole(x),
                self.format.exact(y)
            );
        }
    }

    /// The points that the line goes through.
    fn drawn(&self, series: &Series) -> Vec<(f64, f64)> {
        match self.smooth {
            true => smooth(&series.points, TREND),
            false => extremes(&series.points, RAW),
        }
    }

    /// The title, in as many lines as it needs; returns the height of those after the first.
    fn heading(&self, svg: &mut String, width: f64) -> f64 {
        let lines = wrapped(&self.title, ((width - 28.0) / TITLE_CHARACTER) as usize);
        for (at, line) in lines.iter().enumerate() {
            let y = 24.0 + LABEL_HEIGHT * at as f64;
            let line = escape(line);
            let _ = write!(
                svg,
                "<text class=\"title\" x=\"14\" y=\"{y:.0}\">{line}</text>"
            );
        }
        LABEL_HEIGHT * lines.len().saturating_sub(1) as f64
    }

    /// What the lines are called, under the title; returns the height that it takes.
    fn legend(&self, svg: &mut String, width: f64, below: f64) -> f64 {
        let first = 42.0 + below;
        let (mut x, mut y) = (14.0, first);
        for series in &self.series {
            let name = named(series);
            let wide = 16.0 + name.chars().count() as f64 * CHARACTER;
            if x > 14.0 && x + wide > width {
                x = 14.0;
                y += LABEL_HEIGHT;
            }
            let class = series.color.class();
            let _ = write!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>\
                 <text class=\"label {class}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                x + 4.0,
                y - 4.0,
                x + 12.0,
                escape(&name)
            );
            x += wide + 10.0;
        }
        y - first + LABEL_HEIGHT
    }

    /// The name of each line at its end, moved apart where lines end close together.
    fn labels(&self, svg: &mut String, plot: &Plot, drawn: &[Vec<(f64, f64)>]) {
        let mut ends: Vec<(f64, &Series)> = self
            .series
            .iter()
            .zip(drawn)
            .map(|(series, drawn)| match drawn.last() {
                Some(&(_, y)) => (plot.py(y), series),
                None => (plot.bottom, series),
            })
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted: Vec<f64> = ends.iter().map(|(y, _)| *y).collect();
        for (y, (_, series)) in spread(&wanted, plot.top, plot.bottom).iter().zip(&ends) {
            let _ = write!(
                svg,
                "<text class=\"label {}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                series.color.class(),
                plot.right + 9.0,
                y + 4.0,
                escape(&named(series))
            );
        }
    }
}

/// A text in lines of at most `most` characters, broken between words where there are any.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let most = most.max(8);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        let line = lines.last().map_or(0, |line| line.chars().count());
        match line {
            0 => {}
            line if line + 1 + rest.len() <= most => {
                if let Some(line) = lines.last_mut() {
                    line.push(' ');
                }
            }
            _ => lines.push(String::new()),
        }
        while !rest.is_empty() {
            let line = lines.last().map_or(0, |line| line.chars().count());
            if line == most {
                lines.push(String::new());
                continue;
            }
            let piece: String = rest.drain(..rest.len().min(most - line)).collect();
            if let Some(line) = lines.last_mut() {
                line.push_str(&piece);
            }
        }
    }
    lines
}

fn named(series: &Series) -> String {
    match series.points.is_empty() {
        true => format!("{} (no data)", series.name),
        false => series.name.clone(),
    }
}

/// Moves ascending positions apart to a label's height, pushing back up from `bottom`.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut placed: Vec<f64> = Vec::with_capacity(wanted.len());
    for &y in wanted {
        let free = placed.last().map_or(top, |above| above + LABEL_HEIGHT);
        placed.push(y.max(free));
    }
    let mut floor = bottom;
    for y in placed.iter_mut().rev() {
        *y = y.min(floor);
        floor = *y - LABEL_HEIGHT;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 400.0,
        height: 240.0,
    };

    fn chart(series: Vec<Series>) -> Chart {
        Chart {
            title: "a < b & c".into(),
            x_label: "step".into(),
            format: Format::Number,
            series,
            smooth: false,
        }
    }

    fn series(points: &[(f64, f64)]) -> Series {
        Series {
            name: "x<y>".into(),
            color: Color::nth(0),
            points: points.to_vec(),
            band: Vec::new(),
        }
    }

    #[test]
    fn points_land_where_they_belong() {
        let chart = chart(vec![series(&[(0.0, 0.0), (10.0, 1.0)])]);
        let plot = chart.plot(SIZE, 0.0).unwrap();
        assert_eq!((plot.px(0.0), plot.px(10.0)), (plot.left, plot.right));
        assert!(plot.py(1.0) < plot.py(0.0), "up is more");
        assert!(plot.py(1.0) >= plot.top - 1e-9 && plot.py(0.0) <= plot.bottom + 1e-9);
        let svg = chart.inline(SIZE);
        assert!(svg.contains(&format!("M{:.1} {:.1}", plot.px(0.0), plot.py(0.0))));
    }

    #[test]
    fn text_is_escaped() {
        let svg = chart(vec![series(&[(0.0, 1.0)]), series(&[(0.0, 2.0)])]).standalone(SIZE);
        assert!(svg.contains("a &lt; b &amp; c") && svg.contains("x&lt;y&gt;"));
        assert!(!svg.contains("x<y>"));
    }

    #[test]
    fn nothing_to_draw_says_so() {
        assert!(chart(vec![]).inline(SIZE).contains("no data"));
        assert!(chart(vec![series(&[])]).inline(SIZE).contains("no data"));
        let one_empty = chart(vec![series(&[]), series(&[(1.0, 1.0)])]);
        assert!(one_empty.inline(SIZE).contains("(no data)"));
    }

    #[test]
    fn no_coordinate_is_nan() {
        for points in [
            vec![(3.0, 3.0)],
            vec![(0.0, 0.0), (1.0, 0.0)],
            vec![(1.0, 1e-9), (2.0, -1e9)],
        ] {
            let svg = chart(vec![series(&points)]).inline(SIZE);
            assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
        }
    }

    #[test]
    fn labels_do_not_overlap() {
        let placed = spread(&[100.0, 101.0, 102.0, 199.0, 200.0], 40.0, 200.0);
        assert!(
            placed
                .windows(2)
                .all(|w| w[1] - w[0] >= LABEL_HEIGHT - 1e-9),
            "{placed:?}"
        );
        assert_eq!(
            spread(&[40.0, 41.0], 40.0, 200.0),
            [40.0, 55.0],
            "not above the top"
        );
        assert!(
            placed.iter().all(|&y| (40.0..=200.0).contains(&y)),
            "{placed:?}"
        );
    }

    #[test]
    fn a_chart_weighs_the_same_for_any_number_of_points() {
        let of = |n: u32, smooth| {
            let points: Vec<(f64, f64)> = (0..n)
                .map(|i| (f64::from(i), f64::from(i % 13) * 0.1))
                .collect();
            let mut chart = chart(vec![series(&points)]);
            chart.smooth = smooth;
            chart.inline(SIZE).len()
        };
        for smooth in [false, true] {
            assert!(of(20_000, smooth) < 30_000, "{}", of(20_000, smooth));
            assert!(of(20_000, smooth) < of(1000, smooth) * 11 / 10);
        }
    }

    #[test]
    fn long_titles_take_more_lines_and_lose_nothing() {
        assert_eq!(wrapped("a short one", 20), ["a short one"]);
        assert_eq!(
            wrapped("held-out pass@1, 2 seeds", 17),
            ["held-out pass@1,", "2 seeds"]
        );
        assert_eq!(wrapped("abcdefghijkl mn", 8), ["abcdefgh", "ijkl mn"]);
        let mut long = chart(vec![series(&[(0.0, 1.0)])]);
        long.title = "acc/".to_owned() + &"s".repeat(90);
        let svg = long.inline(SIZE);
        assert_eq!(svg.matches("class=\"title\"").count(), 3, "{svg}");
    }

    #[test]
    fn narrow_charts_have_a_legend_above_and_wide_ones_labels_at_the_ends() {
        let two = || chart(vec![series(&[(0.0, 1.0)]), series(&[(0.0, 2.0)])]);
        let wide = Size {
            width: 820.0,
            height: 440.0,
        };
        let (narrow, wide) = (two().inline(SIZE), two().inline(wide));
        assert!(narrow.contains("y=\"42.0\">x&lt;y&gt;"), "{narrow}");
        assert!(!wide.contains("y=\"42.0\">x&lt;y&gt;"), "{wide}");
        assert_eq!(wide.matches("class=\"label").count(), 2);
    }
}
