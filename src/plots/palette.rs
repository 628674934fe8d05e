//! Colours, the same in every plot. The eight data colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with
//! any of the common colour deficiencies tell apart.

use plotters::style::RGBColor;

use crate::trace::NodeId;

pub(super) const BLACK: RGBColor = RGBColor(0, 0, 0);
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
pub(super) const ORANGE: RGBColor = RGBColor(230, 159, 0);
pub(super) const SKY: RGBColor = RGBColor(86, 180, 233);
pub(super) const GREEN: RGBColor = RGBColor(0, 158, 115);
pub(super) const YELLOW: RGBColor = RGBColor(240, 228, 66);
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
pub(super) const VERMILLION: RGBColor = RGBColor(213, 94, 0);
pub(super) const PURPLE: RGBColor = RGBColor(204, 121, 167);

/// Titles and labels.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Secondary text, axis lines.
pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
/// Lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);
/// What is ordinary and should stay in the background: a follower, an idle lane.
pub(super) const PALE: RGBColor = RGBColor(203, 213, 222);

/// Lines of nodes are told apart by these; with more nodes they come again, paler each time.
const NODES: [RGBColor; 8] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, RGBColor(120, 94, 40), BLACK];

/// The colour of a node, by its position in the scenario.
pub(super) fn of_node(node: NodeId) -> RGBColor {
    let RGBColor(red, green, blue) = NODES[node.index() % NODES.len()];
    let round = (node.index() / NODES.len()).min(2) as u8;
    let paler = |part: u8| part + (255 - part) / 10 * (round * 4);
    RGBColor(paler(red), paler(green), paler(blue))
}

/// The colour of a series by its position among others of no fixed meaning.
pub(super) fn of_position(position: usize) -> RGBColor {
    const SERIES: [RGBColor; 8] = [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, BLACK];
    SERIES[position % SERIES.len()]
}

/// The colour of a fault, by the part of the world that it touches: links, processes, clocks, disks.
pub(super) fn of_fault(fault: &str) -> RGBColor {
    match fault {
        "partition" | "flap" | "latency" | "loss" | "duplicate" | "reorder" | "corrupt" | "bandwidth" | "hold" | "drop" | "delay" => {
            VERMILLION
        }
        "kill" | "restart" | "pause" | "slow" | "wipe" | "stop" | "join" | "leave" | "command" => RGBColor(90, 90, 90),
        "bitflip" | "truncate" | "torn_write" | "stale_restore" => BLUE,
        _ if fault.starts_with("clock_") => PURPLE,
        _ if fault.starts_with("disk_") => BLUE,
        _ => GREY,
    }
}
