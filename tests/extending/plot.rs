//! How many terms there were.

use crate::plots::{Bars, Plot, bars};

/// Leaders as one bar.
pub static TERMS: Plot = Plot {
    name: "terms",
    summary: "How often a server became leader",
    draw: |trace| {
        let leaders = trace.events.iter().filter(|event| event.name == "leader").count();
        let row = Bars {
            axis: "leaders".into(),
            names: vec!["all".into()],
            rows: vec![vec![leaders as f64]],
        };
        (leaders > 0).then(|| bars("Terms", &["run".into()], &[(1.0, row)]))
    },
};
