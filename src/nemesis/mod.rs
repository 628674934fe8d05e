//! The nemesis (lands next).
#![allow(dead_code, unused_variables)]
use crate::scenario::Scenario;
use crate::sim::world::World;
use crate::trace::{NodeId, Value};

pub(crate) struct Nemesis;

impl Nemesis {
    pub(crate) fn new(scenario: &Scenario) -> Nemesis {
        Nemesis
    }
    pub(crate) fn wants_metrics(&self) -> bool {
        false
    }
    pub(crate) fn wants_events(&self) -> bool {
        false
    }
    pub(crate) fn wants_messages(&self) -> bool {
        false
    }
    pub(crate) fn start(&mut self, world: &mut impl World) {}
    pub(crate) fn on_alarm(&mut self, world: &mut impl World, token: u64) {}
    pub(crate) fn on_metric(&mut self, world: &mut impl World, node: NodeId, metric: &str, value: &Value) {}
    pub(crate) fn on_event(&mut self, world: &mut impl World, node: NodeId, name: &str, names: &[&str], values: &[Value]) {}
    pub(crate) fn on_message(&mut self, world: &mut impl World, src: NodeId, dest: NodeId, kind: &str) {}
    pub(crate) fn heal_all(&mut self, world: &mut impl World) {}
}
