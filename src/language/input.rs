//! Files that a scenario names: a song, a table. They are a part of what decides a run, as the text
//! is.
//!
//! The reader takes them in before anything runs, so the simulation touches no file. A file lies
//! beside the scenario or below it, so that a scenario can be given away with its folder and reads
//! nothing else of the machine. The resolved scenario names it below `inputs/` with a digest of its
//! content; a report keeps a copy there, and refuses one that has changed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{excerpt, nearest};

use super::reader::{Key, Problem, Section};
use super::tree::{Item, Value};
use super::units::show_text;

/// A larger file is refused before it is read: minutes of music have a few megabytes.
pub const INPUT_BYTES_MAX: u64 = 16 << 20;

/// More files than this no scenario names.
const INPUTS_MAX: usize = 8;

/// Where a report keeps them.
pub const INPUTS_FOLDER: &str = "inputs";

/// A file that a scenario names.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    /// As the resolved scenario names it, and where a report keeps it: `inputs/melody.wav`.
    pub path: String,
    /// What it holds.
    pub bytes: Arc<[u8]>,
    /// XXH3 of its content.
    pub digest: u64,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({}, {} bytes, #{:016x})", self.path, self.bytes.len(), self.digest)
    }
}

impl Section<'_> {
    /// Files, relative to the folder of the scenario, as a list or a single one; and what they must
    /// hold, where the text says so.
    pub fn inputs(&mut self, key: &'static str, doc: &'static str) -> Vec<Input> {
        let name = Key { name: key, kind: "a path or a list of paths", range: String::new(), doc };
        let inputs = match self.take(&name, None).map(|entry| &entry.item) {
            Some(Item { value: Value::List(list), at }) if list.len() > INPUTS_MAX => {
                self.complain(
                    &name,
                    Problem::new(
                        at,
                        format!("{} files", list.len()),
                        format!("the most is {INPUTS_MAX}"),
                    ),
                );
                vec![]
            }
            Some(Item { value: Value::List(list), .. }) => {
                list.iter().filter_map(|item| self.input(&name, item)).collect()
            }
            Some(item) => self.input(&name, item).into_iter().collect(),
            None => vec![],
        };
        self.compare(key, &inputs);
        if !inputs.is_empty() {
            let list = |each: &dyn Fn(&Input) -> String| {
                format!("[{}]", inputs.iter().map(each).collect::<Vec<_>>().join(", "))
            };
            self.resolve(key, list(&|input| show_text(&input.path)));
            self.resolve(
                &digests_key(key),
                list(&|input| show_text(&format!("{:016x}", input.digest))),
            );
        }
        self.reading.add_inputs(&inputs);
        inputs
    }

    fn input(&self, key: &Key<'_>, item: &Item) -> Option<Input> {
        let read = match item.text() {
            Some(path) => read_input(self.reading.folder(), path, item),
            None => Err(Problem::found(
                item,
                "a path stands in quotation marks and is relative to the scenario's folder",
            )),
        };
        read.map_err(|problem| self.complain(key, problem)).ok()
    }

    /// A report says what its files held when it ran; a changed file would make another run.
    fn compare(&mut self, key: &str, inputs: &[Input]) {
        let name = digests_key(key);
        let doc = "What the files must hold, each by its XXH3 in 16 hexadecimal digits. A report \
            fills it in; left out, the files may hold anything.";
        let name = Key { name: &name, kind: "a list of texts", range: String::new(), doc };
        let Some(entry) = self.take(&name, None) else { return };
        let Value::List(digests) = &entry.item.value else {
            let hint = format!(
                "leave it out: a report fills it in, as {}_xxh3 = [\"0123456789abcdef\"]",
                key
            );
            return self.complain(&name, Problem::found(&entry.item, hint));
        };
        for (digest, input) in digests.iter().zip(inputs) {
            let found = format!("{:016x}", input.digest);
            if digest.text() == Some(&found) {
                continue;
            }
            let hint = "put the file back as it was, or leave the digests out";
            let message = Some(format!(
                "`{}` does not hold what it held when this scenario was written",
                input.path
            ));
            self.complain(
                &name,
                Problem {
                    message,
                    ..Problem::new(&digest.at, format!("the file has {found}"), hint)
                },
            );
        }
    }
}

fn digests_key(key: &str) -> String {
    format!("{key}_xxh3")
}

fn read_input(folder: Option<&Path>, path: &str, item: &Item) -> Result<Input, Problem> {
    let refused = |label: &str, message: String, hint: &str| Problem {
        message: Some(message),
        ..Problem::new(&item.at, label, hint)
    };
    let shown = excerpt(path);
    let parts = parts(path).ok_or_else(|| {
        let hint = "name the file by its path from the scenario's folder, without `..`, and copy \
            it there if need be";
        refused(
            "leads elsewhere",
            format!("`{shown}` does not lie beside the scenario or below its folder"),
            hint,
        )
    })?;
    let folder = folder.ok_or_else(|| {
        let message =
            format!("`{shown}` cannot be found: the text of this scenario lies in no folder");
        refused("of no folder", message, "read the scenario from its file")
    })?;
    let place = folder.join(&parts);
    let not_read = |cause: &std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => {
            let hint = match file_beside(&place, path) {
                Some(near) => format!(
                    "did you mean `{near}`? the path is relative to the folder of the scenario file"
                ),
                None => "the path is relative to the folder of the scenario file".into(),
            };
            refused("no such file", format!("there is no file `{}`", place.display()), &hint)
        }
        _ => {
            let message =
                format!("cannot read `{}`: {}", place.display(), crate::error::io_reason(cause));
            refused(
                "not readable",
                message,
                "give yourself the right to read the file and its folder",
            )
        }
    };
    let real = place.canonicalize().map_err(|cause| not_read(&cause))?;
    // A symbolic link may lead anywhere.
    let home = folder_or_here(folder).canonicalize().map_err(|cause| not_read(&cause))?;
    if !real.starts_with(&home) {
        let message = format!("`{shown}` is a link that leads out of the scenario's folder");
        return Err(refused("leads elsewhere", message, "copy the file beside the scenario"));
    }
    // To open a pipe waits for somebody who writes to it, and a device may never end.
    if !real.is_file() {
        let message = format!("`{shown}` is not a regular file but a folder, a pipe or a device");
        return Err(refused("not a regular file", message, "name a file, as in \"melody.wav\""));
    }
    let too_large = || {
        let message =
            format!("`{shown}` has more than {INPUT_BYTES_MAX} bytes, the most that is read");
        refused("too large", message, "cut the file: a run plays some seconds of it")
    };
    let file = File::open(&real).map_err(|cause| not_read(&cause))?;
    let mut bytes = vec![];
    if file.metadata().map_err(|cause| not_read(&cause))?.len() > INPUT_BYTES_MAX {
        return Err(too_large());
    }
    file.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|cause| not_read(&cause))?;
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        return Err(too_large());
    }
    let parts: Vec<String> = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let below = if parts[0] == INPUTS_FOLDER { &parts[1..] } else { &parts[..] };
    let digest = xxh3_64(&bytes);
    Ok(Input { path: format!("{INPUTS_FOLDER}/{}", below.join("/")), bytes: bytes.into(), digest })
}

/// The path of a file in the same folder whose name is near.
fn file_beside(place: &Path, path: &str) -> Option<String> {
    let entries = std::fs::read_dir(place.parent()?).ok()?.take(1_000).flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let near = nearest(&place.file_name()?.to_string_lossy(), names.iter().map(String::as_str))?
        .to_owned();
    Some(Path::new(path).with_file_name(near).display().to_string())
}

/// The path without empty steps and `.`, or `None` where it could lead out of its folder. `inputs`
/// alone is not a file.
fn parts(path: &str) -> Option<PathBuf> {
    if path.contains(['\\', '\0']) || path.len() > 1_000 {
        return None;
    }
    let mut parts = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    let file = parts.iter().count() > usize::from(parts.starts_with(INPUTS_FOLDER));
    file.then_some(parts)
}

fn folder_or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}
