//! The faults above a plot: a bar for each while it lasted, with its name; none of the names touches another.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use crate::trace::{FaultSpan, Trace};

use super::axis::TimeAxis;
use super::palette;
use super::scene::{Anchor, Scene, TextLook, cut_to, sheer};

/// Height of a row: a name, and its bars below.
const ROW: f64 = 17.0;
/// Rows with names, where each fault has its own, and where those of a kind share one. What has no place in them is drawn without a name, and
/// counted.
const ROWS_MAX: usize = 5;
const ROWS_MAX_GROUPED: usize = 9;
/// Room between neighbours in a row. Generous, because a viewer's own font may be wider than the embedded one.
const GAP: f64 = 14.0;
/// No name is wider.
const NAME_MAX: f64 = 260.0;
/// More faults than this are not looked at one by one for a place of their own.
const SINGLE_MAX: usize = 60;

/// What stands in a row: a name and one or several bars.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    fault: String,
    bars: Vec<(f64, f64)>,
    /// How many faults the bars stand for.
    count: usize,
    text_left: f64,
    text_width: f64,
}

impl Entry {
    fn new(name: &str, fault: &str, bars: Vec<(f64, f64)>, axis: &TimeAxis) -> Self {
        let name = cut_to(name, look(), NAME_MAX.min(axis.right - axis.left));
        let text_width = look().width(&name);
        let begin = bars.iter().map(|bar| bar.0).fold(axis.right, f64::min);
        let text_left = begin.min(axis.right - text_width).max(axis.left);
        Entry { name, fault: fault.to_owned(), bars, count: 1, text_left, text_width }
    }

    /// From where to where it occupies its row.
    fn span(&self) -> (f64, f64) {
        let text = (self.text_left, self.text_left + self.text_width);
        self.bars.iter().fold(text, |(left, right), bar| (left.min(bar.0), right.max(bar.1)))
    }
}

/// When faults of one kind were in force, whichever they were.
#[derive(Clone, Debug)]
struct Shade {
    color: RGBColor,
    bars: Vec<(f64, f64)>,
}

/// The faults of a plot, arranged.
#[derive(Clone, Debug)]
pub(super) struct FaultStrip {
    rows: Vec<Vec<Entry>>,
    nameless: Vec<Entry>,
    shades: Vec<Shade>,
    /// Where the load ends and recovery begins.
    recovery: Option<f64>,
    axis: TimeAxis,
}

fn look() -> TextLook {
    TextLook::new(11.0)
}

impl FaultStrip {
    /// Arrange the faults that are seen in the axis' window.
    pub(super) fn new(trace: &Trace, axis: TimeAxis) -> Self {
        let in_view = |span: &FaultSpan| span.begin_us <= axis.to_us && span.end_us.max(span.begin_us) >= axis.from_us;
        let spans: Vec<FaultSpan> = trace.faults().into_iter().filter(in_view).collect();
        let bar = |span: &FaultSpan| (axis.x(span.begin_us), axis.x(span.end_us.max(span.begin_us)));
        let recovery = (trace.duration_us > axis.from_us && trace.duration_us < axis.to_us).then(|| axis.x(trace.duration_us));
        // It finds its place first, for it is in every plot; and rows are filled from the top.
        let rest = || recovery.map(|x| Entry::new("recovery", "", vec![(x, axis.right)], &axis)).into_iter();
        let singles = spans.iter().take(SINGLE_MAX + 1).map(|span| Entry::new(&title(span), &span.fault, vec![bar(span)], &axis));
        let (mut rows, mut nameless) = arrange(rest().chain(singles), ROWS_MAX);
        if !nameless.is_empty() || spans.len() > SINGLE_MAX {
            // Entries that come again and again share one name.
            (rows, nameless) = arrange(rest().chain(group(&spans, &axis)), ROWS_MAX_GROUPED);
        }
        let mut shades: Vec<Shade> = Vec::new();
        for span in &spans {
            let color = palette::of_fault(&span.fault);
            match shades.iter_mut().find(|shade| shade.color == color) {
                Some(shade) => shade.bars.push(bar(span)),
                None => shades.push(Shade { color, bars: vec![bar(span)] }),
            }
        }
        for shade in &mut shades {
            shade.bars = union(std::mem::take(&mut shade.bars));
        }
        FaultStrip { rows, nameless, shades, recovery, axis }
    }

    /// Height of the strip, 0 without faults.
    pub(super) fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW + if self.nameless.is_empty() { 0.0 } else { 8.0 }
    }

    /// How many faults are drawn without a name.
    pub(super) fn nameless(&self) -> usize {
        self.nameless.iter().map(|entry| entry.count).sum()
    }

    /// Names and bars, from `top` downwards.
    pub(super) fn draw(&self, scene: &mut Scene, top: f64) {
        if self.rows.iter().flatten().any(|entry| !entry.fault.is_empty()) {
            let at = (self.axis.left - 10.0, top + 6.0);
            scene.text(at, "faults", look().color(palette::GREY).anchor(Anchor::End));
        }
        for (i, row) in self.rows.iter().enumerate() {
            let top = top + i as f64 * ROW;
            for entry in row {
                let color = palette::of_fault(&entry.fault);
                let text = if entry.fault.is_empty() { palette::GREY } else { palette::INK };
                scene.text((entry.text_left, top + 6.0), entry.name.clone(), look().color(text));
                draw_bars(scene, entry, top + 12.5, sheer(color, if entry.fault.is_empty() { 0.35 } else { 1.0 }));
            }
        }
        let top = top + self.rows.len() as f64 * ROW + 1.0;
        for entry in &self.nameless {
            draw_bars(scene, entry, top, sheer(palette::of_fault(&entry.fault), 0.8));
        }
    }

    /// The shades behind the data, from `top` to `bottom`.
    pub(super) fn shade(&self, scene: &mut Scene, top: f64, bottom: f64) {
        for shade in &self.shades {
            for (begin, end) in &shade.bars {
                if end - begin < 1.5 {
                    scene.rect((*begin, begin + 1.0), (top, bottom), sheer(shade.color, 0.45));
                } else {
                    scene.rect((*begin, *end), (top, bottom), sheer(shade.color, 0.10));
                }
            }
        }
        if let Some(x) = self.recovery {
            scene.dashes((x, top), (x, bottom), 1.0, sheer(palette::GREY, 0.8));
        }
    }

    /// The boxes of all names, for tests.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<(usize, f64, f64, String)> {
        let boxes = |(row, entries): (usize, &Vec<Entry>)| {
            let of = |entry: &Entry| (row, entry.text_left, entry.text_left + entry.text_width, entry.name.clone());
            entries.iter().map(of).collect::<Vec<_>>()
        };
        self.rows.iter().enumerate().flat_map(boxes).collect()
    }
}

/// The name of a fault without its targets: `partition` for `partition-1`, and for what `random-2` has drawn.
fn kind(span: &FaultSpan) -> String {
    let name = if span.name.is_empty() { &span.fault } else { &span.name };
    // Names that the reader made up from the fault and a number tell less than the fault.
    let made_up = [span.fault.as_str(), "random", "swarm", "swizzle"].into_iter().any(|word| {
        let number = name.strip_prefix(word).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    if made_up { &span.fault } else { name }.replace('_', " ")
}

/// `partition: n1 | n2, n3`, or as much as there is.
fn title(span: &FaultSpan) -> String {
    if span.targets.is_empty() { kind(span) } else { format!("{}: {}", kind(span), span.targets.replace(',', ", ")) }
}

/// One entry for all spans of a kind, in the order of the first.
fn group(spans: &[FaultSpan], axis: &TimeAxis) -> Vec<Entry> {
    let mut groups: BTreeMap<String, Vec<&FaultSpan>> = BTreeMap::new();
    for span in spans {
        groups.entry(kind(span)).or_default().push(span);
    }
    let mut groups: Vec<(String, Vec<&FaultSpan>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, same)| same[0].begin_us);
    let entry = |(kind, same): &(String, Vec<&FaultSpan>)| {
        let bars = same.iter().map(|span| (axis.x(span.begin_us), axis.x(span.end_us.max(span.begin_us)))).collect();
        let text = if same.len() == 1 { title(same[0]) } else { format!("{kind} × {}", same.len()) };
        Entry { count: same.len(), ..Entry::new(&text, &same[0].fault, union(bars), axis) }
    };
    groups.iter().map(entry).collect()
}

/// Each entry into the first row in which it touches nobody; those that find none are returned apart.
fn arrange(entries: impl Iterator<Item = Entry>, rows_max: usize) -> (Vec<Vec<Entry>>, Vec<Entry>) {
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut nameless = Vec::new();
    for entry in entries {
        let (left, right) = entry.span();
        let free = |row: &Vec<Entry>| row.iter().all(|other| right + GAP <= other.span().0 || left >= other.span().1 + GAP);
        match rows.iter().position(free) {
            Some(row) => rows[row].push(entry),
            None if rows.len() < rows_max => rows.push(vec![entry]),
            None => nameless.push(entry),
        }
    }
    (rows, nameless)
}

/// Bars that touch or nearly do, as one: a fault that comes a thousand times does not make the page dark, nor the file large.
fn union(mut bars: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    bars.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for bar in bars {
        match joined.last_mut() {
            Some(last) if bar.0 <= last.1 + 1.5 => last.1 = last.1.max(bar.1),
            _ => joined.push(bar),
        }
    }
    joined
}

fn draw_bars(scene: &mut Scene, entry: &Entry, top: f64, ink: super::scene::Ink) {
    for (left, right) in &entry.bars {
        scene.rect((*left, right.max(left + 2.0)), (top, top + 3.0), ink);
    }
}
