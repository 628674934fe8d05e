//! The keys of partitions, and what the nodes of a scenario make of them.

use crate::faults::keys::direction;
use crate::faults::{Direction, Members, Names, PartitionShape, Taken, TargetSpec};
use crate::language::Section;
use crate::language::reader::{Key, Problem};
use crate::language::tree::{Item, Value};
use crate::language::units::show_text;

/// Every shape of a partition.
const SHAPES: &[&str] = &[
    "halves",
    "one",
    "majority",
    "majorities_ring",
    "bridge",
    "minority_third",
    "groups",
    "between",
];

const AS_IN_GROUPS: &str = "as in: groups = [[\"n1\", \"n2\"], [\"n3\", \"n4\", \"n5\"]]";

/// What a partition is: its shape, which way it cuts, and whether it cuts off clients.
pub(super) struct Cut {
    pub(super) shape: PartitionShape,
    pub(super) direction: Direction,
    pub(super) clients: bool,
}

/// Read the keys of a partition.
pub(super) fn read(section: &mut Section<'_>, names: &Names, targeted: bool) -> Cut {
    let shape = shape(section, names, targeted);
    let direction = direction(
        section,
        "Which way the links are cut: both, only towards the targets, or only away from them.",
    );
    let clients = section.flag(
        "clients",
        false,
        "Whether clients are cut off too; where false, every client reaches every node.",
    );
    Cut { shape, direction, clients }
}

fn shape(section: &mut Section<'_>, names: &Names, targeted: bool) -> PartitionShape {
    let implied = match (section.has("groups"), section.has("between")) {
        (true, _) => "groups",
        (_, true) => "between",
        _ if targeted => "one",
        _ => "halves",
    };
    let doc = "How the nodes are parted. Where it is left out: `groups` or `between` where that is \
        given, `one` with `targets`, otherwise `halves`.";
    let shape = section.word("shape", implied, SHAPES, doc);
    section.exclusive(
        &["groups", "between"],
        "choose: the first parts all nodes, the second cuts only some links",
    );
    let doc = "With the shape `groups`: lists of nodes, each alone.";
    let key = Key { name: "groups", kind: "a list of lists of names", range: "nodes".into(), doc };
    let groups =
        section.take(&key, None).map(|entry| (entry, groups(section, &key, &entry.item, names)));
    let ends = names.fault_ends();
    let between = match section.has("between") || section.reading.is_describing() {
        true => section.names(
            "between",
            &[],
            "nodes, groups or clients",
            &ends,
            "With the shape `between`: the links to these are cut, no others.",
        ),
        false => {
            section.allow("between");
            vec![]
        }
    };
    if let Some((_, groups)) = &groups {
        let lists: Vec<String> = groups
            .iter()
            .map(|group| {
                format!(
                    "[{}]",
                    group.iter().map(|name| show_text(name)).collect::<Vec<_>>().join(", ")
                )
            })
            .collect();
        section.resolve("groups", format!("[{}]", lists.join(", ")));
    }
    for (key, wanted) in [("groups", "groups"), ("between", "between")] {
        // Of two that exclude each other one never fits the shape, and that has been said.
        let alone = !(section.has("groups") && section.has("between"));
        if let (Some(entry), true) = (section.entry(key), alone && shape != wanted) {
            let hint = format!("take it out, or write shape = \"{wanted}\"");
            section.reading.note_at(
                format!("`{key}` has no meaning with the shape `{shape}`"),
                &entry.key_at,
                "no meaning",
                hint,
            );
        }
    }
    match shape {
        "halves" => PartitionShape::Halves,
        "one" => PartitionShape::One,
        "majority" => PartitionShape::Majority,
        "majorities_ring" => PartitionShape::MajoritiesRing,
        "bridge" => PartitionShape::Bridge,
        "minority_third" => PartitionShape::MinorityThird,
        "groups" => PartitionShape::Groups(groups.map(|(_, groups)| groups).unwrap_or_default()),
        _ => PartitionShape::Between(between),
    }
}

fn groups(section: &Section<'_>, key: &Key<'_>, item: &Item, names: &Names) -> Vec<Vec<String>> {
    let known = names.fault_ends();
    let Value::List(lists) = &item.value else {
        section.complain(key, Problem::found(item, AS_IN_GROUPS));
        return vec![];
    };
    let mut seen: Vec<String> = vec![];
    let mut groups = vec![];
    for item in lists {
        let group =
            section.read_names(key, item, "nodes, groups, roles, clients or `targets`", &known);
        for name in group.iter().filter(|name| seen.contains(name)) {
            let hint = "each node is on one side: take it out of one; the shape `bridge` joins two \
                sides by a node";
            section.reading.note_at(
                format!("`{name}` stands in two groups"),
                &item.at,
                "the second of them",
                hint,
            );
        }
        seen.extend(group.iter().cloned());
        groups.push(group);
    }
    groups
}

/// Note that a partition needs more nodes than there are, or the nodes that it is about.
pub(super) fn judge(shape: &PartitionShape, section: &Section<'_>, names: &Names) {
    let (least, what) = match shape {
        PartitionShape::Bridge | PartitionShape::MajoritiesRing => (3, "three nodes"),
        PartitionShape::Groups(groups) => {
            if groups.is_empty()
                && !section.has("groups")
                && let Some(entry) = section.entry("shape")
            {
                section.reading.note_at(
                    "the shape `groups` needs `groups`",
                    &entry.item.at,
                    "which groups?",
                    AS_IN_GROUPS,
                );
            }
            return;
        }
        PartitionShape::Between(others) => {
            if others.is_empty()
                && !section.has("between")
                && let Some(entry) = section.entry("shape")
            {
                let hint = "as in: targets = [\"n1\"] and between = [\"n3\"]";
                section.reading.note_at(
                    "the shape `between` needs `between`",
                    &entry.item.at,
                    "between the targets and whom?",
                    hint,
                );
            }
            return;
        }
        _ => (2, "two nodes"),
    };
    if names.nodes.len() < least
        && let Some(entry) = section.entry("shape").or(section.entry("fault"))
    {
        let label = if names.nodes.len() == 1 {
            "there is one".into()
        } else {
            format!("there are {}", names.nodes.len())
        };
        let hint =
            format!("write at least count = {least} in [nodes], or choose another fault or shape");
        section.reading.note_at(
            format!("this partition needs {what}"),
            &entry.item.at,
            label,
            hint,
        );
    }
}

/// Why the targets of an entry have no meaning with this shape, and what to do.
pub(super) fn refuses_targets(shape: &PartitionShape) -> Option<(&'static str, &'static str)> {
    match shape {
        PartitionShape::One | PartitionShape::Between(_) => None,
        // The targets bridge.
        PartitionShape::Bridge => None,
        PartitionShape::Groups(groups) if groups.concat().iter().any(|name| name == "targets") => {
            None
        }
        _ => Some((
            "this shape parts all nodes",
            "take `targets` out, or write shape = \"one\" to cut the targets off",
        )),
    }
}

/// Whether this shape needs targets to stand on.
pub(super) fn needs_targets(shape: &PartitionShape) -> bool {
    matches!(shape, PartitionShape::One | PartitionShape::Between(_))
}

/// Whom a partition hits if the entry names nobody: any node may be the bridge.
pub(super) fn default_targets(shape: &PartitionShape) -> &'static str {
    if *shape == PartitionShape::Bridge { "all" } else { "one" }
}

/// The nodes that a partition cuts from the majority; all of them if no side has one.
pub(super) fn taken(shape: &PartitionShape, members: &Members<'_>, targets: &TargetSpec) -> Taken {
    let all = members.count();
    let majority = all / 2 + 1;
    let alone = |largest: usize| if largest >= majority { all - largest } else { all };
    match shape {
        PartitionShape::Halves => Taken::Any(alone(all.div_ceil(2))),
        PartitionShape::Majority => Taken::Any(all - majority),
        PartitionShape::MajoritiesRing => Taken::Any(0),
        PartitionShape::MinorityThird => Taken::Any(all / 3),
        PartitionShape::Bridge => {
            let halves = [(all - 1) / 2, all - 1 - (all - 1) / 2];
            Taken::Any(halves.iter().filter(|half| **half + 1 < majority).sum())
        }
        PartitionShape::One => {
            let targeted = members.targeted(targets);
            let count = targeted.count();
            if count <= all - majority {
                return targeted;
            }
            Taken::Any(if count >= majority { all - count } else { all })
        }
        PartitionShape::Groups(groups) => {
            let sizes: Vec<usize> =
                groups.iter().map(|group| members.expanded(group).len()).collect();
            let rest = all.saturating_sub(sizes.iter().sum());
            Taken::Any(alone(sizes.into_iter().chain([rest]).max().unwrap_or(0)))
        }
        PartitionShape::Between(others) => {
            let (count, others) =
                (members.targeted(targets).count(), members.expanded(others).len());
            let mut cut = 0;
            if all - others.min(all) < majority {
                cut += count;
            }
            if all - count.min(all) < majority {
                cut += others;
            }
            Taken::Any(cut.min(all))
        }
    }
}
