//! The list of faults is complete.

use super::super::{FAULTS, fault_name};
use super::timelines::every_fault;

/// Every fault that the type has is in the table exactly once, and nothing else; the example is one
/// of that fault.
#[test]
fn the_table_has_every_fault_once() {
    let mut listed: Vec<&str> = FAULTS.iter().map(|info| info.name).collect();
    let mut existing: Vec<&str> = every_fault().iter().map(fault_name).collect();
    existing.dedup();
    listed.sort_unstable();
    existing.sort_unstable();
    existing.dedup();
    assert_eq!(listed, existing);
    for info in FAULTS {
        assert!(info.example.contains(&format!("fault = \"{}\"", info.name)), "{}", info.name);
        assert!(info.summary.ends_with('.'), "{}", info.name);
    }
}
