//! The history: all paths and contents that files ever had.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::thread;

use super::command::{Repository, failed};
use super::output::{self, Excess, Version, read_blob};
use super::revision::Commit;
use crate::fault::Fault;

/// Plain lists, whatever the caller's settings. The second half walks everything: otherwise git
/// leaves out a branch on which a file was added and removed, and the changes of a merge itself.
const LOG: [&str; 10] = [
    "log",
    "-z",
    "--format=",
    "--relative",
    "--no-color",
    "--no-ext-diff",
    "-O/dev/null",
    "--no-renames",
    "--full-history",
    "-m",
];

impl Repository {
    /// The path of every file that was ever below `folder` in the history of `commit`, relative
    /// to the folder given to [`Repository::open`]; see [`Self::is_shallow`].
    ///
    /// # Errors
    /// If git fails.
    pub fn files_ever(&self, commit: &Commit, folder: &str) -> Result<BTreeSet<String>, Fault> {
        let options = ["--name-only", commit.id(), "--", folder];
        let listed = self.run(&[&LOG[..], &options].concat())?;
        Ok(output::paths(&listed))
    }

    /// Every content that a file below `folder` had in any commit that a branch, a tag, or HEAD
    /// leads to, and in commits of a branch that was deleted, as long as git knows that they were
    /// checked out: someone may have pushed or fetched it. See [`Self::is_shallow`].
    ///
    /// # Errors
    /// If git fails.
    pub fn versions(&self, folder: &str) -> Result<BTreeSet<Version>, Fault> {
        let options = ["--all", "--reflog", "--raw", "--no-abbrev", "--", folder];
        let listed = self.run(&[&LOG[..], &options].concat())?;
        Ok(output::versions(&listed))
    }

    /// Every commit in this clone that gave the file at `path` another content, with this content,
    /// newest first. Also commits of a branch that was deleted, as long as git knows that they were
    /// checked out. See [`Self::is_shallow`].
    ///
    /// # Errors
    /// If git fails.
    pub fn changes(&self, path: &str) -> Result<Vec<(String, Version)>, Fault> {
        let log = LOG.map(|option| match option {
            "--format=" => "--format=%H",
            option => option,
        });
        let options = ["--all", "--reflog", "--raw", "--no-abbrev", "--", path];
        let listed = self.run(&[&log[..], &options].concat())?;
        Ok(output::changes(&listed))
    }

    /// The author's name and the day that a commit states: words that anyone can choose.
    ///
    /// # Errors
    /// If git fails.
    pub fn authorship(&self, commit: &str) -> Result<(String, String), Fault> {
        let said = self.run(&["log", "-1", "--format=%as%x00%an", commit, "--"])?;
        let said = String::from_utf8_lossy(&said);
        let (day, name) = said.split_once('\0').unwrap_or_default();
        Ok((name.trim_end().to_owned(), day.trim().to_owned()))
    }

    /// Gives `take` the content of each of `versions`, with its place among them, one after the
    /// other and from one process. Skips contents that are longer than `limit` bytes or not in this
    /// clone. Never fetches. Says how many were passed over.
    ///
    /// # Errors
    /// If git fails.
    pub fn read_each(
        &self,
        versions: &[&Version],
        limit: usize,
        take: &mut dyn FnMut(usize, Vec<u8>),
    ) -> Result<usize, Fault> {
        let ids: Vec<&str> = versions.iter().map(|version| version.id.as_str()).collect();
        let mut passed = 0;
        self.read_blobs(&ids, &mut |at, output| {
            match read_blob(output, limit, Excess::Skipped)? {
                Some(content) => take(at, content),
                None => passed += 1,
            }
            Ok(())
        })?;
        Ok(passed)
    }

    /// Has one process print the objects `ids`, and gives each one's answer to `take`.
    pub(super) fn read_blobs(
        &self,
        ids: &[&str],
        take: &mut dyn FnMut(usize, &mut dyn BufRead) -> io::Result<()>,
    ) -> Result<(), Fault> {
        let mut child = self.spawn(&["cat-file", "--batch"])?;
        let input: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
        let stdin = child.stdin.take();
        let writer =
            thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let mut output = child.stdout.take().map(BufReader::new);
        let read = (0..ids.len())
            .try_for_each(|at| output.as_mut().map_or(Ok(()), |output| take(at, output)));
        drop(output);
        let _ = writer.join();
        let waited = child.wait();
        read.and(waited.map(drop)).map_err(|error| failed(&error))
    }

    /// The ids of the parents of HEAD that this clone has, in order.
    ///
    /// # Errors
    /// If git fails.
    pub fn parents_of_head(&self) -> Result<Vec<String>, Fault> {
        let listed = self.run(&["rev-list", "--parents", "--max-count=1", "HEAD"])?;
        let listed = String::from_utf8_lossy(&listed);
        let ids = listed.split_ascii_whitespace().skip(1);
        Ok(ids.map(ToOwned::to_owned).collect())
    }

    /// Whether the history here is cut off, so that what was there before may be unknown.
    ///
    /// # Errors
    /// If git fails.
    pub fn is_shallow(&self) -> Result<bool, Fault> {
        Ok(self
            .run(&["rev-parse", "--is-shallow-repository"])?
            .trim_ascii()
            == b"true")
    }
}
