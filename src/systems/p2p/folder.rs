//! The files of a peer: those in its shared folder, those beside it, and those on their way.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::node::Ctx;
use super::settings::P2pSettings;
use super::vocabulary::{FileAt, FileOrigin, word};
use crate::node::DiskOp;
use crate::vocabulary::Digest64;

/// The shared folder.
pub const SHARED: &str = "share/";
/// What lies beside it.
const HIDDEN: &str = "private/";
/// The ending of a file that is not complete.
const PART: &str = ".part";
/// A file that says that the first files were made.
const MADE: &str = "made";

/// Where a file of the shared folder lies.
pub fn shared(name: &str) -> String {
    format!("{SHARED}{name}")
}

/// Where it lies until it is complete.
pub fn part(name: &str) -> String {
    format!("{SHARED}{name}{PART}")
}

/// Where a path below the shared folder leads if `..` is followed: where a program that does not
/// look ends up.
pub fn resolved(path: &str) -> String {
    let mut steps: Vec<&str> = vec![SHARED.trim_end_matches('/')];
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            name => steps.push(name),
        }
    }
    steps.join("/")
}

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// At the start: remove what transfers have left half done, tell of the other files, and make the
/// first ones.
pub fn boot(ctx: &mut Ctx<'_>, settings: &P2pSettings) {
    let files = ctx.files();
    for path in &files {
        if path.ends_with(PART) {
            ctx.save(DiskOp::Remove { file: path.clone().into() });
        } else if let Some(bytes) = ctx.read(path).filter(|_| path.contains('/')) {
            tell(ctx, FileOrigin::Found, path, bytes.len() as u64, xxh3_64(&bytes));
        }
    }
    if files.iter().any(|path| path == MADE) {
        return;
    }
    let (least, most) = settings.file_bytes;
    for number in 1..=settings.files {
        let name = format!("{}-{number}.dat", ctx.name(ctx.id()));
        let bytes = ctx.rng().between(least, most);
        create(ctx, &name, bytes as usize, false);
    }
    ctx.replace(MADE, vec![1]);
}

/// A file appears, with content that depends on its peer, its name and its length.
pub fn create(ctx: &mut Ctx<'_>, name: &str, bytes: usize, hidden: bool) {
    let path = if hidden { format!("{HIDDEN}{name}") } else { shared(name) };
    let source = format!("{} {name} {bytes}", ctx.name(ctx.id()));
    let blocks = (0..bytes.div_ceil(8) as u64)
        .flat_map(|block| xxh3_64_with_seed(source.as_bytes(), block).to_le_bytes());
    let content: Vec<u8> = blocks.take(bytes).collect();
    tell(ctx, FileOrigin::Created, &path, bytes as u64, xxh3_64(&content));
    ctx.save(DiskOp::Replace { file: path.into(), bytes: content });
}

/// Tell that a file lies at a path.
pub fn tell(ctx: &mut Ctx<'_>, how: FileOrigin, path: &str, bytes: u64, digest: u64) {
    ctx.emit(FileAt { how, bytes, digest: Digest64(digest), path: word(path) });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dots lead out of the folder, for a program that follows them.
    #[test]
    fn dots_lead_out() {
        assert_eq!(resolved("../private/diary.txt"), "private/diary.txt");
        assert_eq!(resolved("song.txt"), "share/song.txt");
        assert_eq!(base_name("../private/diary.txt"), "diary.txt");
    }
}
