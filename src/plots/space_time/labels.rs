//! Places labels next to marks so that they cover nothing.

use super::super::scene::{TextLook, cut_to};

/// A straight line between two points.
pub(super) type Stroke = ((f64, f64), (f64, f64));

/// A rectangle, in page units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// A square around a point.
    pub(super) fn around((x, y): (f64, f64), reach: f64) -> Self {
        Area { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
    }

    /// The bounding box of some points.
    pub(super) fn of_points(points: &[(f64, f64)]) -> Self {
        let start = Area { left: f64::MAX, top: f64::MAX, right: f64::MIN, bottom: f64::MIN };
        points.iter().fold(start, |area, (x, y)| Area {
            left: area.left.min(*x),
            top: area.top.min(*y),
            right: area.right.max(*x),
            bottom: area.bottom.max(*y),
        })
    }

    /// Whether two areas overlap by more than an edge.
    pub(super) fn meets(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, other: &Area) -> bool {
        self.left <= other.left
            && self.top <= other.top
            && self.right >= other.right
            && self.bottom >= other.bottom
    }

    /// Whether a straight line crosses it, by clipping the line at each side (Liang and Barsky,
    /// 1984).
    fn is_crossed(&self, (from, to): Stroke) -> bool {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let sides = [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ];
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for (direction, room) in sides {
            if direction == 0.0 {
                if room < 0.0 {
                    return false;
                }
            } else if direction < 0.0 {
                enters = enters.max(room / direction);
            } else {
                leaves = leaves.min(room / direction);
            }
        }
        enters < leaves
    }
}

/// A placed label.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// Its area: the text with a margin.
    pub(super) area: Area,
    pub(super) text: String,
}

/// How labels look.
pub(super) fn look() -> TextLook {
    TextLook::new(11.0)
}

/// The margin around a text, and the height of its area.
pub(super) const MARGIN: f64 = 2.0;
const HEIGHT: f64 = 14.0;
/// No label is wider.
const WIDTH_MAX: f64 = 200.0;
/// A viewer's own font may be wider than the embedded one.
const WIDER: f64 = 1.08;
/// Distances from a mark to the middle of its label; the farther ones only if rows are far enough
/// apart.
const NEAR: f64 = 15.5;
const FAR: f64 = 29.0;
const FAR_FROM_GAP: f64 = 62.0;

/// Each label gets the best free place around its mark, in order of priority; labels without a free
/// place are dropped and counted.
///
/// Invariant: no label overlaps an obstacle or another label, or leaves the bounds. Labels may
/// cover strokes if there is no better place: an arrow can still be followed below a label.
pub(super) fn place(
    wanted: &[((f64, f64), String)],
    obstacles: &[Area],
    strokes: &[Stroke],
    bounds: Area,
    gap: f64,
) -> (Vec<Label>, usize) {
    let mut labels: Vec<Label> = Vec::new();
    let mut dropped = 0;
    for ((x, y), text) in wanted {
        let text = cut_to(text, look(), WIDTH_MAX);
        let width = look().width(&text) * WIDER + 2.0 * MARGIN;
        let lefts = [x - 6.0, x + 6.0 - width, x - width / 2.0, x + 8.0, x - 8.0 - width];
        let ups: &[f64] =
            if gap >= FAR_FROM_GAP { &[-NEAR, NEAR, -FAR, FAR] } else { &[-NEAR, NEAR] };
        let places = ups.iter().flat_map(|up| lefts.iter().map(move |left| (*left, y + up)));
        let areas = places.map(|(left, middle)| {
            let left = left.min(bounds.right - width).max(bounds.left);
            Area {
                left,
                top: middle - HEIGHT / 2.0,
                right: left + width,
                bottom: middle + HEIGHT / 2.0,
            }
        });
        let is_free = |area: &Area| {
            bounds.holds(area)
                && !obstacles.iter().any(|other| other.meets(area))
                && !labels.iter().any(|other| other.area.meets(area))
                // A label pushed in from the page's edge may end up too far from its mark.
                && area.left <= x + 9.0
                && area.right >= x - 9.0
        };
        // Earlier places are better; a stroke through the text is worse than any of the next few.
        let cost = |(i, area): (usize, &Area)| {
            3 * strokes.iter().filter(|stroke| area.is_crossed(**stroke)).count() + i
        };
        let areas: Vec<Area> = areas.collect();
        let best = areas
            .iter()
            .enumerate()
            .filter(|(_, area)| is_free(area))
            .min_by_key(|(i, area)| cost((*i, area)));
        match best {
            Some((_, area)) => labels.push(Label { area: *area, text }),
            None => dropped += 1,
        }
    }
    (labels, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Area = Area { left: 0.0, top: 0.0, right: 400.0, bottom: 100.0 };

    /// The usual place is above and to the right; if something is there, the label goes elsewhere.
    #[test]
    fn a_label_evades_what_stands_in_its_way() {
        let wanted = [((200.0, 50.0), "votes".to_owned())];
        let (labels, _) = place(&wanted, &[], &[], BOUNDS, 46.0);
        let usual = labels[0].area;
        assert!(usual.bottom < 50.0 && usual.right > 215.0);
        let cross = Area::around((210.0, usual.top), 4.0);
        let (labels, dropped) = place(&wanted, &[cross], &[], BOUNDS, 46.0);
        assert!(dropped == 0 && !labels[0].area.meets(&cross) && labels[0].area != usual);
    }

    /// If marks are too close, the first label gets its place, and the last one is left out rather
    /// than drawn over another.
    #[test]
    fn a_label_without_a_free_place_is_left_out() {
        let wanted: Vec<_> =
            (0..9).map(|i| ((200.0 + f64::from(i), 50.0), format!("commits {i}"))).collect();
        let (labels, dropped) = place(&wanted, &[], &[], BOUNDS, 46.0);
        assert!(dropped > 0 && labels.len() + dropped == 9 && labels[0].text == "commits 0");
        for (i, a) in labels.iter().enumerate() {
            assert!(labels[i + 1..].iter().all(|b| !a.area.meets(&b.area)));
        }
    }

    /// A line that ends short of a rectangle does not cross it, one that passes through a corner
    /// does.
    #[test]
    fn a_stroke_crosses_what_it_runs_through() {
        let area = Area { left: 10.0, top: 10.0, right: 20.0, bottom: 20.0 };
        assert!(
            area.is_crossed(((0.0, 0.0), (30.0, 30.0)))
                && area.is_crossed(((8.0, 14.0), (14.0, 8.0)))
        );
        assert!(
            !area.is_crossed(((0.0, 0.0), (9.0, 9.0)))
                && !area.is_crossed(((0.0, 25.0), (30.0, 25.0)))
        );
    }
}
