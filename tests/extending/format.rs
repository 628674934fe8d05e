//! The score alone, for scripts.

use super::{Format, Make};

/// `score.txt`.
pub static FORMAT: Format = Format {
    file: "score.txt",
    reader: "scripts",
    make: Make::Student(|graded, _| format!("{}/{}\n", graded.score, graded.max).into_bytes()),
};
