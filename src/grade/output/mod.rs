//! The formats of results. Each is a pure function of [`Graded`].

use std::path::Path;

use super::model::{Graded, Lang};
use crate::error::Error;
use crate::report::{OTHER_FOLDER, replace_file};

/// The stored result of one submission, from which a batch resumes: `<out>/results/<id>.json`.
pub fn to_json(graded: &Graded) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(graded).unwrap_or_default();
    json.push(b'\n');
    json
}

/// Write all that concerns one submission, after it was graded: what stands in `out` is whole at any time.
pub fn write_one(graded: &Graded, out: &Path, lang: Lang) -> Result<(), Error> {
    let _ = lang;
    replace_file(&out.join("results").join(format!("{}.json", graded.submission.id)), &to_json(graded), OTHER_FOLDER)
}

/// Write what concerns the class, after all submissions: tables and files for learning platforms.
pub fn write_all(graded: &[Graded], out: &Path, lang: Lang) -> Result<(), Error> {
    let _ = (graded, out, lang);
    Ok(())
}
