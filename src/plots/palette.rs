//! Colours, the same in every plot. The eight data colours are those of Okabe and Ito ("Color
//! Universal Design", 2008), which people with the common colour deficiencies can distinguish.

use crate::faults;
use plotters::style::RGBColor;

use crate::trace::NodeId;

pub(crate) const BLACK: RGBColor = RGBColor(0, 0, 0);
pub(crate) const WHITE: RGBColor = RGBColor(255, 255, 255);
pub(crate) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(crate) const SKY: RGBColor = RGBColor(86, 180, 233);
pub(crate) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(crate) const YELLOW: RGBColor = RGBColor(240, 228, 66);
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(crate) const VERMILLION: RGBColor = RGBColor(213, 94, 0);
pub(crate) const PURPLE: RGBColor = RGBColor(204, 121, 167);

/// Titles and labels.
pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
/// Secondary text, axis lines.
pub(crate) const GREY: RGBColor = RGBColor(110, 110, 110);
/// Lines of the grid.
pub(crate) const GRID: RGBColor = RGBColor(228, 228, 228);
/// For ordinary things in the background: a follower, an idle lane.
pub(crate) const PALE: RGBColor = RGBColor(203, 213, 222);

/// The roles of nodes. No node has one of these colours: a bar or a line shows either a node or a
/// role, never both.
pub(crate) const LEADER: RGBColor = BLUE;
pub(crate) const CANDIDATE: RGBColor = ORANGE;
pub(crate) const PRE_CANDIDATE: RGBColor = YELLOW;
pub(crate) const FOLLOWER: RGBColor = PALE;
/// A server without a vote.
pub(crate) const LEARNER: RGBColor = RGBColor(128, 142, 156);
/// A running node without a role.
pub(crate) const RUNNING: RGBColor = RGBColor(222, 208, 184);

/// The colours of nodes' lines; with more nodes they repeat, paler each time. They are chosen so
/// that the two most similar ones, of these and of the roles' colours, are as different as possible
/// under each of the three colour deficiencies.
const NODES: [RGBColor; 9] = [
    SKY,
    VERMILLION,
    RGBColor(0, 80, 80),
    RGBColor(150, 90, 230),
    BLACK,
    RGBColor(100, 20, 20),
    RGBColor(120, 94, 40),
    RGBColor(20, 30, 90),
    GREEN,
];

/// The colour of a node, by its position in the scenario.
pub(crate) fn of_node(node: NodeId) -> RGBColor {
    let RGBColor(red, green, blue) = NODES[node.index() % NODES.len()];
    let round = (node.index() / NODES.len()).min(2) as u8;
    let paler = |part: u8| part + (255 - part) / 10 * (round * 3);
    RGBColor(paler(red), paler(green), paler(blue))
}

/// The colour of a series without a fixed meaning, by its position.
pub(crate) fn of_position(position: usize) -> RGBColor {
    const SERIES: [RGBColor; 8] = [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, BLACK];
    SERIES[position % SERIES.len()]
}

/// The part of the world that a fault affects, with its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Links,
    Processes,
    Clocks,
    Disks,
    Others,
}

impl Part {
    pub(crate) fn of_fault(fault: &str) -> Self {
        match faults::find(fault).map(|fault| fault.group) {
            Some("links") => Part::Links,
            Some("processes") => Part::Processes,
            Some("clocks") => Part::Clocks,
            Some("disks") => Part::Disks,
            _ => Part::Others,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Links => "links",
            Part::Processes => "processes",
            Part::Clocks => "clocks",
            Part::Disks => "disks",
            Part::Others => "other faults",
        }
    }

    pub(crate) fn color(self) -> RGBColor {
        match self {
            Part::Links => VERMILLION,
            Part::Processes => RGBColor(90, 90, 90),
            Part::Clocks => PURPLE,
            Part::Disks => BLUE,
            Part::Others => GREY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A colour in L*a*b* under D65, as seen with one of the deficiencies for which Machado,
    /// Oliveira and Fernandes (2009) give a matrix.
    fn lab(RGBColor(red, green, blue): RGBColor, deficiency: &[[f64; 3]; 3]) -> [f64; 3] {
        let linear = [red, green, blue].map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { libm::pow((part + 0.055) / 1.055, 2.4) }
        });
        let dot =
            |row: &[f64; 3], of: &[f64; 3]| row.iter().zip(of).map(|(a, b)| a * b).sum::<f64>();
        let seen = std::array::from_fn(|i| dot(&deficiency[i], &linear).clamp(0.0, 1.0));
        let xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
            .map(|row| dot(&row, &seen));
        let white = [0.95047, 1.0, 1.08883];
        let f: [f64; 3] = std::array::from_fn(|i| {
            let part = xyz[i] / white[i];
            if part > 0.008856 { libm::cbrt(part) } else { 7.787 * part + 16.0 / 116.0 }
        });
        [116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])]
    }

    /// The smallest perceived difference of two colours over all deficiencies.
    fn distance(a: RGBColor, b: RGBColor) -> f64 {
        let normal = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let protan = [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ];
        let deutan = [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ];
        let tritan = [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ];
        let apart = |deficiency| {
            let (a, b) = (lab(a, deficiency), lab(b, deficiency));
            a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        [normal, protan, deutan, tritan].iter().map(apart).fold(f64::MAX, f64::min)
    }

    const ROLES: [RGBColor; 6] = [LEADER, CANDIDATE, PRE_CANDIDATE, FOLLOWER, LEARNER, RUNNING];

    /// A bar in a role's colour must not be taken for a node, nor a node's line for a role, by any
    /// viewer. A difference of 2.3 is just noticeable; from about ten on a line and a bar are
    /// distinguished at a glance.
    #[test]
    fn no_role_has_the_colour_of_a_node() {
        for role in ROLES {
            for node in 0..8 {
                let apart = distance(role, of_node(NodeId(node)));
                assert!(apart >= 14.0, "{role:?} and node {node}: {apart:.1}");
            }
            assert!((8..40).all(|node| of_node(NodeId(node)) != role), "{role:?}");
        }
    }

    /// In most plots nodes differ only in colour: the five of a usual cluster are easy to
    /// distinguish, eight still possible.
    #[test]
    fn nodes_look_different_to_everybody() {
        for (count, least) in [(5, 25.0), (8, 18.0)] {
            for a in 0..count {
                for b in a + 1..count {
                    let apart = distance(of_node(NodeId(a)), of_node(NodeId(b)));
                    assert!(apart >= least, "nodes {a} and {b}: {apart:.1}");
                }
            }
        }
    }
}
