//! The files of a submission, in memory: bounded in size, with names that mean the same everywhere,
//! and without clutter.
//!
//! A folder and an archive of it give the same tree, hence the same digest and the same points.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::model::{Outcome, OutcomeKind, Text};
use crate::error::excerpt;
use crate::report::Temporary;

/// The most files and folders that a submission may have.
pub const ENTRIES_MAX: usize = 10_000;
/// The most bytes that a submission may have. They are counted during unpacking, because an archive
/// may lie about its size.
pub const BYTES_MAX: u64 = 64 << 20;
/// Maximum bytes of a path and of one of its parts: what file systems allow.
const PATH_MAX: usize = 1_024;
const PART_MAX: usize = 255;

/// Files and folders that tools leave behind. `._` files come from macOS.
const CLUTTER: [&str; 14] = [
    "__MACOSX",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    ".git",
    ".hg",
    ".svn",
    ".idea",
    ".vscode",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    "node_modules",
];
/// A folder that contains all entries of one of these lists is generated and is left out: a build's
/// output, a Python virtual environment, and what the testbed itself writes when a student tries a
/// program (reports and grading results).
const MARKERS: [&[&str]; 4] = [
    &["CACHEDIR.TAG"],
    &["pyvenv.cfg"],
    &["results.json", "scenario.toml"],
    &["results", "students"],
];

fn is_remade(has: impl Fn(&str) -> bool) -> bool {
    MARKERS.iter().any(|marker| marker.iter().all(|name| has(name)))
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether it is executable. No other permission is kept, least of all setuid.
    pub executable: bool,
}

/// Files by path, with `/` between the parts. Empty folders are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Ordered by path.
    pub files: BTreeMap<String, File>,
}

impl Tree {
    /// The first 32 hexadecimal digits of SHA-256 over the sorted paths and contents. Permissions
    /// and times are left out, because they change on the way from the student's machine.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (path, file) in &self.files {
            // With the lengths included, no two trees give the same bytes.
            for bytes in [path.as_bytes(), &file.bytes] {
                digest.update((bytes.len() as u64).to_le_bytes());
                digest.update(bytes);
            }
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The names of the files at the top level, in order.
    pub fn top(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|path| !path.contains('/'))
    }

    /// Whether there is a file with this path.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Write all files into a folder, readable by everybody and writable by nobody.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        for (path, file) in &self.files {
            let place = folder.join(path);
            fs::create_dir_all(place.parent().unwrap_or(folder))?;
            fs::write(&place, &file.bytes)?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(
                    &place,
                    fs::Permissions::from_mode(if file.executable { 0o555 } else { 0o444 }),
                )?;
            }
        }
        Ok(())
    }
}

/// The outcome for refused files: the submission is to blame.
pub(super) fn refused(message: Text, hint: Text) -> Outcome {
    Outcome::not_graded(OutcomeKind::Unreadable, message, hint)
}

/// The outcome for files that the machine cannot read: that costs no points.
pub(super) fn failed(path: &Path, cause: &io::Error) -> Outcome {
    let path = path.display();
    let message = Text::new(
        format!("cannot read `{path}`: {cause}"),
        format!("no se puede leer `{path}`: {cause}"),
    );
    let hint = Text::new(
        "make it readable and grade it again",
        "da permiso de lectura y vuelve a calificar",
    );
    Outcome::not_graded(OutcomeKind::InternalError, message, hint)
}

fn pack_again() -> Text {
    Text::new(
        "pack the folder with the program again, with nothing else in it",
        "vuelve a comprimir la carpeta del programa, sin nada más dentro",
    )
}

/// Collects files one by one and refuses hostile ones.
#[derive(Debug)]
pub(super) struct Gatherer {
    /// Generated folders, each with a trailing `/`.
    remade: BTreeSet<String>,
    files: BTreeMap<String, File>,
    /// Files and folders by lowercase name, each with its actual name and whether it is a folder.
    folded: BTreeMap<String, (String, bool)>,
    bytes: u64,
}

impl Gatherer {
    /// `names` are all names to come; invalid ones are refused when they come.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a [u8]>) -> Gatherer {
        let mut within: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for path in names.filter_map(|name| normal(std::str::from_utf8(name).ok()?).ok()) {
            for (end, _) in path.match_indices('/') {
                let inner = path[end + 1..].split('/').next().unwrap_or_default();
                if MARKERS.iter().any(|marker| marker.contains(&inner)) {
                    within.entry(path[..=end].to_owned()).or_default().insert(inner.to_owned());
                }
            }
        }
        let remade = within
            .into_iter()
            .filter(|(_, names)| is_remade(|name| names.contains(name)))
            .map(|(folder, _)| folder);
        Gatherer {
            remade: remade.collect(),
            files: BTreeMap::new(),
            folded: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// The path for a name; `None` if it is clutter. All names are checked, even those of files
    /// that are then left out.
    pub(super) fn path(&self, name: &[u8]) -> Result<Option<String>, Outcome> {
        let Ok(text) = std::str::from_utf8(name) else {
            let name = excerpt(&String::from_utf8_lossy(name));
            let message = Text::new(
                format!("the name `{name}` is not UTF-8"),
                format!("el nombre `{name}` no está en UTF-8"),
            );
            return Err(refused(
                message,
                Text::new(
                    "rename the file with plain letters",
                    "pon al archivo un nombre sin acentos ni símbolos",
                ),
            ));
        };
        let path = normal(text).map_err(|why| {
            let name = excerpt(text);
            let message = Text::new(
                format!("the name `{name}` {}", why.en),
                format!("el nombre `{name}` {}", why.get(super::model::Lang::Es)),
            );
            refused(message, pack_again())
        })?;
        let is_clutter = |part: &str| CLUTTER.contains(&part) || part.starts_with("._");
        let is_remade =
            || self.remade.iter().any(|folder| format!("{path}/").starts_with(folder.as_str()));
        let is_kept = !path.is_empty() && !path.split('/').any(is_clutter) && !is_remade();
        Ok(is_kept.then_some(path))
    }

    /// Add a folder.
    pub(super) fn folder(&mut self, path: &str) -> Result<(), Outcome> {
        self.name(path, true)
    }

    /// Add a file. `damaged` converts a failure to read it.
    pub(super) fn file(
        &mut self,
        path: String,
        executable: bool,
        content: impl Read,
        damaged: impl FnOnce(io::Error) -> Outcome,
    ) -> Result<(), Outcome> {
        self.name(&path, false)?;
        let mut bytes = Vec::new();
        content.take(BYTES_MAX - self.bytes + 1).read_to_end(&mut bytes).map_err(damaged)?;
        self.bytes += bytes.len() as u64;
        if self.bytes > BYTES_MAX {
            return Err(too_large());
        }
        self.files.insert(path, File { bytes, executable });
        Ok(())
    }

    /// Refuse a link or a device. Even links that stay inside are refused, because no program needs
    /// one and its meaning changes when it is moved.
    pub(super) fn special(&self, path: &str, what: &Text) -> Outcome {
        let path = excerpt(path);
        let es = what.get(super::model::Lang::Es);
        let message = Text::new(format!("`{path}` is {}", what.en), format!("`{path}` es {es}"));
        let hint = Text::new(
            "hand in plain files and folders only",
            "entrega solo archivos y carpetas normales",
        );
        refused(message, hint)
    }

    /// Record a name and its parent folders, and refuse names that would collide on another
    /// machine.
    fn name(&mut self, path: &str, is_folder: bool) -> Result<(), Outcome> {
        let ends =
            path.match_indices('/').map(|(end, _)| (end, true)).chain([(path.len(), is_folder)]);
        for (end, is_folder) in ends {
            let part = &path[..end];
            let earlier = self.folded.insert(part.to_lowercase(), (part.to_owned(), is_folder));
            let Some((name, was_folder)) = earlier else { continue };
            let (a, b) = (excerpt(&name), excerpt(part));
            if name != part {
                let message = Text::new(
                    format!("`{a}` and `{b}` differ only in case"),
                    format!("`{a}` y `{b}` solo se distinguen por las mayúsculas"),
                );
                return Err(refused(
                    message,
                    Text::new("rename one of them", "cambia el nombre de uno de los dos"),
                ));
            }
            if !(is_folder && was_folder) {
                let message =
                    Text::new(format!("`{a}` occurs twice"), format!("`{a}` aparece dos veces"));
                return Err(refused(message, pack_again()));
            }
        }
        if self.folded.len() > ENTRIES_MAX {
            let message = Text::new(
                format!("there are more than {ENTRIES_MAX} files and folders"),
                format!("hay más de {ENTRIES_MAX} archivos y carpetas"),
            );
            return Err(refused(message, pack_again()));
        }
        Ok(())
    }

    /// The tree, without the top-level folders that contain all of it.
    pub(super) fn finish(self) -> Result<Tree, Outcome> {
        let mut files = self.files;
        if files.is_empty() {
            let message = Text::new("it contains no files", "no contiene ningún archivo");
            let hint = Text::new(
                "hand in the folder with the program",
                "entrega la carpeta con el programa",
            );
            return Err(Outcome::not_graded(OutcomeKind::NoProgram, message, hint));
        }
        while let Some(folder) = common_folder(&files) {
            files = files
                .into_iter()
                .map(|(path, file)| (path[folder.len()..].to_owned(), file))
                .collect();
        }
        Ok(Tree { files })
    }
}

/// The submission is too large.
pub(super) fn too_large() -> Outcome {
    let mib = BYTES_MAX >> 20;
    let message = Text::new(
        format!("it has more than {mib} MiB when unpacked"),
        format!("descomprimido ocupa más de {mib} MiB"),
    );
    refused(message, pack_again())
}

/// The folder that contains all files, with a trailing `/`.
fn common_folder(files: &BTreeMap<String, File>) -> Option<String> {
    let (folder, _) = files.keys().next()?.split_once('/')?;
    let folder = format!("{folder}/");
    files.keys().all(|path| path.starts_with(&folder)).then_some(folder)
}

/// A name as a path of plain parts; empty for the folder itself. Archives made on Windows may use
/// `\`.
fn normal(name: &str) -> Result<String, Text> {
    let name = name.replace('\\', "/");
    if name.chars().any(char::is_control) {
        return Err(Text::new("has control characters", "tiene caracteres de control"));
    }
    let drive = name.as_bytes();
    if name.starts_with('/')
        || (drive.len() > 1 && drive[0].is_ascii_alphabetic() && drive[1] == b':')
    {
        return Err(Text::new("is absolute", "es una ruta absoluta"));
    }
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Text::new("leads outside the submission", "apunta fuera de la entrega"));
    }
    if name.len() > PATH_MAX || parts.iter().any(|part| part.len() > PART_MAX) {
        return Err(Text::new("is too long", "es demasiado largo"));
    }
    Ok(parts.join("/"))
}

/// The files below a folder.
pub(super) fn read_folder(folder: &Path) -> Result<Tree, Outcome> {
    let mut found = Vec::new();
    list(folder, "", &mut found)?;
    let mut gatherer = Gatherer::new(found.iter().map(|(name, _)| name.as_slice()));
    for (name, kind) in &found {
        let Some(path) = gatherer.path(name)? else { continue };
        match kind {
            Found::Folder => gatherer.folder(&path)?,
            Found::Special(what) => return Err(gatherer.special(&path, what)),
            Found::File { place, executable } => {
                let content = fs::File::open(place).map_err(|cause| failed(place, &cause))?;
                gatherer.file(path, *executable, content, |cause| failed(place, &cause))?;
            }
        }
    }
    gatherer.finish()
}

enum Found {
    Folder,
    File { place: std::path::PathBuf, executable: bool },
    Special(Text),
}

/// Everything below a folder, ordered by name. Clutter is not searched: it may have millions of
/// files.
fn list(folder: &Path, prefix: &str, found: &mut Vec<(Vec<u8>, Found)>) -> Result<(), Outcome> {
    let failed = |cause: io::Error| failed(folder, &cause);
    let mut entries =
        fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    // The submission's own folder never counts as generated.
    if !prefix.is_empty()
        && is_remade(|name| entries.iter().any(|entry| entry.file_name() == *name))
    {
        return Ok(());
    }
    for entry in entries {
        let name = entry.file_name();
        if CLUTTER.iter().any(|clutter| name == *clutter) {
            continue;
        }
        let mut path = prefix.as_bytes().to_vec();
        path.extend_from_slice(name.as_encoded_bytes());
        let place = entry.path();
        let info = fs::symlink_metadata(&place).map_err(|cause| self::failed(&place, &cause))?;
        if info.is_dir() {
            found.push((path.clone(), Found::Folder));
            // A name that is not UTF-8 is refused when it is added, so there is no need to look
            // below it.
            if let Ok(prefix) = std::str::from_utf8(&path) {
                if prefix.len() > PATH_MAX {
                    return Ok(());
                }
                list(&place, &format!("{prefix}/"), found)?;
            }
        } else if info.is_file() {
            found.push((path, Found::File { executable: is_executable(&info), place }));
        } else if info.is_symlink() {
            found.push((path, Found::Special(link())));
        } else {
            found.push((path, Found::Special(device())));
        }
        // Enough to be refused.
        if found.len() > 2 * ENTRIES_MAX {
            return Ok(());
        }
    }
    Ok(())
}

/// The words for a symbolic link.
pub(super) fn link() -> Text {
    Text::new("a symbolic link", "un enlace simbólico")
}

/// The words for a device, a pipe or a socket.
pub(super) fn device() -> Text {
    Text::new("a device, a pipe or a socket", "un dispositivo, una tubería o un socket")
}

#[cfg(unix)]
fn is_executable(info: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    info.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

/// A fresh folder that other users can read, because the program may run as another user.
pub(super) fn working_copy() -> std::io::Result<Temporary> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("seedbed-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o755));
    }
    Temporary::make(|| builder.tempdir())
}

/// A text with Unix line endings.
pub(super) fn without_returns(text: &[u8]) -> Vec<u8> {
    let is_kept = |(i, byte): (usize, &u8)| {
        (*byte != b'\r' || text.get(i + 1) != Some(&b'\n')).then_some(*byte)
    };
    text.iter().enumerate().filter_map(is_kept).collect()
}
