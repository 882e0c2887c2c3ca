//! What git holds: the vault's files at a revision, and which files were there before.
//!
//! Runs the real git, plumbing commands only, which start no hooks and read no working tree. A
//! vault works without git; only what asks for a revision needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fault::{Fault, Kind};

/// The largest amount that is read from git in all, in bytes.
const LIMIT: u64 = 1 << 30;

/// One content that a file had in some commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The file, relative to the repository's folder given to [`Repository::open`].
    pub path: String,
    id: String,
}

/// The repository around a folder.
pub struct Repository {
    folder: PathBuf,
}

/// What `git --version` says.
///
/// # Errors
/// When there is no git, or it does not work.
pub fn version() -> Result<String, Fault> {
    let anywhere = Repository { folder: PathBuf::from("/") };
    Ok(String::from_utf8_lossy(anywhere.run(&["--version"])?.trim_ascii()).into_owned())
}

impl Repository {
    /// The repository that `folder` is in.
    ///
    /// # Errors
    /// When there is no git or no repository, or git takes `folder` or one above it for a bare
    /// one: files named HEAD, objects and refs can be committed like any other, and would answer
    /// with a history of the author's choice.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let repository = Self { folder: folder.to_owned() };
        let found = repository.run(&["rev-parse", "--absolute-git-dir"]).map_err(|fault| {
            match fault.kind() {
                Kind::NotFound => Fault::failed(fault.to_string()),
                _ => Fault::usage(format!(
                    "git finds no repository of yours in {}",
                    folder.display()
                )),
            }
            .hint("git is needed for what is asked of an older revision")
        })?;
        let found = Path::new(OsStr::from_bytes(found.strip_suffix(b"\n").unwrap_or(&found)));
        if folder.canonicalize().is_ok_and(|folder| folder.starts_with(found)) {
            let message = format!(
                "git would take {} for the repository, which is part of the files",
                found.display()
            );
            return Err(Fault::refused(message).hint("remove HEAD, objects, refs and config there"));
        }
        Ok(repository)
    }

    /// The files below `folder` (relative to the repository's folder given to [`Self::open`]) as
    /// they were at `revision`, by their path below it. Links and submodules are left out.
    ///
    /// # Errors
    /// When the revision does not exist here, or git fails.
    pub fn files_at(
        &self,
        revision: &str,
        folder: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
        let commit = self.commit(revision)?;
        let prefix = format!("{folder}/");
        let listed = self.run(&["ls-tree", "-r", "-z", &commit, "--", &prefix])?;
        let mut wanted = Vec::new();
        for line in listed.split(|&byte| byte == 0).filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line);
            let Some((facts, path)) = line.split_once('\t') else { continue };
            let facts: Vec<&str> = facts.split(' ').collect();
            if let ([mode, "blob", id], Some(path)) = (&facts[..], path.strip_prefix(&prefix))
                && mode.starts_with("100")
            {
                wanted.push((path.to_owned(), (*id).to_owned()));
            }
        }
        self.blobs(wanted)
    }

    /// The path of every file that was ever below `folder` in the history of `revision`, relative
    /// as above; see [`Self::is_shallow`].
    ///
    /// # Errors
    /// When git fails.
    pub fn files_ever(&self, revision: &str, folder: &str) -> Result<BTreeSet<String>, Fault> {
        let commit = self.commit(revision)?;
        let options = ["log", "-z", "--format=", "--name-only", "--relative", "--no-renames"];
        // Else git leaves out a branch on which a file came and went, and what a merge itself did.
        let everywhere = ["--full-history", "-m"];
        let listed = self.run(&[&options[..], &everywhere, &[&commit, "--", folder]].concat())?;
        let paths = listed.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// Every content that a file below `folder` had in any commit that a branch, a tag or HEAD
    /// leads to: what whoever has a clone can look up. See [`Self::is_shallow`].
    ///
    /// # Errors
    /// When git fails.
    pub fn versions(&self, folder: &str) -> Result<BTreeSet<Version>, Fault> {
        let options = ["log", "--all", "-z", "--format=", "--raw", "--no-abbrev", "--relative"];
        let everywhere = ["--no-renames", "--full-history", "-m", "--", folder];
        let listed = self.run(&[&options[..], &everywhere].concat())?;
        let mut words = listed.split(|&byte| byte == 0).filter(|word| !word.is_empty());
        let mut versions = BTreeSet::new();
        // `:<mode before> <mode> <id before> <id> <letter>`, then the path.
        while let (Some(facts), Some(path)) = (words.next(), words.next()) {
            let facts = String::from_utf8_lossy(facts);
            let facts: Vec<&str> = facts.split(' ').collect();
            if let [_, mode, _, id, _] = &facts[..]
                && mode.starts_with("100")
            {
                let path = String::from_utf8_lossy(path).into_owned();
                versions.insert(Version { path, id: (*id).to_owned() });
            }
        }
        Ok(versions)
    }

    /// Gives `take` the content of each of `versions`, with its place among them, one after the
    /// other and from one process. What is longer than `limit` bytes, or not in this clone, is
    /// passed over; nothing is ever fetched. Says how many were passed over.
    ///
    /// # Errors
    /// When git fails.
    pub fn read_each(
        &self,
        versions: &[&Version],
        limit: usize,
        take: &mut dyn FnMut(usize, Vec<u8>),
    ) -> Result<usize, Fault> {
        let failed = |error: &dyn std::fmt::Display| Fault::failed(format!("git: {error}"));
        let mut child = self
            .command(&["cat-file", "--batch"])
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let ids: String = versions.iter().flat_map(|version| [&version.id, "\n"]).collect();
        let stdin = child.stdin.take();
        let writer =
            std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(ids.as_bytes())));
        let mut passed = 0;
        let mut output = child.stdout.take().map(BufReader::new);
        let mut read = Ok(());
        for at in 0..versions.len() {
            match output.as_mut().map(|output| read_blob(output, limit)).transpose() {
                Ok(Some(Some(content))) => take(at, content),
                Ok(_) => passed += 1,
                Err(error) => {
                    read = Err(error);
                    break;
                }
            }
        }
        drop(output);
        let _ = writer.join();
        let waited = child.wait();
        read.and(waited.map(drop)).map_err(|error| failed(&error))?;
        Ok(passed)
    }

    /// Whether the history here is cut off, so that what was there before may be unknown.
    ///
    /// # Errors
    /// When git fails.
    pub fn is_shallow(&self) -> Result<bool, Fault> {
        Ok(self.run(&["rev-parse", "--is-shallow-repository"])?.trim_ascii() == b"true")
    }

    fn commit(&self, revision: &str) -> Result<String, Fault> {
        let name = format!("{revision}^{{commit}}");
        let found = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name]);
        let id = found.map_err(|_| {
            Fault::refused(format!("git does not know the revision {revision} here"))
                .hint("a shallow clone lacks it: git fetch --unshallow, or fetch-depth: 0 in CI")
        })?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }

    /// Reads all blobs with one process.
    fn blobs(&self, wanted: Vec<(String, String)>) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
        let ids: Vec<&str> = wanted.iter().map(|(_, id)| id.as_str()).collect();
        let output = self.talk(&["cat-file", "--batch"], ids.join("\n").into_bytes())?;
        let mut rest = &output[..];
        let mut files = BTreeMap::new();
        for (path, _) in wanted {
            let content = take_blob(&mut rest);
            let content = content.ok_or_else(|| Fault::failed("git cat-file gave no content"))?;
            files.insert(path, content.to_vec());
        }
        Ok(files)
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Fault> {
        self.talk(arguments, Vec::new())
    }

    fn talk(&self, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let failed = |error: &dyn std::fmt::Display| Fault::failed(format!("git: {error}"));
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Fault::new(Kind::NotFound, "there is no git in PATH"),
                _ => failed(&error),
            })?;
        let stdin = child.stdin.take();
        let writer = std::thread::spawn(move || {
            // git that ends early has said so in its status.
            stdin.map(|mut stdin| stdin.write_all(&input))
        });
        let mut output = Vec::new();
        let read = child.stdout.take().map(|out| out.take(LIMIT).read_to_end(&mut output));
        read.transpose().map_err(|error| failed(&error))?;
        let _ = writer.join();
        let status = child.wait().map_err(|error| failed(&error))?;
        if status.success() {
            Ok(output)
        } else {
            Err(failed(&format!("{} failed ({status})", arguments[0])))
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.folder)
            .args(["--no-optional-locks", "--literal-pathspecs", "--no-replace-objects"])
            // Or the caller's own settings could leave out the first commit, or what merges did.
            .args(["-c", "log.showRoot=true", "-c", "log.diffMerges=separate"])
            .args(["-c", "log.showSignature=false"])
            .args(arguments.iter().map(OsStr::new))
            .env("LC_ALL", "C")
            .env_remove("VAULT_KEY")
            .env_remove("VAULT_KEY_COMMAND");
        command
    }
}

/// One answer of `cat-file --batch`: `<id> blob <size>\n<content>\n`.
fn take_blob<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let (line, after) = rest.split_at(end);
    let size = std::str::from_utf8(line).ok()?.rsplit(' ').next()?.parse().ok()?;
    let (content, after) = after[1..].split_at_checked(size)?;
    *rest = after.strip_prefix(b"\n")?;
    Some(content)
}

/// The same from a stream; nothing for what is missing or longer than `limit`, which is skipped.
fn read_blob(output: &mut dyn BufRead, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    output.read_line(&mut line)?;
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let [_, kind, size] = words[..] else {
        return if line.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
    };
    let size: u64 = size.parse().map_err(io::Error::other)?;
    let mut content = output.take(size + 1);
    if kind == "blob" && size <= limit as u64 {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        bytes.pop();
        Ok(Some(bytes))
    } else {
        io::copy(&mut content, &mut io::sink())?;
        Ok(None)
    }
}
