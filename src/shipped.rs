//! Finds the scenarios and assignments that ship with seedbed, for users who work in another
//! folder.
//!
//! A path below `scenarios` means the same everywhere: a file in the current folder if it exists,
//! otherwise a file in the project, which is searched above the executable and where it was built.
//! So students can work in their program's folder, and instructors where their submissions are.

use std::path::{Path, PathBuf};

/// The folder of everything that ships.
const FOLDER: &str = "scenarios";

/// The path itself if it exists or names nothing that ships; otherwise the path of the shipped
/// file.
pub fn locate(path: &Path) -> PathBuf {
    if path.exists() || !path.starts_with(FOLDER) {
        return path.to_owned();
    }
    projects()
        .map(|project| project.join(path))
        .find(|place| place.exists())
        .unwrap_or_else(|| path.to_owned())
}

/// A located path as a user would write it: relative to the project if it was found below
/// `scenarios`.
pub fn as_written(place: &Path) -> PathBuf {
    let short = projects().find_map(|project| Some(place.strip_prefix(project).ok()?.to_owned()));
    short
        .filter(|short| short.starts_with(FOLDER) && locate(short) == place)
        .unwrap_or_else(|| place.to_owned())
}

/// The folders in which the project may be.
fn projects() -> impl Iterator<Item = PathBuf> {
    let executable = std::env::current_exe().ok();
    let above: Vec<PathBuf> = executable
        .iter()
        .flat_map(|path| path.ancestors().skip(1))
        .map(Path::to_path_buf)
        .collect();
    above
        .into_iter()
        .chain([PathBuf::from(env!("CARGO_MANIFEST_DIR"))])
        .filter(|folder| folder.join(FOLDER).join("assignments").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_meant_as_it_is() {
        for path in [
            "Cargo.toml",
            "no/such/file",
            "scenarios/no-such.toml",
            "/",
            "scenarios/raft/tour.toml",
        ] {
            assert_eq!(
                locate(Path::new(path)),
                Path::new(path),
                "tests run in the project's folder"
            );
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(as_written(&here.join("README.md")), here.join("README.md"));
        // In the project's folder both are the same file, but a user elsewhere writes only one of
        // them.
        assert_eq!(
            as_written(Path::new("scenarios/raft/tour.toml")),
            Path::new("scenarios/raft/tour.toml")
        );
    }
}
