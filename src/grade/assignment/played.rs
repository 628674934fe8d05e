//! The scenarios of an assignment: whom a submission plays in them, and what they are judged by.

use std::fs;
use std::path::{Component, Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::{Item, Played};
use crate::error::nearest;
use crate::run::system_of;
use crate::scenario::{CheckSpec, Scenario};

/// What `plays` can name in a scenario.
pub(super) fn names_to_play(scenario: &Scenario) -> Vec<String> {
    let roles = scenario.nodes.nodes.iter().map(|node| node.role.clone());
    let mut names: Vec<String> = roles.chain(scenario.nodes.groups.keys().cloned()).collect();
    names.extend(scenario.nodes.nodes.iter().map(|node| node.name.clone()));
    let mut once: Vec<String> = vec![];
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// The positions of a scenario's nodes that `plays` selects.
pub(super) fn played_nodes(scenario: &Scenario, plays: &[String]) -> Vec<usize> {
    let first_role = system_of(scenario).roles.first().copied().unwrap_or_default();
    let nodes = scenario.nodes.nodes.iter().enumerate();
    let in_group = |word: &String, name: &String| {
        scenario.nodes.groups.get(word).is_some_and(|members| members.contains(name))
    };
    let named = nodes.filter(|(_, node)| match plays {
        [] => node.role == first_role,
        plays => plays
            .iter()
            .any(|word| *word == node.name || *word == node.role || in_group(word, &node.name)),
    });
    named.map(|(position, _)| position).collect()
}

/// Make a scenario name every check that one of its items uses, keeping the parameters it sets.
pub(super) fn name_checks(position: usize, scenario: &mut Scenario, items: &[Item]) {
    let system = system_of(scenario);
    let wants = |name: &str| {
        items
            .iter()
            .any(|item| item.scenario == position && item.checks.iter().any(|check| check == name))
    };
    let specs = system.checks.iter().filter(|check| wants(check.name)).map(|check| {
        let own = scenario.checks.iter().find(|spec| spec.name == check.name);
        own.cloned().unwrap_or_else(|| CheckSpec {
            name: check.name.to_owned(),
            params: Default::default(),
        })
    });
    scenario.checks = specs.collect();
}

/// What tells an assignment from another, or from an older form of it: its text, and all of its
/// scenarios.
pub(super) fn digest_of(text: &str, scenarios: &[Played]) -> String {
    let mut digest = Xxh3::new();
    let mut add = |text: &str| {
        digest.update(&(text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    add(text);
    for played in scenarios {
        add(&played.written);
        // The resolved text has every default and the digests of the files it names.
        add(&played.scenario.resolved);
    }
    format!("{:032x}", digest.digest128())
}

/// A relative path without `.` steps.
pub(super) fn normal(written: &str) -> String {
    let parts = Path::new(written).components().filter(|part| !matches!(part, Component::CurDir));
    parts.collect::<PathBuf>().display().to_string()
}

/// A scenario in the assignment's folder with a similar name.
pub(super) fn file_beside(folder: &Path, written: &str) -> Option<String> {
    let wanted = Path::new(written);
    let parent = wanted.parent().map(Path::to_path_buf).unwrap_or_default();
    let entries = fs::read_dir(folder.join(&parent)).ok()?.take(1_000).flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    let near = nearest(&wanted.file_name()?.to_string_lossy(), names.iter().map(String::as_str))?;
    Some(parent.join(near).display().to_string())
}
