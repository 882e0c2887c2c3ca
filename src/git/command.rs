//! How git is started: in the vault's folder, with an environment that we build, with settings that
//! win over those of the repository, and with nothing to read but what we give it.
//!
//! `.git/config` may come from an unpacked archive or a workspace that others write to. Nothing in
//! it may start a program or reach the network: no lazy fetch, no hook, no pager, no file system
//! monitor. Of the caller's own `GIT_*` variables only those count that say where the search for a
//! repository ends and which settings are the user's; a hook's `GIT_DIR` or `GIT_INDEX_FILE` does
//! not, because the vault's folder says which repository is meant.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::ownership;
use crate::fault::{Fault, Kind};

/// The largest amount that one run of git may print, in bytes.
const LIMIT: u64 = 1 << 30;

/// Variables that git gets from the caller: where programs, the user's settings, and temporary
/// files are, where the search for a repository ends, and who called sudo (git asks whether the
/// repository is theirs). `DEVELOPER_DIR` finds git itself on macOS.
const KEPT: [&str; 12] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "TMPDIR",
    "DEVELOPER_DIR",
    "LD_LIBRARY_PATH",
    "SUDO_UID",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_GLOBAL",
];

/// Variables of ours. Old versions of git do not know the first one, but every version obeys the
/// second: a list of the protocols that a fetch may use, which wins over all settings.
const SET: [(&str, &str); 4] = [
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];

/// Settings that win over those in files. The second half keeps the caller's taste from leaving out
/// the first commit, or what merges did.
const SETTINGS: [&str; 13] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "log.showSignature=false",
    "log.showRoot=true",
    "log.diffMerges=separate",
    "log.follow=false",
    "log.mailmap=false",
];

/// The repository around a folder.
pub struct Repository {
    folder: PathBuf,
}

/// What `git --version` says.
///
/// # Errors
/// If git is missing or does not work.
pub fn version() -> Result<String, Fault> {
    let anywhere = Repository {
        folder: PathBuf::from("/"),
    };
    Ok(String::from_utf8_lossy(anywhere.run(&["--version"])?.trim_ascii()).into_owned())
}

impl Repository {
    /// The repository that `folder` is in.
    ///
    /// # Errors
    /// If git or the repository is missing, or git treats `folder` or one above it as a bare one:
    /// files named HEAD, objects and refs can be committed like any other, and would answer with a
    /// history of the author's choice.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let repository = Self {
            folder: folder.to_owned(),
        };
        let asked = ["rev-parse", "--absolute-git-dir"];
        let found = repository.run(&asked).map_err(|fault| {
            if let Some(refusal) = ownership::refusal(folder, repository.command(&asked)) {
                return refusal;
            }
            match fault.kind() {
                Kind::NotFound => Fault::failed(fault.reason()),
                _ => Fault::usage(format!(
                    "git finds no repository of yours in {}",
                    folder.display()
                )),
            }
            .hint("git is needed to read older revisions")
        })?;
        let found = Path::new(OsStr::from_bytes(
            found.strip_suffix(b"\n").unwrap_or(&found),
        ));
        if folder
            .canonicalize()
            .is_ok_and(|folder| folder.starts_with(found))
        {
            let message = format!(
                "git would treat {} as the repository, but it is part of the checked-out files",
                found.display()
            );
            return Err(Fault::refused(message).hint("remove HEAD, objects, refs and config there"));
        }
        Ok(repository)
    }

    /// The folder given to [`Repository::open`].
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the folder is in the repository: nothing at its top, else a path that ends in `/`.
    ///
    /// # Errors
    /// If git fails.
    pub fn prefix(&self) -> Result<String, Fault> {
        let prefix = self.run(&["rev-parse", "--show-prefix"])?;
        Ok(String::from_utf8_lossy(prefix.strip_suffix(b"\n").unwrap_or(&prefix)).into_owned())
    }

    /// What git prints with these arguments.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Fault> {
        self.run_with_input(arguments, Vec::new())
    }

    /// The same, and `input` is what git reads.
    pub(super) fn run_with_input(
        &self,
        arguments: &[&str],
        input: Vec<u8>,
    ) -> Result<Vec<u8>, Fault> {
        let mut child = self.spawn(arguments)?;
        let stdin = child.stdin.take();
        let writer = thread::spawn(move || {
            // git that ends early has said so in its status.
            stdin.map(|mut stdin| stdin.write_all(&input))
        });
        let mut output = Vec::new();
        let read = child
            .stdout
            .take()
            .map(|out| out.take(LIMIT + 1).read_to_end(&mut output));
        let _ = writer.join();
        let status = child.wait().map_err(|error| failed(&error))?;
        read.transpose().map_err(|error| failed(&error))?;
        if output.len() as u64 > LIMIT {
            let most = LIMIT >> 20;
            return Err(failed(&format!(
                "{} printed more than {most} MiB",
                arguments[0]
            )));
        }
        if status.success() {
            Ok(output)
        } else {
            Err(failed(&format!("{} failed ({status})", arguments[0])))
        }
    }

    /// Starts git with pipes for its input and output.
    pub(super) fn spawn(&self, arguments: &[&str]) -> Result<std::process::Child, Fault> {
        self.command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Fault::new(Kind::NotFound, "git was not found in PATH"),
                _ => failed(&error),
            })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .envs(
                KEPT.iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .envs(SET)
            .arg("-C")
            .arg(&self.folder)
            .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"])
            .arg("--no-replace-objects")
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .args(
                safe_folders()
                    .into_iter()
                    .flat_map(|setting| ["-c".into(), setting]),
            )
            .args(arguments.iter().map(OsStr::new));
        command
    }
}

/// The folders that the caller's `GIT_CONFIG_COUNT` declares safe, as settings. Container jobs whose
/// checkout belongs to another user do so; nothing else in these variables counts.
fn safe_folders() -> Vec<OsString> {
    let declared = std::env::var("GIT_CONFIG_COUNT").ok();
    let count: usize = declared.and_then(|count| count.parse().ok()).unwrap_or(0);
    let named = |what: &str, at: usize| std::env::var_os(format!("GIT_CONFIG_{what}_{at}"));
    let setting = |at| {
        let key = named("KEY", at).filter(|key| key.eq_ignore_ascii_case("safe.directory"))?;
        let mut setting = key;
        setting.push("=");
        setting.push(named("VALUE", at)?);
        Some(setting)
    };
    (0..count.min(1000)).filter_map(setting).collect()
}

pub(super) fn failed(error: &dyn std::fmt::Display) -> Fault {
    Fault::failed(format!("git: {error}"))
}
