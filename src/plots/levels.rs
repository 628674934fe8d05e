//! Integer values of nodes over time, as lines at their true values: if several nodes have the same
//! value, the line alternates between their colours. Lines next to each other would be at values
//! that no node has; lines on top of each other would hide all but one.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::axis::Scale;
use super::frame::Panel;
use super::palette;
use super::scene::{Scene, sheer};
use super::timeline::Changes;

/// Length of each colour's segment.
const TURN: f64 = 7.0;
/// Thickness of a level line.
const THICK: f64 = 3.0;
/// Maximum level parts of all lines together; with more of them the picture is coarser.
const PARTS_MAX: usize = 1_500;

/// A level part of a line, with the positions of the nodes that share it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Level {
    pub(crate) value: i64,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) nodes: Vec<usize>,
}

/// The values of each node as level parts. Each node's changes are in order; `None` is a gap.
pub(crate) fn levels(
    nodes: &[Changes<Option<i64>>],
    end: f64,
    x: impl Fn(u64) -> f64,
) -> Vec<Level> {
    let mut column = 0.5;
    loop {
        let levels = levels_in(nodes, end, |time| (x(time) / column).round() * column);
        if levels.len() <= PARTS_MAX || column > 64.0 {
            return levels;
        }
        column *= 2.0;
    }
}

fn levels_in(nodes: &[Changes<Option<i64>>], end: f64, x: impl Fn(u64) -> f64) -> Vec<Level> {
    // Positions are compared as the bits of positive numbers, which have the same order.
    let mut changes: BTreeMap<u64, Vec<(usize, Option<i64>)>> = BTreeMap::new();
    for (node, list) in nodes.iter().enumerate() {
        for (time, value) in list {
            changes.entry(x(*time).max(0.0).to_bits()).or_default().push((node, *value));
        }
    }
    let mut now: Vec<Option<i64>> = vec![None; nodes.len()];
    let mut open: BTreeMap<i64, Level> = BTreeMap::new();
    let mut done: Vec<Level> = Vec::new();
    for (place, changed) in changes {
        let place = f64::from_bits(place);
        for (node, value) in changed {
            now[node] = value;
        }
        let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (node, value) in now.iter().enumerate() {
            if let Some(value) = value {
                groups.entry(*value).or_default().push(node);
            }
        }
        // An unchanged group continues.
        open.retain(|value, level| {
            let goes_on = groups.get(value) == Some(&level.nodes);
            if !goes_on {
                done.push(Level { right: place, ..level.clone() });
            }
            goes_on
        });
        for (value, nodes) in groups {
            open.entry(value).or_insert(Level { value, left: place, right: end, nodes });
        }
    }
    done.extend(open.into_values());
    done.retain(|level| level.right > level.left);
    done
}

/// Draw the levels of nodes of these colours, and the steps between them.
pub(crate) fn draw(
    scene: &mut Scene,
    panel: Panel,
    scale: &Scale,
    levels: &[Level],
    colors: &[RGBColor],
) {
    steps(scene, panel, scale, levels, colors);
    for level in levels {
        let y = panel.y(scale, level.value as f64);
        let (top, bottom) = (y - THICK / 2.0, y + THICK / 2.0);
        let color = |turn: usize| {
            colors.get(level.nodes[turn % level.nodes.len()]).copied().unwrap_or(palette::GREY)
        };
        if level.nodes.len() == 1 {
            scene.rect((level.left, level.right), (top, bottom), color(0));
            continue;
        }
        // Segments are counted from the page's edge, so that the pattern does not restart where a
        // node joins another one.
        let mut left = level.left;
        while left < level.right {
            let turn = (left / TURN + 1e-6).floor();
            let right = ((turn + 1.0) * TURN).min(level.right);
            scene.rect((left, right), (top, bottom), color(turn as usize));
            left = right;
        }
    }
}

/// Vertical strokes from the level that a node leaves to the one that it enters at the same
/// position.
fn steps(scene: &mut Scene, panel: Panel, scale: &Scale, levels: &[Level], colors: &[RGBColor]) {
    let mut leaves: BTreeMap<(u64, usize), i64> = BTreeMap::new();
    for level in levels {
        leaves.extend(level.nodes.iter().map(|node| ((level.right.to_bits(), *node), level.value)));
    }
    let mut drawn: BTreeMap<(u64, i64, i64), usize> = BTreeMap::new();
    for level in levels {
        for node in &level.nodes {
            let before =
                leaves.get(&(level.left.to_bits(), *node)).filter(|before| **before != level.value);
            if let Some(before) = before {
                drawn.entry((level.left.to_bits(), *before, level.value)).or_insert(*node);
            }
        }
    }
    for ((place, from, to), node) in drawn {
        let x = f64::from_bits(place);
        let (from, to) = (panel.y(scale, from as f64), panel.y(scale, to as f64));
        let color = colors.get(node).copied().unwrap_or(palette::GREY);
        scene.rect((x - 0.5, x + 0.5), (from.min(to), from.max(to)), sheer(color, 0.8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three nodes in term 1; one goes ahead, and another follows later: every line is exactly at
    /// its node's term.
    #[test]
    fn nodes_in_one_term_share_a_line_at_its_value() {
        let nodes = [
            vec![(0, Some(1)), (10, Some(2))],
            vec![(0, Some(1)), (30, Some(2))],
            vec![(0, Some(1)), (20, None)],
        ];
        let mut found = levels(&nodes, 50.0, |time| time as f64);
        found.sort_by(|a, b| {
            (a.value, a.left).partial_cmp(&(b.value, b.left)).expect("no place is a NaN")
        });
        let level = |value, left, right, nodes: &[usize]| Level {
            value,
            left,
            right,
            nodes: nodes.to_vec(),
        };
        let expected = [
            level(1, 0.0, 10.0, &[0, 1, 2]),
            level(1, 10.0, 20.0, &[1, 2]),
            level(1, 20.0, 30.0, &[1]),
            level(2, 10.0, 30.0, &[0]),
            level(2, 30.0, 50.0, &[0, 1]),
        ];
        assert_eq!(found, expected);
    }

    /// A node that changes its term at every moment gives a coarser line, not an endless one.
    #[test]
    fn the_number_of_parts_is_bounded() {
        let restless =
            |step: u64| (0..20_000).map(|i| (i * step, Some(i as i64))).collect::<Vec<_>>();
        let found =
            levels(&[restless(1), restless(2), restless(3)], 1_000.0, |time| time as f64 / 60.0);
        assert!(found.len() <= PARTS_MAX, "{} parts", found.len());
    }
}
