//! A scenario made in Rust, by the same reader as one in a file.

use super::reading::read_text;
use crate::error::Error;
use crate::scenario::Scenario;

/// Builds a scenario without a file.
///
/// Every key and value is the scenario language's, so what `docs/scenario-reference.md` says holds
/// here too, and an error names the key.
///
/// ```
/// # fn main() -> Result<(), seedbed::error::Error> {
/// let scenario = seedbed::systems::ScenarioBuilder::new("raft")
///     .name("mine/leader-killed")
///     .set("nodes.count", "3")
///     .set("duration", "\"5s\"")
///     .nemesis("at = \"2s\"\nduration = \"1s\"\nfault = \"kill\"\ntargets = \"leader\"")
///     .build()?;
/// assert_eq!(scenario.nodes.nodes.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ScenarioBuilder {
    name: String,
    text: String,
    overrides: Vec<(String, String)>,
    defects: Vec<String>,
}

impl ScenarioBuilder {
    /// A scenario of this system: 30 s of load, 10 s of recovery, and nothing that goes wrong.
    pub fn new(system: &str) -> ScenarioBuilder {
        let text = format!(
            "description = \"Built in Rust.\"\nsystem = {}\nseed = 1\nduration = \"30s\"\nrecovery = \
             \"10s\"\n",
            toml::Value::from(system)
        );
        ScenarioBuilder { name: "built".into(), text, overrides: vec![], defects: vec![] }
    }

    /// The scenario's name in reports: `mine/leader-killed`.
    pub fn name(mut self, name: &str) -> ScenarioBuilder {
        self.name = name.to_owned();
        self
    }

    /// Set a key by its path to a TOML value, as `--set` does: `("workload.rate", "50")`.
    pub fn set(mut self, key: &str, value: &str) -> ScenarioBuilder {
        self.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Add an entry of the nemesis: the lines below `[[nemesis]]`.
    pub fn nemesis(mut self, entry: &str) -> ScenarioBuilder {
        self.text += &format!("\n[[nemesis]]\n{entry}\n");
        self
    }

    /// Plant a defect.
    pub fn defect(mut self, name: &str) -> ScenarioBuilder {
        self.defects.push(name.to_owned());
        self
    }

    /// Read and check it.
    pub fn build(&self) -> Result<Scenario, Error> {
        read_text(&self.name, &self.text, &self.overrides, &self.defects)
    }
}
