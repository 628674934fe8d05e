//! A scenario built in Rust, run with a defect and judged; and the moments at which the defect
//! acted, which no check can see.
//!
//! ```sh
//! cargo run --release --example defects_from_rust
//! ```

use seedbed::error::Error;
use seedbed::run_scenario;
use seedbed::systems::ScenarioBuilder;

fn main() -> Result<(), Error> {
    let built = ScenarioBuilder::new("raft")
        .name("mine/leader-isolated")
        .set("nodes.count", "5")
        .set("duration", "\"10s\"")
        .nemesis(
            "at = \"3s\"\nduration = \"3s\"\nfault = \"partition\"\nshape = \"one\"\n\
             targets = \"leader\"",
        )
        .defect("reply-on-append");
    let scenario = built.build()?;
    for seed in 0..3 {
        let run = run_scenario(&scenario, seed);
        println!("seed {seed}: {}, digest {}", run.verdict().word(), run.digest);
        if let Some(violation) = run.first_violation() {
            println!("  {} µs: {}", violation.time_us, violation.message);
        }
        let before = run.first_violation().map_or(u64::MAX, |violation| violation.time_us);
        let acted = run.acted.iter().filter(|acted| acted.time_us <= before);
        println!("  the defect had acted {} times by then", acted.count());
    }
    Ok(())
}
