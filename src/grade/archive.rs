//! Archives that students hand in: `.zip`, `.tar`, `.tar.gz`. They are untrusted input.
//!
//! The first bytes decide the type of an archive, not its name, because browsers and learning
//! platforms rename files. Everything is unpacked in memory, within the limits of `tree`, and
//! nothing is written before all of it was found harmless. Names that lead outside, duplicate
//! names, names that differ only in case, links of any kind, devices, encryption, compression
//! methods other than deflate, and truncated archives are refused.

use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tar::EntryType;
use zip::CompressionMethod;
use zip::ZipArchive;

use super::model::{Outcome, Text};
use super::tree::{
    BYTES_MAX, ENTRIES_MAX, Gatherer, Tree, device, failed, link, refused, too_large,
};
use crate::error::excerpt;

/// The extensions of supported archives, longer ones before their own suffixes.
pub const ENDINGS: [&str; 4] = [".tar.gz", ".tgz", ".tar", ".zip"];
/// The extensions of unsupported archives: such a file is a submission that is refused, not a file
/// to be ignored.
pub(super) const FOREIGN_ENDINGS: [&str; 6] =
    [".rar", ".7z", ".tar.xz", ".tar.bz2", ".tar.zst", ".gz"];

/// Maximum size of a tar archive: each file has a header block (three with a long name) and is
/// padded to whole blocks.
const TAR_MAX: u64 = BYTES_MAX + 4 * BLOCK * ENTRIES_MAX as u64;
const BLOCK: u64 = 512;

/// The file type bits of a Unix mode.
const KIND: u32 = 0o170_000;
const KIND_FOLDER: u32 = 0o040_000;
const KIND_FILE: u32 = 0o100_000;
const KIND_LINK: u32 = 0o120_000;

/// Unpack an archive.
pub fn read_archive(path: &Path) -> Result<Tree, Outcome> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|cause| failed(path, &cause))?;
    file.take(TAR_MAX + 1).read_to_end(&mut bytes).map_err(|cause| failed(path, &cause))?;
    if bytes.len() as u64 > TAR_MAX {
        return Err(too_large());
    }
    let is_named_tar = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tar"));
    match &bytes[..] {
        [] => Err(refused(
            Text::new("the file is empty", "el archivo está vacío"),
            Text::new(
                "hand it in again: the upload was empty",
                "entrégalo otra vez: ha llegado vacío",
            ),
        )),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => read_zip(&bytes),
        [0x1f, 0x8b, ..] => {
            let mut unpacked = Vec::new();
            MultiGzDecoder::new(&bytes[..])
                .take(TAR_MAX + 1)
                .read_to_end(&mut unpacked)
                .map_err(|cause| damaged(&cause))?;
            if unpacked.len() as u64 > TAR_MAX { Err(too_large()) } else { read_tar(&unpacked) }
        }
        _ if is_tar(&bytes) || is_named_tar => read_tar(&bytes),
        _ => Err(foreign(&bytes)),
    }
}

fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

fn foreign(bytes: &[u8]) -> Outcome {
    let what = match bytes {
        [b'R', b'a', b'r', b'!', ..] => "RAR",
        [b'7', b'z', 0xbc, 0xaf, ..] => "7z",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        [b'B', b'Z', b'h', ..] => "bzip2",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [b'%', b'P', b'D', b'F', ..] => "PDF",
        _ => "",
    };
    let message = if what.is_empty() {
        Text::new(
            "it is not an archive, whatever its name says",
            "no es un archivo comprimido, diga lo que diga su nombre",
        )
    } else {
        Text::new(
            format!("it is a {what} file, which is not supported"),
            format!("es un archivo {what}, un formato no admitido"),
        )
    };
    refused(
        message,
        Text::new("pack the folder as .zip or .tar.gz", "comprime la carpeta como .zip o .tar.gz"),
    )
}

fn damaged(cause: &dyn std::fmt::Display) -> Outcome {
    let cause = excerpt(&cause.to_string());
    let message = Text::new(
        format!("the archive is damaged or truncated: {cause}"),
        format!("el archivo comprimido está dañado o incompleto: {cause}"),
    );
    refused(
        message,
        Text::new("pack it again and hand it in again", "vuelve a comprimirlo y a entregarlo"),
    )
}

fn read_tar(bytes: &[u8]) -> Result<Tree, Outcome> {
    let damaged = |cause: io::Error| damaged(&cause);
    // Empty blocks mark the end of an archive. Without them the rest may be missing even though the
    // last file is whole.
    if bytes.len() < BLOCK as usize
        || bytes[bytes.len() - BLOCK as usize..].iter().any(|byte| *byte != 0)
    {
        return Err(damaged(io::Error::other("its end is missing")));
    }
    let mut names = Vec::new();
    for entry in tar::Archive::new(Cursor::new(bytes)).entries().map_err(damaged)? {
        names.push(entry.map_err(damaged)?.path_bytes().into_owned());
    }
    let mut gatherer = Gatherer::new(names.iter().map(Vec::as_slice));
    for entry in tar::Archive::new(Cursor::new(bytes)).entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        // A global header, as git writes it; it has a name but is not a file.
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let Some(path) = gatherer.path(&name)? else { continue };
        let executable = entry.header().mode().map_err(damaged)? & 0o100 != 0;
        match kind {
            EntryType::Directory => gatherer.folder(&path)?,
            // In very old archives folders have no type of their own.
            EntryType::Regular if name.ends_with(b"/") => gatherer.folder(&path)?,
            EntryType::Regular | EntryType::Continuous => {
                gatherer.file(path, executable, entry, damaged)?;
            }
            EntryType::Symlink => return Err(gatherer.special(&path, &link())),
            EntryType::Link => {
                return Err(gatherer.special(&path, &Text::new("a hard link", "un enlace duro")));
            }
            _ => return Err(gatherer.special(&path, &device())),
        }
    }
    gatherer.finish()
}

fn read_zip(bytes: &[u8]) -> Result<Tree, Outcome> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|cause| damaged(&cause))?;
    if archive.has_duplicate_names() {
        let message = Text::new(
            "two files in the archive have the same name",
            "dos archivos tienen el mismo nombre",
        );
        return Err(refused(
            message,
            Text::new("pack the folder again", "vuelve a comprimir la carpeta"),
        ));
    }
    let mut names = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(|cause| damaged(&cause))?;
        // A name that is not UTF-8 is in code page 437 (APPNOTE D.1), which Windows uses for
        // accents.
        let name = entry.name_raw().to_vec();
        let is_foreign = std::str::from_utf8(&name).is_err();
        names.push(
            entry
                .name()
                .ok()
                .filter(|_| is_foreign)
                .map_or(name, |decoded| decoded.as_bytes().to_vec()),
        );
    }
    let mut gatherer = Gatherer::new(names.iter().map(Vec::as_slice));
    for (i, name) in names.iter().enumerate() {
        let Some(path) = gatherer.path(name)? else { continue };
        let entry = archive.by_index_raw(i).map_err(|cause| damaged(&cause))?;
        // Zip files made on Windows have no mode.
        let mode = entry.unix_mode().unwrap_or(0);
        let (is_encrypted, method) = (entry.encrypted(), entry.compression());
        drop(entry);
        let is_folder = name.ends_with(b"/") || name.ends_with(b"\\");
        match mode & KIND {
            KIND_LINK => return Err(gatherer.special(&path, &link())),
            KIND_FOLDER | KIND_FILE | 0 if is_folder => gatherer.folder(&path)?,
            KIND_FOLDER => gatherer.folder(&path)?,
            KIND_FILE | 0 => {
                if is_encrypted {
                    let message = Text::new(
                        "the archive is password-protected",
                        "el archivo comprimido está protegido con contraseña",
                    );
                    return Err(refused(
                        message,
                        Text::new(
                            "pack the folder without a password",
                            "comprime la carpeta sin contraseña",
                        ),
                    ));
                }
                if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
                    let message = Text::new(
                        format!(
                            "`{}` is compressed with {method}, which is not supported",
                            excerpt(&path)
                        ),
                        format!(
                            "`{}` está comprimido con {method}, un método no admitido",
                            excerpt(&path)
                        ),
                    );
                    return Err(refused(
                        message,
                        Text::new(
                            "pack the folder as a plain .zip",
                            "comprime la carpeta como .zip normal",
                        ),
                    ));
                }
                let content = archive.by_index(i).map_err(|cause| damaged(&cause))?;
                gatherer.file(path, mode & 0o100 != 0, content, |cause| damaged(&cause))?;
            }
            _ => return Err(gatherer.special(&path, &device())),
        }
    }
    gatherer.finish()
}
