//! Builds programs that are handed in as source.
//!
//! A build runs no code that a student could have written: no build scripts, no procedural macros,
//! no cargo settings, and no makefile recipes. The compiler is confined like a program all the
//! same: a source file can make it read any file (`include_str!`, `#include`), work forever, or
//! fill the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::model::{Outcome, OutcomeKind, Text};
use super::tree::{Tree, working_copy};
use crate::program::sandbox::{self, Confined, EXIT_NOT_ENTERED, Limits};
use crate::report::{Temporary, replace_file};

/// The name of the built executable in the working copy.
pub(super) const PROGRAM: &str = "seedbed-program";

/// How a program is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Build {
    /// `cargo build --release --offline`.
    Cargo,
    /// `cc` on these sources; a makefile only marks it as a C program.
    C(Vec<String>),
}

/// The longest a build may take, in real time. A longer one costs no points, because the speed of a
/// compiler depends on the machine.
const TIME_MAX: Duration = Duration::from_secs(300);
/// How many bytes of a compiler's messages are kept: the first errors cause the others.
const SAID_MAX: usize = 16 << 10;
/// Limits of an unconfined compiler: KiB of memory, and 512-byte blocks per written file.
const LIMITS: &str = "ulimit -v 8388608; ulimit -f 2097152; ulimit -c 0; exec \"$@\"";

/// Limits of a confined build.
const CONFINED: Limits = Limits {
    memory_bytes: 8 << 30,
    cpu_s: 1_200,
    file_bytes: 1 << 30,
    disk_bytes: 4 << 30,
    output_bytes: 16 << 20,
    open_files: 4_096,
    processes: 256,
};

/// A compiler.
struct Tool {
    /// `cargo` or `cc`.
    path: PathBuf,
    /// Its version.
    version: String,
    /// For cargo: the compiler itself, not the wrapper that chooses one.
    rustc: Option<PathBuf>,
    /// Paths that it must be able to read.
    readable: Vec<PathBuf>,
}

/// Build a program and return the executable, from the cache if it was built before.
pub(super) fn compile(
    build: Build,
    tree: &Tree,
    confined: Option<&Confined>,
) -> Result<Vec<u8>, Outcome> {
    if build == Build::Cargo {
        refuse_foreign_code(tree)?;
    }
    let tool = tool(&build)?;
    // The tree contains the SDK by now, so a new SDK changes the key.
    let key = Sha256::digest(format!("{}\n{}\n{build:?}", tool.version, tree.digest()));
    let key: String = key.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let kept = cache().map(|cache| cache.join(&key));
    if let Some(bytes) = kept.as_ref().and_then(|kept| fs::read(kept).ok()) {
        return Ok(bytes);
    }
    let bytes =
        build_in(&working_copy().map_err(|cause| failed(&cause))?, build, tree, &tool, confined)?;
    if let Some(kept) = kept {
        // If it cannot be cached, it is built again the next time.
        let _ = replace_file(&kept, &bytes, "");
    }
    Ok(bytes)
}

/// Where executables are cached: `$XDG_CACHE_HOME/seedbed/programs`, otherwise below `~/.cache`.
fn cache() -> Option<PathBuf> {
    let folder =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join("seedbed/programs"))
}

fn failed(cause: &io::Error) -> Outcome {
    let message = Text::new(
        format!("the program could not be built here: {cause}"),
        format!("no se pudo compilar aquí el programa: {cause}"),
    );
    let hint = Text::new(
        "`seedbed doctor` says what this machine lacks",
        "`seedbed doctor` dice qué le falta a esta máquina",
    );
    Outcome::not_graded(OutcomeKind::InternalError, message, hint)
}

fn build_failed(message: Text, hint: Text, detail: String) -> Outcome {
    Outcome { detail, ..Outcome::not_graded(OutcomeKind::BuildFailed, message, hint) }
}

/// Find a compiler by asking it for its version.
fn tool(build: &Build) -> Result<Tool, Outcome> {
    let ask = |name: &str, argument: &[&str]| {
        let output = Command::new(name).args(argument).stdin(Stdio::null()).output();
        let output = output
            .map_err(|cause| failed(&io::Error::new(cause.kind(), format!("`{name}`: {cause}"))))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if *build != Build::Cargo {
        return Ok(Tool {
            path: "cc".into(),
            version: ask("cc", &["--version"])?,
            rustc: None,
            readable: vec![],
        });
    }
    let version = ask("rustc", &["-vV"])?;
    // The `rustc` in the path may be a wrapper that chooses a toolchain by the user's settings,
    // which a confined one cannot read.
    let toolchain = PathBuf::from(ask("rustc", &["--print", "sysroot"])?);
    let own = |name: &str| Some(toolchain.join("bin").join(name)).filter(|path| path.is_file());
    // The packages and the settings of cargo's folder, but never the credentials.
    let home = cargo_home();
    let readable = home
        .iter()
        .flat_map(|home| ["registry", "git", "config.toml", "config"].map(|name| home.join(name)));
    let readable = readable.filter(|path| path.exists()).chain([toolchain.clone()]).collect();
    Ok(Tool {
        path: own("cargo").unwrap_or_else(|| "cargo".into()),
        version,
        rustc: own("rustc"),
        readable,
    })
}

fn cargo_home() -> Option<PathBuf> {
    let folder =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("CARGO_HOME").or_else(|| Some(folder("HOME")?.join(".cargo")))
}

/// Refuse packages that would run the student's code during the build, outside the program's
/// sandbox.
fn refuse_foreign_code(tree: &Tree) -> Result<(), Outcome> {
    let refuse = |path: &str, en: &str, es: &str| {
        let hint = Text::new(
            "remove it: only the compiler may run while a submission is built",
            "quítalo: al compilar solo se ejecuta el compilador",
        );
        build_failed(
            Text::new(format!("`{path}` {en}"), format!("`{path}` {es}")),
            hint,
            String::new(),
        )
    };
    for (path, file) in &tree.files {
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or(path);
        if name == "build.rs" && !path.contains("src/") {
            return Err(refuse(path, "is a build script", "es un script de compilación"));
        }
        if parts.any(|folder| folder == ".cargo") || name.starts_with("rust-toolchain") {
            return Err(refuse(
                path,
                "changes how cargo works",
                "cambia el funcionamiento de cargo",
            ));
        }
        if name != "Cargo.toml" {
            continue;
        }
        let text = String::from_utf8_lossy(&file.bytes);
        // Cargo has the better message for invalid TOML.
        let Ok(manifest) = text.trim_start_matches('\u{feff}').parse::<toml::Table>() else {
            continue;
        };
        let get =
            |table: &str, key: &str| manifest.get(table).and_then(|table| table.get(key)).cloned();
        if get("package", "build").is_some_and(|build| build.as_bool() != Some(false)) {
            return Err(refuse(path, "has a build script", "tiene un script de compilación"));
        }
        let kinds = get("lib", "crate-type").or_else(|| get("lib", "crate_type"));
        let is_macro = |kind: &toml::Value| kind.as_str() == Some("proc-macro");
        let says_macro = kinds
            .as_ref()
            .and_then(toml::Value::as_array)
            .is_some_and(|kinds| kinds.iter().any(is_macro));
        let flag = get("lib", "proc-macro").or_else(|| get("lib", "proc_macro"));
        if says_macro || flag.and_then(|flag| flag.as_bool()) == Some(true) {
            return Err(refuse(path, "is a procedural macro", "es una macro procedimental"));
        }
    }
    Ok(())
}

fn build_in(
    folder: &Temporary,
    build: Build,
    tree: &Tree,
    tool: &Tool,
    confined: Option<&Confined>,
) -> Result<Vec<u8>, Outcome> {
    let unmade = |cause: io::Error| failed(&cause);
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir(&target).map_err(unmade)?;
    tree.write(&source).map_err(unmade)?;
    let arguments: Vec<String> = match &build {
        Build::Cargo => {
            ["build", "--release", "--offline", "--message-format=json-render-diagnostics"]
                .map(str::to_owned)
                .into()
        }
        Build::C(sources) => {
            let flags = ["-O2", "-Wall", "-o", "../target/program", "-I."].map(str::to_owned);
            // A source file named `-x.c` must not be taken as an option.
            flags
                .into_iter()
                .chain(sources.iter().map(|source| format!("./{source}")))
                .chain(["-lm".to_owned()])
                .collect()
        }
    };
    let words: Vec<String> =
        [tool.path.to_string_lossy().into_owned()].into_iter().chain(arguments).collect();
    let command = command(&words, folder.path(), tool, confined).map_err(unmade)?;
    let (status, said, told) = run(command, &source, &target).map_err(unmade)?;
    if confined.is_some() && status.as_ref().and_then(ExitStatus::code) == Some(EXIT_NOT_ENTERED) {
        return Err(Outcome {
            detail: said,
            ..failed(&io::Error::other("the compiler could not be confined"))
        });
    }
    let Some(status) = status else {
        let seconds = TIME_MAX.as_secs();
        let message = Text::new(
            format!("the build takes more than {seconds} s"),
            format!("la compilación tarda más de {seconds} s"),
        );
        return Err(Outcome {
            detail: said,
            ..Outcome::not_graded(
                OutcomeKind::InternalError,
                message,
                Text::new(
                    "grade it again when the machine is less busy",
                    "evalúala de nuevo cuando la máquina tenga menos trabajo",
                ),
            )
        });
    };
    if !status.success() {
        // The SDK's dependencies are there if the testbed was built here; if not, the student is
        // not to blame.
        if said.contains("offline") && said.contains("`serde") {
            let message = Text::new(
                "the SDK's packages are not on this machine",
                "los paquetes del SDK no están en esta máquina",
            );
            let hint = Text::new(
                "fetch them once: `cargo fetch` in sdk/rust",
                "descárgalos una vez: `cargo fetch` en sdk/rust",
            );
            return Err(Outcome {
                detail: said,
                ..Outcome::not_graded(OutcomeKind::InternalError, message, hint)
            });
        }
        let message = Text::new("the program does not compile", "el programa no compila");
        return Err(build_failed(
            message,
            Text::new("fix the compiler's errors", "corrige los errores del compilador"),
            said,
        ));
    }
    let built = match build {
        Build::C(_) => target.join("program"),
        Build::Cargo => executable_of(&told)?,
    };
    fs::read(built).map_err(unmade)
}

/// The executable among the artifacts that cargo reports: the only one, or the one named `node`.
fn executable_of(told: &str) -> Result<PathBuf, Outcome> {
    let lines =
        told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let artifacts = lines.filter(|line| line["reason"] == "compiler-artifact");
    let made: Vec<(String, PathBuf)> = artifacts
        .filter_map(|made| {
            Some((
                made["target"]["name"].as_str()?.to_owned(),
                PathBuf::from(made["executable"].as_str()?),
            ))
        })
        .collect();
    if let Some((_, path)) = made.iter().find(|(name, _)| made.len() == 1 || name == "node") {
        return Ok(path.clone());
    }
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join("`, `");
    let message = if made.is_empty() {
        Text::new("the package has no executable", "el paquete no tiene ningún ejecutable")
    } else {
        Text::new(
            format!("the package has several executables: `{names}`"),
            format!("el paquete tiene varios ejecutables: `{names}`"),
        )
    };
    let hint = Text::new(
        "use a single `src/main.rs`, or name one of them `node`",
        "deja un solo `src/main.rs`, o llama `node` a uno de ellos",
    );
    Err(build_failed(message, hint, String::new()))
}

/// The build command, run in `source` below a folder that it may write to.
fn command(
    words: &[String],
    folder: &Path,
    tool: &Tool,
    confined: Option<&Confined>,
) -> io::Result<Command> {
    let source = folder.join("source");
    let mut command = match confined {
        // Keep the user: root's toolchain is in a folder that no other user may enter. The other
        // measures leave the compiler little to reach.
        #[cfg(unix)]
        Some(confined) => {
            let without = confined.without.iter().cloned().chain(["user".to_owned()]).collect();
            let confined = Confined {
                readable: tool.readable.clone(),
                limits: CONFINED,
                without,
                ..confined.clone()
            };
            sandbox::command(&confined, words, &source, Some(folder)).map_err(io::Error::other)?
        }
        _ => {
            let mut command = Command::new("sh");
            command
                .args(["-c", LIMITS, "sh"])
                .args(words)
                .current_dir(&source)
                .env_clear()
                .stdin(Stdio::null());
            command.envs(
                ["PATH", "HOME"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            );
            command.env("TMPDIR", folder).env("LC_ALL", "C.UTF-8");
            command
        }
    };
    command.env("CARGO_TARGET_DIR", folder.join("target")).env("CARGO_TERM_COLOR", "never");
    command
        .envs(cargo_home().map(|home| ("CARGO_HOME", home)))
        .envs(tool.rustc.as_ref().map(|rustc| ("RUSTC", rustc)));
    Ok(command)
}

/// Run a compiler. Returns its status (`None` if it took too long), its stderr and its stdout.
fn run(
    mut command: Command,
    source: &Path,
    target: &Path,
) -> io::Result<(Option<ExitStatus>, String, String)> {
    let (told, said) = (target.join("told.txt"), target.join("said.txt"));
    command.stdout(fs::File::create(&told)?).stderr(fs::File::create(&said)?);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }
    let mut child = command.spawn()?;
    #[allow(
        clippy::disallowed_methods,
        reason = "a compiler runs in real time, and no result depends on how long it takes"
    )]
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if begin.elapsed() > TIME_MAX {
            end(&mut child);
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut said =
        String::from_utf8_lossy(&fs::read(said)?).replace(&*source.to_string_lossy(), ".");
    if said.len() > SAID_MAX {
        said.truncate((0..=SAID_MAX).rev().find(|end| said.is_char_boundary(*end)).unwrap_or(0));
        said.push_str("\n…\n");
    }
    Ok((status, said, String::from_utf8_lossy(&fs::read(told)?).into_owned()))
}

/// Kill a compiler and everything it has started.
fn end(child: &mut std::process::Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
