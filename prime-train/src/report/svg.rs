//! Line charts as SVG text: axes, ticks, bands, and each line labelled where it ends.

use std::fmt::Write;

use super::scale::{Axis, Format};
use super::style::{CHART_CSS, Color, escape};

/// One line of a chart.
#[derive(Debug, Clone)]
pub struct Series {
    /// What the line is called at its end.
    pub name: String,
    /// Its colour.
    pub color: Color,
    /// (x, y) in order of x; all finite.
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
    /// Draw the points faintly and a moving average over them.
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
const LEFT: f64 = 50.0;
const LABEL_HEIGHT: f64 = 15.0;
/// An average width of a character at the size labels have.
const CHARACTER: f64 = 7.6;

/// The plot area and its two axes.
struct Plot {
    x: Axis,
    y: Axis,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Plot {
    fn px(&self, x: f64) -> f64 {
        self.left + self.x.at(x) * (self.right - self.left)
    }

    fn py(&self, y: f64) -> f64 {
        self.bottom - self.y.at(y) * (self.bottom - self.top)
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", self.px(x), self.py(y));
        }
        path
    }

    fn band(&self, band: &[(f64, f64, f64)]) -> String {
        let upper = band.iter().map(|&(x, _, high)| (x, high));
        let lower = band.iter().rev().map(|&(x, low, _)| (x, low));
        let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
        self.path(&outline) + "Z"
    }
}

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
             class=\"chart\" role=\"img\" aria-label=\"{title}\">{preamble}\
             <text class=\"title\" x=\"14\" y=\"24\">{title}</text>"
        );
        match self.plot(size) {
            Some(plot) => {
                self.axes(&mut svg, &plot);
                for series in &self.series {
                    self.line(&mut svg, &plot, series);
                }
                self.labels(&mut svg, &plot);
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
    fn plot(&self, size: Size) -> Option<Plot> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let bands = || self.series.iter().flat_map(|series| &series.band);
        let xs = points().map(|p| p.0);
        let ys = points()
            .map(|p| p.1)
            .chain(bands().flat_map(|&(_, low, high)| [low, high]));
        let longest = self.series.iter().map(|s| s.name.chars().count()).max();
        let label_width = match longest {
            Some(characters) if self.series.len() > 1 => 16.0 + characters as f64 * CHARACTER,
            _ => 16.0,
        };
        Some(Plot {
            x: Axis::tight(xs)?,
            y: Axis::nice(ys, self.format)?,
            left: LEFT,
            right: (size.width - label_width).max(size.width / 2.0),
            top: TOP,
            bottom: size.height - BOTTOM,
        })
    }

    fn axes(&self, svg: &mut String, plot: &Plot) {
        let Plot {
            left,
            right,
            bottom,
            ..
        } = *plot;
        for y in plot.y.ticks(5) {
            let at = plot.py(y);
            let text = self.format.write(y, plot.y.step(5));
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 8.0,
                at + 4.0
            );
        }
        for x in plot.x.ticks(6) {
            let at = plot.px(x);
            let text = Format::Number.write(x, plot.x.step(6));
            let _ = write!(
                svg,
                "<line class=\"axis\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{bottom:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                bottom + 4.0,
                bottom + 17.0
            );
        }
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{bottom:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            (left + right) / 2.0,
            bottom + 34.0,
            escape(&self.x_label)
        );
    }

    fn line(&self, svg: &mut String, plot: &Plot, series: &Series) {
        let class = series.color.class();
        if series.band.len() > 1 {
            let band = plot.band(&series.band);
            let _ = write!(svg, "<path class=\"band {class}\" d=\"{band}\"/>");
        }
        if self.smooth {
            let raw = plot.path(&series.points);
            let _ = write!(svg, "<path class=\"raw {class}\" d=\"{raw}\"/>");
        }
        let smoothed = self.drawn(series);
        let _ = write!(
            svg,
            "<path class=\"line {class}\" d=\"{}\"/>",
            plot.path(&smoothed)
        );
        if let Some(&(x, y)) = smoothed.last() {
            let _ = write!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                plot.px(x),
                plot.py(y)
            );
        }
        for &(x, y) in &series.points {
            let _ = write!(
                svg,
                "<circle class=\"hit\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"6\"><title>{} · {} {}: {}</title></circle>",
                plot.px(x),
                plot.py(y),
                escape(&series.name),
                escape(&self.x_label),
                Format::Number.write(x, 1.0),
                self.format.exact(y)
            );
        }
    }

    /// The points that the line goes through.
    fn drawn(&self, series: &Series) -> Vec<(f64, f64)> {
        if self.smooth {
            moving_average(&series.points)
        } else {
            series.points.clone()
        }
    }

    /// The name of each line at its end, moved apart where lines end close together.
    fn labels(&self, svg: &mut String, plot: &Plot) {
        if self.series.len() < 2 {
            return;
        }
        let mut ends: Vec<(f64, &Series)> = self
            .series
            .iter()
            .map(|series| match self.drawn(series).last() {
                Some(&(_, y)) => (plot.py(y), series),
                None => (plot.bottom, series),
            })
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted: Vec<f64> = ends.iter().map(|(y, _)| *y).collect();
        for (y, (_, series)) in spread(&wanted, plot.top, plot.bottom).iter().zip(&ends) {
            let missing = if series.points.is_empty() {
                " (no data)"
            } else {
                ""
            };
            let _ = write!(
                svg,
                "<text class=\"label {}\" x=\"{:.1}\" y=\"{:.1}\">{}{missing}</text>",
                series.color.class(),
                plot.right + 9.0,
                y + 4.0,
                escape(&series.name)
            );
        }
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

/// A centred mean over about a tenth of the points.
fn moving_average(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = points.len() / 20;
    let mean = |i: usize| {
        // The window shrinks evenly towards both ends, so that it stays centred.
        let reach = reach.min(i).min(points.len() - 1 - i);
        let window = &points[i - reach..=i + reach];
        window.iter().map(|p| p.1).sum::<f64>() / window.len() as f64
    };
    let averaged = (0..points.len()).map(|i| (points[i].0, mean(i)));
    averaged.collect()
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
        let plot = chart.plot(SIZE).unwrap();
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
    fn averages_keep_constants_and_straight_lines() {
        let line: Vec<(f64, f64)> = (0..60).map(|i| (i as f64, 2.0 * i as f64)).collect();
        for (a, b) in moving_average(&line).iter().zip(&line) {
            assert!((a.1 - b.1).abs() < 1e-9);
        }
        assert!(moving_average(&[]).is_empty());
    }
}
