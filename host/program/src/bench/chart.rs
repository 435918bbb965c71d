//! Plots as SVG, readable on light and on dark ground: no background, middle tones, text in grey.

use std::fmt::Write as _;

/// A plot with logarithmic values.
pub(crate) struct Chart {
    /// The name of its file, without the ending.
    pub(crate) name: String,
    title: String,
    /// What the values are.
    unit: &'static str,
    content: Content,
}

/// What is drawn.
enum Content {
    /// One bar each.
    Bars(Vec<Bar>),
    /// Lines over a logarithmic axis, and what that axis is.
    Lines(&'static str, Vec<Line>),
}

/// A bar.
pub(crate) struct Bar {
    /// What it stands for.
    pub(crate) name: String,
    /// How long it is.
    pub(crate) value: f64,
}

/// A line.
pub(crate) struct Line {
    /// What it stands for.
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Width of a plot.
const WIDTH: f64 = 760.0;
/// Height of a bar with the gap below it.
const BAR: f64 = 30.0;
/// Left edge of what is drawn to scale: names of bars stand beside it.
const LEFT: f64 = 250.0;
/// Left edge of lines: only numbers stand beside it.
const LINES_LEFT: f64 = 70.0;
/// Right margin.
const RIGHT: f64 = 90.0;
/// Height of the head.
const HEAD: f64 = 56.0;
/// Height of the space of lines.
const HEIGHT: f64 = 320.0;
/// Grey that is readable on white and on black.
const INK: &str = "#7d8590";
/// Colours of lines, told apart by people who see fewer colours, too (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

impl Chart {
    /// A plot of bars.
    pub(crate) fn bars(name: String, title: String, unit: &'static str, bars: Vec<Bar>) -> Self {
        Self { name, title, unit, content: Content::Bars(bars) }
    }

    /// A plot of lines.
    pub(crate) fn lines(name: String, title: String, unit: &'static str, over: &'static str, lines: Vec<Line>) -> Self {
        Self { name, title, unit, content: Content::Lines(over, lines) }
    }

    /// The plot as an SVG document.
    pub(crate) fn svg(&self) -> String {
        let (height, body) = match &self.content {
            Content::Bars(bars) => self.draw_bars(bars),
            Content::Lines(over, lines) => self.draw_lines(over, lines),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"{INK}\">\n\
             <title>{title}</title>\n\
             <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"600\">{title}</text>\n\
             <text x=\"16\" y=\"43\" font-size=\"12\">{unit}</text>\n{body}</svg>\n",
            title = escaped(&self.title),
            unit = self.unit,
        )
    }

    /// The height and what is in it.
    fn draw_bars(&self, bars: &[Bar]) -> (f64, String) {
        let height = HEAD + BAR * bars.len() as f64 + 28.0;
        let scale = Scale::new(bars.iter().map(|bar| bar.value), LEFT, WIDTH - RIGHT);
        let mut body = String::new();
        for (value, label) in scale.ticks() {
            let x = scale.at(value);
            let bottom = height - 26.0;
            body += &rule(x, HEAD - 4.0, x, bottom);
            body += &text(x, bottom + 16.0, "middle", &label);
        }
        let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        for (at, bar) in bars.iter().enumerate() {
            let y = HEAD + BAR * at as f64;
            let end = scale.at(bar.value).max(LEFT + 2.0);
            let colour = if bar.name.starts_with("component") { COLOURS[1] } else { COLOURS[0] };
            body += &text(LEFT - 10.0, y + 15.0, "end", &bar.name);
            // Writing to a string cannot fail.
            let _ = writeln!(
                body,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"20\" rx=\"2\" fill=\"{colour}\"/>",
                end - LEFT
            );
            let factor = longest / bar.value;
            let note = if factor > 1.05 { format!("{} (1/{factor:.0})", short(bar.value)) } else { short(bar.value) };
            body += &text(end + 6.0, y + 15.0, "start", &note);
        }
        (height, body)
    }

    /// The height and what is in it.
    fn draw_lines(&self, over: &str, lines: &[Line]) -> (f64, String) {
        let points = || lines.iter().flat_map(|line| &line.points);
        let bottom = HEAD + HEIGHT;
        let height = bottom + 48.0;
        let right = WIDTH - 200.0;
        let across = Scale::new(points().map(|point| point.0), LINES_LEFT, right);
        let up = Scale::new(points().map(|point| point.1), bottom, HEAD);
        let mut body = String::new();
        for (value, label) in up.ticks() {
            let y = up.at(value);
            body += &rule(LINES_LEFT, y, right, y);
            body += &text(LINES_LEFT - 8.0, y + 4.0, "end", &label);
        }
        for (value, label) in across.ticks() {
            body += &text(across.at(value), bottom + 18.0, "middle", &label);
        }
        body += &text(f64::midpoint(LINES_LEFT, right), bottom + 38.0, "middle", over);
        let mut labels: Vec<(f64, usize)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let colour = COLOURS[at % COLOURS.len()];
            let dashes = if at >= COLOURS.len() { " stroke-dasharray=\"6 4\"" } else { "" };
            let path: Vec<String> =
                line.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", across.at(x), up.at(y))).collect();
            let _ = writeln!(
                body,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>",
                path.join(" ")
            );
            for &(x, y) in &line.points {
                let _ = writeln!(
                    body,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                    across.at(x),
                    up.at(y)
                );
            }
            labels.extend(line.points.last().map(|&(_, y)| (up.at(y), at)));
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::MIN;
        for (y, at) in labels {
            // Labels that would cover each other move down.
            let y = y.max(free);
            free = y + 16.0;
            let _ = writeln!(
                body,
                "<text x=\"{}\" y=\"{:.1}\" fill=\"{}\">{}</text>",
                right + 10.0,
                y + 4.0,
                COLOURS[at % COLOURS.len()],
                escaped(&lines[at].name)
            );
        }
        (height, body)
    }
}

/// A logarithmic axis.
struct Scale {
    /// The lower end, a power of ten.
    low: f64,
    /// The upper end, a power of ten.
    high: f64,
    /// Where the lower end is.
    from: f64,
    /// Where the upper end is.
    to: f64,
}

impl Scale {
    /// An axis that has room for these values.
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values
            .filter(|value| *value > 0.0)
            .fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)));
        let low = if low == f64::MAX { 0.0 } else { low.log10().floor() };
        let high = high.log10().ceil().max(low + 1.0);
        Self { low, high, from, to }
    }

    /// Where a value is.
    fn at(&self, value: f64) -> f64 {
        let part = (value.max(f64::MIN_POSITIVE).log10().max(self.low) - self.low) / (self.high - self.low);
        self.from + part * (self.to - self.from)
    }

    /// The powers of ten, and how they are written.
    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        (self.low as i32..=self.high as i32).map(|power| (10_f64.powi(power), short(10_f64.powi(power))))
    }
}

/// A number with few digits.
fn short(value: f64) -> String {
    match value {
        value if value >= 10.0 => super::report::grouped(value),
        value if value >= 1.0 => format!("{}", (value * 10.0).round() / 10.0),
        value => format!("{}", (value * 1000.0).round() / 1000.0),
    }
}

/// A faint line.
fn rule(x1: f64, y1: f64, x2: f64, y2: f64) -> String {
    format!(
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{INK}\" stroke-opacity=\"0.3\"/>\n"
    )
}

/// A text.
fn text(x: f64, y: f64, anchor: &str, content: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(content))
}

/// A text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_stays_inside() {
        let bars = [("loop & more", 1580.0), ("component", 9.0)];
        let bars = bars.map(|(name, value)| Bar { name: name.to_owned(), value });
        let svg = Chart::bars("a".into(), "a title".into(), "ms", bars.into()).svg();
        assert!(svg.contains("loop &amp; more") && svg.contains("1,580") && svg.contains("(1/176)"), "{svg}");
        let scale = Scale::new([9.0, 1580.0].into_iter(), LEFT, WIDTH - RIGHT);
        assert_eq!((scale.at(1.0), scale.at(10_000.0)), (LEFT, WIDTH - RIGHT));
        let points = vec![(1000.0, 0.5), (2000.0, 1.0), (4000.0, 2.2)];
        let svg = Chart::lines("b".into(), "b".into(), "ms", "tasks", vec![Line { name: "x".into(), points }]).svg();
        assert_eq!(svg.matches("<circle").count(), 3);
    }

    #[test]
    fn nothing_to_draw_is_no_trouble() {
        assert!(Chart::bars("a".into(), "a".into(), "ms", Vec::new()).svg().ends_with("</svg>\n"));
    }
}
