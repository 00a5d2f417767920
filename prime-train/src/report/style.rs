//! Colours and styles, light and dark, and escaping.

/// A line colour, in a light and a dark shade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(usize);

const COLORS: usize = 8;

impl Color {
    /// The grey of baselines.
    pub const GREY: Color = Color(COLORS - 1);

    /// The n-th colour; there are eight, then they come again.
    pub fn nth(n: usize) -> Self {
        Color(n % COLORS)
    }

    pub(super) fn class(self) -> &'static str {
        const CLASSES: [&str; COLORS] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
        CLASSES[self.0]
    }
}

/// Everything a chart needs; in an SVG file by itself, in a page once for all charts.
pub(super) const CHART_CSS: &str = "\
:root{--card:#fff;--ink:#1c2128;--muted:#68717d;--grid:#e8eaed;--axis:#b6bcc4;\
--c0:#2563eb;--c1:#d9650b;--c2:#15803d;--c3:#7c3aed;--c4:#0e7490;--c5:#be185d;--c6:#a16207;--c7:#7b8490}\
@media(prefers-color-scheme:dark){:root{--card:#161b22;--ink:#e6edf3;--muted:#98a2af;--grid:#272d36;--axis:#4a5361;\
--c0:#6ea8fe;--c1:#ffa657;--c2:#56d364;--c3:#c297ff;--c4:#39c5cf;--c5:#f778ba;--c6:#e3b341;--c7:#8b949e}}\
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}\
.c4{--c:var(--c4)}.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}\
.chart{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
.chart .paper{fill:var(--card)}\
.chart text{fill:var(--muted);font-size:11.5px}\
.chart .title{fill:var(--ink);font-size:14px;font-weight:600}\
.chart .label{fill:var(--c);font-size:12px;font-weight:600}\
.chart .grid{stroke:var(--grid);stroke-width:1}\
.chart .axis{stroke:var(--axis);stroke-width:1}\
.chart .line{fill:none;stroke:var(--c);stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}\
.chart .raw{fill:none;stroke:var(--c);stroke-width:1;opacity:.3}\
.chart .band{fill:var(--c);opacity:.15}\
.chart .dot{fill:var(--c)}\
.chart .hit{fill:transparent}.chart .hit:hover{fill:var(--muted);fill-opacity:.35}";

/// The page around the charts.
pub(super) const PAGE_CSS: &str = "\
:root{color-scheme:light dark;--page:#f5f6f7;--good:#15803d;--bad:#c62828}\
@media(prefers-color-scheme:dark){:root{--page:#0d1117;--good:#56d364;--bad:#ff7b72}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{max-width:1120px;margin:0 auto;padding:32px 20px 64px}\
h1{font-size:26px;margin:0}h2{font-size:18px;margin:36px 0 12px}\
.sub{color:var(--muted);margin:4px 0 24px}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}\
.card,.tile{background:var(--card);border:1px solid var(--grid);border-radius:10px}\
.tile{padding:14px 16px}.tile b{display:block;font-size:26px;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums}\
.tile span{color:var(--muted);font-size:13px}.tile.hero b{color:var(--c0)}\
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:14px}\
.charts svg{width:100%;height:auto;display:block;background:var(--card);border:1px solid var(--grid);border-radius:10px}\
.phases{display:flex;height:22px;border-radius:6px;overflow:hidden;margin:4px 0 10px}\
.phases i{background:var(--c);display:block}\
.key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--muted)}\
.key i{display:inline-block;width:10px;height:10px;border-radius:3px;background:var(--c);margin-right:6px}\
.card{padding:16px}details>summary{cursor:pointer;font-weight:600;padding:6px 0}\
.sheet{border-top:1px solid var(--grid);padding:12px 0 10px}\
.prompt,.response{font:14px/2 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere;white-space:pre-wrap}\
.prompt{color:var(--muted);line-height:1.5}\
.response i{border-radius:3px;padding:2px 1px;font-style:normal}\
a{color:var(--c0)}.scroll{overflow-x:auto}.scroll td,.scroll th{white-space:nowrap}\
.charts.one{grid-template-columns:1fr;margin-top:18px}.narrow{display:none}\
@media(max-width:640px){.narrow{display:block}.wide{display:none}main{padding:20px 12px 40px}.tile b{font-size:21px}.card{padding:12px}}\
ul{margin:0;padding-left:4px;list-style:none}.swatch{display:inline-block;width:10px;height:10px;border-radius:3px;background:var(--c);margin-right:8px}\
p.meta{margin:8px 0}\
.response sup{font:700 11px/0 system-ui,sans-serif;margin-left:1px}\
.ok{color:var(--good)}.no{color:var(--bad)}\
.badge{font-size:12px;font-weight:600;margin-right:10px}.meta{font-size:12px;color:var(--muted)}\
.ramp{display:inline-block;width:150px;height:12px;border-radius:3px;vertical-align:-1px;\
background:linear-gradient(90deg,rgba(220,38,38,.85),rgba(220,38,38,0) 50%,rgba(22,163,74,0) 50%,rgba(22,163,74,.85))}\
pre{overflow:auto;font-size:13px;line-height:1.45;margin:6px 0}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{padding:6px 14px 6px 0;text-align:right;border-bottom:1px solid var(--grid)}\
th:first-child,td:first-child{text-align:left}th{color:var(--muted);font-weight:600;font-size:13px}";

/// Text as HTML or XML: none of its characters is markup.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // XML has no place for other control characters, escaped or not.
            c if c.is_control() && !matches!(c, '\n' | '\r' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_apart() {
        assert_eq!(
            escape("<a href=\"x\">'&'</a>\u{0}"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;\u{fffd}"
        );
    }

    #[test]
    fn every_color_has_a_class_and_shades() {
        for n in 0..COLORS {
            let class = Color::nth(n).class();
            assert!(CHART_CSS.contains(&format!(".{class}{{")));
            assert_eq!(CHART_CSS.matches(&format!("--{class}:#")).count(), 2);
        }
        assert_eq!(Color::nth(COLORS), Color::nth(0));
    }
}
