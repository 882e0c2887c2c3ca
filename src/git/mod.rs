//! What git holds: the vault's files at a revision, and which files were there before.
//!
//! Runs the real git, plumbing commands only, which start no hooks and read no working tree. A
//! vault works without git; only what asks for a revision needs it.

mod ownership;

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

/// A commit that is there, by its id: a name could mean another one a moment later.
pub struct Commit(String);

impl Commit {
    /// The id in hexadecimal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
        let asked = ["rev-parse", "--absolute-git-dir"];
        let found = repository.run(&asked).map_err(|fault| {
            if let Some(refusal) = ownership::refusal(folder, repository.command(&asked)) {
                return refusal;
            }
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

    /// The commit that `revision` means now.
    ///
    /// # Errors
    /// When it does not exist here, or its name could mean several.
    pub fn commit(&self, revision: &str) -> Result<Commit, Fault> {
        self.check_meaning(revision)?;
        let name = format!("{revision}^{{commit}}");
        let found = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name]);
        match found {
            Ok(id) => Ok(Commit(String::from_utf8_lossy(&id).trim().to_owned())),
            Err(_) => Err(self.unknown(revision)?),
        }
    }

    /// The files below `folder` (relative to the repository's folder given to [`Self::open`]) as
    /// they were at `commit`, by their path below it. Links and submodules are left out.
    ///
    /// # Errors
    /// When git fails.
    pub fn files_at(
        &self,
        commit: &Commit,
        folder: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
        let prefix = format!("{folder}/");
        let listed = self.run(&["ls-tree", "-r", "-z", &commit.0, "--", &prefix])?;
        let below = |(path, id): (String, String)| Some((path.strip_prefix(&prefix)?.into(), id));
        self.blobs(regular(&listed).into_iter().filter_map(below).collect())
    }

    /// The file at `path`, relative as above; nothing where there is none, or a link.
    ///
    /// # Errors
    /// When git fails.
    pub fn file_at(&self, commit: &Commit, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        let listed = self.run(&["ls-tree", "-z", &commit.0, "--", path])?;
        Ok(self.blobs(regular(&listed))?.remove(path))
    }

    /// The path of every file that was ever below `folder` in the history of `commit`, relative
    /// as above; see [`Self::is_shallow`].
    ///
    /// # Errors
    /// When git fails.
    pub fn files_ever(&self, commit: &Commit, folder: &str) -> Result<BTreeSet<String>, Fault> {
        let options = ["log", "-z", "--format=", "--name-only", "--relative", "--no-renames"];
        // Else git leaves out a branch on which a file came and went, and what a merge itself did.
        let everywhere = ["--full-history", "-m"];
        let listed = self.run(&[&options[..], &everywhere, &[&commit.0, "--", folder]].concat())?;
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

    /// Refuses a name that belongs to several commits. Git would take a tag before a branch of the
    /// remote, and whoever may push can make a tag called `origin/main`.
    fn check_meaning(&self, revision: &str) -> Result<(), Fault> {
        let end = ["^", "~", ":", "@{"].iter().filter_map(|mark| revision.find(mark)).min();
        let name = &revision[..end.unwrap_or(revision.len())];
        // Rules 2 to 6 of gitrevisions(7); nothing can take the place of the first, a full name.
        let places = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
        let mut full: Vec<String> = places.map(|place| format!("{place}{name}")).into();
        full.push(format!("refs/remotes/{name}/HEAD"));
        let format = "--format=%(refname) %(objectname) %(*objectname)";
        let patterns: Vec<&str> = full.iter().map(String::as_str).collect();
        let listed = self.run(&[&["for-each-ref", format], &patterns[..]].concat())?;
        let listed = String::from_utf8_lossy(&listed);
        // A tag that is an object of its own is followed by the commit it names.
        let refs = listed.lines().filter_map(|line| line.split_once(' '));
        let refs = refs.filter(|(found, _)| full.iter().any(|name| name == found));
        let refs: Vec<(&str, Option<&str>)> =
            refs.map(|(name, ids)| (name, ids.split(' ').rfind(|id| !id.is_empty()))).collect();
        if refs.iter().all(|(_, id)| *id == refs[0].1) {
            return Ok(());
        }
        let names: Vec<&str> = refs.iter().map(|(name, _)| *name).collect();
        Err(Fault::refused(format!("{name} could mean {}", names.join(" or ")))
            .hint("say which of them, by its full name"))
    }

    /// Where the folder is in the repository: nothing at its top, else a path that ends in `/`.
    ///
    /// # Errors
    /// When git fails.
    pub fn prefix(&self) -> Result<String, Fault> {
        let prefix = self.run(&["rev-parse", "--show-prefix"])?;
        Ok(String::from_utf8_lossy(prefix.strip_suffix(b"\n").unwrap_or(&prefix)).into_owned())
    }

    /// That `revision` is not here, with the way to get it.
    fn unknown(&self, revision: &str) -> Result<Fault, Fault> {
        let fault = Fault::refused(format!(
            "git does not know the revision {} here",
            revision.escape_debug()
        ));
        if !self.is_shallow()? {
            return Ok(fault.hint("see what there is: git fetch, then git branch --all"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        let is_id = [40, 64].contains(&revision.len())
            && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        let name = match revision.strip_prefix("origin/").unwrap_or(revision) {
            name if !name.chars().all(plain) => "REV".to_owned(),
            name if is_id || name.starts_with("refs/") => name.to_owned(),
            // In full: of a tag and a branch with one name, git would fetch the tag.
            name => format!("refs/heads/{name}"),
        };
        Ok(fault
            .hint(format!(
                "this clone is shallow: git fetch --depth=1 origin {name}, then say FETCH_HEAD"
            ))
            .hint("in CI rather fetch-depth: 0: what is new can then be told from what came back"))
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

/// Path and id of each regular file that `ls-tree -z` lists.
fn regular(listed: &[u8]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for line in listed.split(|&byte| byte == 0).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let Some((facts, path)) = line.split_once('\t') else { continue };
        let facts: Vec<&str> = facts.split(' ').collect();
        if let [mode, "blob", id] = facts[..]
            && mode.starts_with("100")
        {
            files.push((path.to_owned(), id.to_owned()));
        }
    }
    files
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
