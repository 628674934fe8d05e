//! Hidden seeds: derived from a course secret, so that a student can neither know them nor infer
//! them from earlier ones that leaked.
//!
//! The k-th hidden seed of an item is the first 63 bits of an HMAC-SHA256, keyed with the course
//! secret, over the assignment's name, the item's name, the student (or nothing) and k. With the
//! same secret it is the same on every machine and in every year, and none has to be stored.

use std::fmt;
use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Error;

/// The environment variable with the secret, used if there is no file.
pub const VARIABLE: &str = "SEEDBED_SECRET";

/// A shorter secret could be found by brute force.
pub const SECRET_BYTES_MIN: usize = 16;

/// A larger file is not a secret but something else.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

const HOW_TO_MAKE: &str = "create one that nobody can guess: `openssl rand -hex 32 > \
    course.secret; chmod 600 course.secret`";

/// The course secret. It is never printed, and never passed to a program under test.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The secret in these bytes, with surrounding whitespace removed.
    pub fn new(bytes: &[u8], place: &str) -> Result<Secret, Error> {
        let secret = bytes.trim_ascii();
        if secret.len() < SECRET_BYTES_MIN {
            let message = format!(
                "the course secret in {place} has {} bytes; with fewer than {SECRET_BYTES_MIN} it \
                can be guessed",
                secret.len()
            );
            return Err(Error::new(message, HOW_TO_MAKE));
        }
        Ok(Secret(secret.to_vec()))
    }

    /// The secret in a file, which no other user may be able to read.
    pub fn read(path: &Path) -> Result<Secret, Error> {
        let shown = path.display();
        let failed =
            |cause: &std::io::Error| Error::io("read the course secret", path, cause, HOW_TO_MAKE);
        let metadata = fs::metadata(path).map_err(|cause| failed(&cause))?;
        if !metadata.is_file() || metadata.len() > SECRET_BYTES_MAX {
            let message = format!(
                "the course secret `{shown}` is not a file of at most {SECRET_BYTES_MAX} bytes"
            );
            return Err(Error::new(message, HOW_TO_MAKE));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let message = format!(
                    "the course secret `{shown}` can be read by other users (its mode is \
                    {mode:03o})"
                );
                return Err(Error::new(
                    message,
                    format!(
                        "run `chmod 600 {shown}`; if others may have read it, create a new one"
                    ),
                ));
            }
        }
        Secret::new(&fs::read(path).map_err(|cause| failed(&cause))?, &format!("`{shown}`"))
    }

    /// The secret of a grading: from the file, otherwise from the variable, if there is either.
    pub fn find(file: Option<&Path>) -> Result<Option<Secret>, Error> {
        match (file, std::env::var_os(VARIABLE)) {
            (Some(file), _) => Secret::read(file).map(Some),
            (None, Some(value)) if !value.is_empty() => {
                Secret::new(value.as_encoded_bytes(), &format!("the variable {VARIABLE}")).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Distinguishes secrets without revealing them: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", self.draw(&[b"seedbed fingerprint"]))
    }

    /// The hidden seed `k` of an item, 63 bits. `student` is set if each student has their own
    /// seeds.
    pub fn seed(&self, assignment: &str, item: &str, student: Option<&str>, k: u32) -> u64 {
        let student =
            student.map_or_else(Vec::new, |student| [b"student ", student.as_bytes()].concat());
        let parts: [&[u8]; 5] = [
            b"seedbed hidden seed",
            assignment.as_bytes(),
            item.as_bytes(),
            &student,
            &k.to_be_bytes(),
        ];
        self.draw(&parts) >> 1
    }

    /// The first 64 bits of an HMAC-SHA256 over some parts, each prefixed with its length, so that
    /// no two lists of parts give the same bytes.
    fn draw(&self, parts: &[&[u8]]) -> u64 {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let code = mac.finalize().into_bytes();
        let mut first = [0; 8];
        first.copy_from_slice(&code[..8]);
        u64::from_be_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes(), "the test").expect("long enough")
    }

    /// Every input of a seed changes it, and nothing else does.
    #[test]
    fn a_seed_depends_on_all_that_names_it() {
        let one = secret("correct horse battery staple");
        let base = one.seed("raft", "leader", None, 0);
        assert_eq!(base, secret(" correct horse battery staple\n").seed("raft", "leader", None, 0));
        let others = [
            one.seed("raft-2", "leader", None, 0),
            one.seed("raft", "leaders", None, 0),
            one.seed("raft", "leader", Some("ada"), 0),
            one.seed("raft", "leader", Some("bob"), 0),
            one.seed("raft", "leader", Some(""), 0),
            one.seed("raft", "leader", None, 1),
            one.seed("raftl", "eader", None, 0),
            secret("incorrect horse battery staple").seed("raft", "leader", None, 0),
        ];
        let mut all = others.to_vec();
        all.push(base);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 9);
        assert!(all.iter().all(|seed| *seed <= i64::MAX as u64));
    }

    /// The seeds of a secret stay the same across versions: last year's grades can be repeated.
    #[test]
    fn seeds_stay_what_they_are() {
        let one = secret("correct horse battery staple");
        let seeds: Vec<u64> =
            (0..3).map(|k| one.seed("raft-election", "one-leader", None, k)).collect();
        insta::assert_debug_snapshot!((seeds, one.fingerprint()));
    }

    /// A secret that can be guessed, or that others can read, is refused.
    #[test]
    fn a_secret_that_is_none_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("course.secret");
        fs::write(&file, "short").expect("writable");
        let show = |result: Result<Secret, Error>| {
            result
                .expect_err("refused")
                .to_string()
                .replace(&folder.path().display().to_string(), "FOLDER")
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("one's own file");
            insta::assert_snapshot!("secret_readable_by_group", show(Secret::read(&file)));
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("one's own file");
        }
        insta::assert_snapshot!("secret_too_short", show(Secret::read(&file)));
        insta::assert_snapshot!("secret_missing", show(Secret::read(&folder.path().join("none"))));
        insta::assert_snapshot!("secret_is_a_folder", show(Secret::read(folder.path())));
        assert_eq!(format!("{:?}", secret("correct horse battery staple")), "Secret(…)");
    }
}
