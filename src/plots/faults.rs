//! The faults above a plot: a row for each kind with its name in the margin, and a bar for each
//! fault while it lasted.

use std::collections::{BTreeMap, BTreeSet};

use plotters::style::RGBColor;

use crate::trace::{FaultSpan, Trace};

use super::axis::TimeAxis;
use super::palette::{self, Part};
use super::scene::{Anchor, Scene, TextLook, cut_to, sheer};

/// Height of a row, and of the bars within it.
const ROW: f64 = 15.0;
const BAR: f64 = 12.0;
/// With more kinds of faults than this, the kinds that touch the same part of the world share a
/// row.
const ROWS_MAX: usize = 10;
/// Between a bar and what stands beside it. A viewer's own font may be wider than the embedded one,
/// by this factor at the most.
const GAP: f64 = 4.0;
const WIDER: f64 = 1.08;
/// No text beside a bar is wider, and none within it is cut to less.
const TEXT_MAX: f64 = 260.0;
const TEXT_MIN: f64 = 70.0;
/// A narrower bar is drawn full.
const NARROW: f64 = 5.0;

/// A bar: one fault, or several that follow each other without a gap that could be seen.
#[derive(Clone, Debug)]
struct Bar {
    left: f64,
    right: f64,
    /// The targets, if they are the same for all.
    targets: Option<String>,
    /// Where the text begins, and the text.
    text: Option<(f64, String)>,
}

/// A row: its name, its colour, its bars from left to right.
#[derive(Clone, Debug)]
struct Row {
    name: String,
    color: RGBColor,
    bars: Vec<Bar>,
}

/// When faults of one colour were in force, whichever they were.
#[derive(Clone, Debug)]
struct Shade {
    color: RGBColor,
    bars: Vec<(f64, f64)>,
}

/// The faults of a plot, arranged.
#[derive(Clone, Debug)]
pub(crate) struct FaultStrip {
    rows: Vec<Row>,
    shades: Vec<Shade>,
    notes: Vec<String>,
    /// Where the load ends and recovery begins.
    recovery: Option<f64>,
    axis: TimeAxis,
}

fn look() -> TextLook {
    TextLook::new(10.0)
}

fn look_of_names() -> TextLook {
    TextLook::new(11.0).anchor(Anchor::End)
}

impl FaultStrip {
    /// Arrange the faults that are seen in the axis' window.
    pub(crate) fn new(trace: &Trace, axis: TimeAxis) -> Self {
        let in_view = |span: &FaultSpan| {
            span.begin_us <= axis.to_us && span.end_us.max(span.begin_us) >= axis.from_us
        };
        let spans: Vec<FaultSpan> = trace.faults().into_iter().filter(in_view).collect();
        let (groups, notes) = group(&spans);
        let mut rows: Vec<Row> =
            groups.into_iter().map(|(name, same)| Row::new(name, &same, &axis)).collect();
        let recovery = (trace.duration_us > axis.from_us && trace.duration_us < axis.to_us)
            .then(|| axis.x(trace.duration_us));
        rows.extend(recovery.map(|x| Row {
            name: "recovery".to_owned(),
            color: palette::GREY,
            bars: vec![Bar { left: x, right: axis.right, targets: None, text: None }],
        }));
        let mut shades: Vec<Shade> = Vec::new();
        for span in &spans {
            let color = Part::of_fault(&span.fault).color();
            let bar = (axis.x(span.begin_us), axis.x(span.end_us.max(span.begin_us)));
            match shades.iter_mut().find(|shade| shade.color == color) {
                Some(shade) => shade.bars.push(bar),
                None => shades.push(Shade { color, bars: vec![bar] }),
            }
        }
        for shade in &mut shades {
            shade.bars = union(std::mem::take(&mut shade.bars));
        }
        FaultStrip { rows, shades, notes, recovery, axis }
    }

    /// Height of the strip, 0 without faults.
    pub(crate) fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW
    }

    /// What the names of the rows leave open.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names and bars, from `top` downwards.
    pub(crate) fn draw(&self, scene: &mut Scene, top: f64) {
        for (i, row) in self.rows.iter().enumerate() {
            let middle = top + (i as f64 + 0.5) * ROW;
            let (top, bottom) = (middle - BAR / 2.0, middle + BAR / 2.0);
            scene.text((self.axis.left - 10.0, middle), row.name.clone(), look_of_names());
            // It leads the eye from the name to the first bar.
            scene.rect(
                (self.axis.left, self.axis.right),
                (middle - 0.25, middle + 0.25),
                palette::GRID,
            );
            for bar in &row.bars {
                if bar.right - bar.left < NARROW {
                    scene.rect((bar.left, bar.right.max(bar.left + 2.0)), (top, bottom), row.color);
                } else {
                    scene.rect((bar.left, bar.right), (top, bottom), palette::WHITE);
                    scene.rect((bar.left, bar.right), (top, bottom), sheer(row.color, 0.30));
                    scene.rect((bar.left, bar.right), (bottom - 1.5, bottom), row.color);
                }
            }
            for (left, text) in row.bars.iter().filter_map(|bar| bar.text.as_ref()) {
                scene.text((*left, middle - 0.5), text.clone(), look());
            }
        }
    }

    /// The shades behind the data, from `top` to `bottom`.
    pub(crate) fn shade(&self, scene: &mut Scene, top: f64, bottom: f64) {
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
}

impl Row {
    fn new(name: String, spans: &[&FaultSpan], axis: &TimeAxis) -> Self {
        let color = spans.first().map_or(palette::GREY, |span| Part::of_fault(&span.fault).color());
        let name = cut_to(&name, look_of_names(), axis.left - 14.0);
        let mut singles: Vec<(f64, f64, &str)> = spans
            .iter()
            .map(|span| {
                (
                    axis.x(span.begin_us),
                    axis.x(span.end_us.max(span.begin_us)),
                    span.targets.as_str(),
                )
            })
            .collect();
        singles.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut bars: Vec<Bar> = Vec::new();
        for (left, right, targets) in singles {
            match bars.last_mut() {
                // Bars that touch or nearly do are one: a fault that comes a thousand times makes
                // neither the page dark nor the file large.
                Some(last) if left <= last.right.max(last.left + 2.0) + 1.5 => {
                    last.right = last.right.max(right);
                    if last.targets.as_deref() != Some(targets) {
                        last.targets = None;
                    }
                }
                _ => bars.push(Bar { left, right, targets: Some(targets.to_owned()), text: None }),
            }
        }
        for i in 0..bars.len() {
            let next = bars.get(i + 1).map_or(axis.right, |next| next.left - GAP);
            bars[i].text = bars[i].text(next);
        }
        Row { name, color, bars }
    }
}

impl Bar {
    /// The targets, within the bar where they have room; else beside it, where the next bar begins
    /// after them.
    fn text(&self, next: f64) -> Option<(f64, String)> {
        let targets =
            self.targets.as_deref().filter(|targets| !targets.is_empty())?.replace(',', ", ");
        let width = |text: &str| look().width(text) * WIDER;
        let within = self.right - self.left - 2.0 * GAP;
        let cut = cut_to(&targets, look(), TEXT_MAX.max(within) / WIDER);
        if width(&cut) <= within {
            return Some((self.left + GAP, cut));
        }
        let beside = self.right.max(self.left + 2.0) + GAP;
        if beside + width(&cut) <= next {
            return Some((beside, cut));
        }
        (within >= TEXT_MIN).then(|| (self.left + GAP, cut_to(&targets, look(), within / WIDER)))
    }
}

/// The name of a fault without its targets: `partition` for `partition-1`, and for what `random-2`
/// has drawn.
fn kind(span: &FaultSpan) -> String {
    let name = if span.name.is_empty() { &span.fault } else { &span.name };
    // Names that the reader made up from the fault and a number tell less than the fault.
    let made_up = [span.fault.as_str(), "random", "swarm", "swizzle"].into_iter().any(|word| {
        let number = name.strip_prefix(word).and_then(|rest| rest.strip_prefix('-'));
        number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    });
    if made_up { &span.fault } else { name }.replace('_', " ")
}

/// `kill`, or `kill × 3`.
fn counted(name: &str, count: usize) -> String {
    if count == 1 { name.to_owned() } else { format!("{name} × {count}") }
}

/// The rows with their names, in the order of the first fault of each: one for each kind, or, with
/// too many kinds, one for each part of the world, and a note which kinds these are.
fn group(spans: &[FaultSpan]) -> (Vec<(String, Vec<&FaultSpan>)>, Vec<String>) {
    let mut faults: BTreeMap<String, &str> = BTreeMap::new();
    let mut mixed: BTreeSet<String> = BTreeSet::new();
    for span in spans {
        if *faults.entry(kind(span)).or_insert(&span.fault) != span.fault {
            mixed.insert(kind(span));
        }
    }
    // An entry of the scenario that draws from several faults names none of them.
    let name = |span: &FaultSpan| {
        Some(kind(span))
            .filter(|kind| !mixed.contains(kind))
            .unwrap_or_else(|| span.fault.replace('_', " "))
    };
    let mut kinds: BTreeMap<String, Vec<&FaultSpan>> = BTreeMap::new();
    for span in spans {
        kinds.entry(name(span)).or_default().push(span);
    }
    let mut kinds: Vec<(String, Vec<&FaultSpan>)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, same)| same[0].begin_us);
    if kinds.len() <= ROWS_MAX {
        return (
            kinds.into_iter().map(|(kind, same)| (counted(&kind, same.len()), same)).collect(),
            Vec::new(),
        );
    }
    let mut parts: BTreeMap<Part, (Vec<&FaultSpan>, Vec<String>)> = BTreeMap::new();
    for (kind, same) in kinds {
        let part = parts.entry(Part::of_fault(&same[0].fault)).or_default();
        part.1.push(counted(&kind, same.len()));
        part.0.extend(same);
    }
    let notes = parts
        .iter()
        .map(|(part, (_, kinds))| format!("Faults, {}: {}.", part.name(), kinds.join(", ")))
        .collect();
    (
        parts
            .into_iter()
            .map(|(part, (same, _))| (counted(part.name(), same.len()), same))
            .collect(),
        notes,
    )
}

/// Bars that touch or nearly do, as one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plots::scene::Shape;
    use crate::systems::plot_tests::traces;

    /// Whatever the faults: names stand in the margin, texts touch no bar but their own and no
    /// other text, and there are few rows.
    #[test]
    fn names_stand_in_the_margin_and_texts_cover_no_other_bar() {
        let axis = TimeAxis { from_us: 0, to_us: 40_000_000, left: 132.0, right: 1_176.0 };
        let mut seen = 0;
        for (case, trace) in traces() {
            let strip = FaultStrip::new(&trace, axis);
            assert!(strip.rows.len() <= ROWS_MAX + 1, "{case}: {} rows", strip.rows.len());
            for row in &strip.rows {
                assert!(
                    look_of_names().width(&row.name) <= axis.left - 14.0,
                    "{case}: {}",
                    row.name
                );
                for (i, bar) in row.bars.iter().enumerate() {
                    let Some((left, text)) = &bar.text else { continue };
                    let right = left + look().width(text);
                    seen += 1;
                    assert!(*left >= axis.left && right <= axis.right, "{case}: {text}");
                    let within = *left >= bar.left && right <= bar.right;
                    let beside = *left > bar.right
                        && row.bars.get(i + 1).is_none_or(|next| right < next.left);
                    assert!(within || beside, "{case}: {text}");
                }
            }
            let mut scene = Scene::new(String::new(), 1_200.0);
            strip.draw(&mut scene, 0.0);
            let names = scene.shapes.iter().filter_map(|shape| match shape {
                Shape::Text { at, look, .. } if look.anchor == Anchor::End => Some(at.0),
                _ => None,
            });
            assert!(
                names.clone().count() == strip.rows.len()
                    && names.clone().all(|right| right < axis.left),
                "{case}"
            );
        }
        assert!(seen > 5, "only {seen} texts");
    }

    /// A swarm has more kinds of faults than a page has rows: then there is one for links, one for
    /// processes and so on, and a note tells the kinds.
    #[test]
    fn many_kinds_are_merged_by_the_part_of_the_world_that_they_touch() {
        let faults = [
            "partition",
            "loss",
            "latency",
            "hold",
            "kill",
            "pause",
            "restart",
            "slow",
            "clock_bump",
            "disk_full",
            "disk_error",
        ];
        let span = |i: usize, fault: &&str| FaultSpan {
            name: format!("swarm-{i}"),
            fault: (*fault).to_owned(),
            targets: "n1".to_owned(),
            begin_us: i as u64,
            end_us: i as u64 + 9,
        };
        let spans: Vec<FaultSpan> =
            faults.iter().enumerate().map(|(i, fault)| span(i, fault)).collect();
        let (rows, notes) = group(&spans);
        assert_eq!(
            rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["links × 4", "processes × 4", "clocks", "disks × 2"]
        );
        assert_eq!(notes[0], "Faults, links: partition, loss, latency, hold.");
        assert_eq!(group(&spans[..10]).0.len(), 10);
    }
}
