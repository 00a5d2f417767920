//! Where values lie on the paper, and the axes beside them.

use std::fmt::Write;

use super::scale::{Axis, Format, whole};
use super::style::escape;

/// The plot area and its two axes.
pub(super) struct Plot {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// Width of a digit at the size ticks have.
const DIGIT: f64 = 6.6;
const Y_TICKS: usize = 5;

/// Room that the labels of an axis need to the left of the plot.
pub(super) fn left_margin(y: Axis, format: Format) -> f64 {
    let labels = y.labels(format, Y_TICKS);
    let longest = labels.ticks.iter().map(|(_, text)| text.chars().count());
    22.0 + DIGIT * longest.max().unwrap_or(0) as f64
}

impl Plot {
    pub(super) fn px(&self, x: f64) -> f64 {
        self.left + self.x.at(x) * (self.right - self.left)
    }

    pub(super) fn py(&self, y: f64) -> f64 {
        self.bottom - self.y.at(y) * (self.bottom - self.top)
    }

    pub(super) fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for (i, &(x, y)) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{:.1} {:.1}", self.px(x), self.py(y));
        }
        path
    }

    pub(super) fn band(&self, band: &[(f64, f64, f64)]) -> String {
        let upper = band.iter().map(|&(x, _, high)| (x, high));
        let lower = band.iter().rev().map(|&(x, low, _)| (x, low));
        let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
        self.path(&outline) + "Z"
    }

    /// Lines and labels of both axes; x counts in whole numbers.
    pub(super) fn axes(&self, svg: &mut String, format: Format, x_label: &str) {
        let (left, right, bottom) = (self.left, self.right, self.bottom);
        let labels = self.y.labels(format, Y_TICKS);
        for (y, text) in &labels.ticks {
            let at = self.py(*y);
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 8.0,
                at + 4.0
            );
        }
        if let Some(unit) = labels.unit {
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{unit}</text>",
                left + 4.0,
                self.top + 10.0
            );
        }
        // Labels of long numbers stand farther apart.
        let wanted = ((right - left) / 58.0).clamp(2.0, 7.0) as usize;
        for x in self.x.whole_ticks(wanted) {
            let at = self.px(x);
            let _ = write!(
                svg,
                "<line class=\"axis\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{bottom:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"tick\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 4.0,
                bottom + 17.0,
                whole(x)
            );
        }
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{left:.1}\" x2=\"{right:.1}\" y1=\"{bottom:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            (left + right) / 2.0,
            bottom + 34.0,
            escape(x_label)
        );
    }
}
