//! What was in the history: the paths and the contents that files ever had.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::thread;

use super::command::{Repository, failed};
use super::revision::Commit;
use crate::fault::Fault;

/// Plain lists, whatever the caller's settings. The second half walks everything: else git leaves
/// out a branch on which a file came and went, and what a merge itself did.
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

/// One content that a file had in some commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The file, relative to the repository's folder given to [`Repository::open`].
    pub path: String,
    id: String,
}

impl Repository {
    /// The path of every file that was ever below `folder` in the history of `commit`, relative
    /// to the folder given to [`Repository::open`]; see [`Self::is_shallow`].
    ///
    /// # Errors
    /// When git fails.
    pub fn files_ever(&self, commit: &Commit, folder: &str) -> Result<BTreeSet<String>, Fault> {
        let options = ["--name-only", commit.id(), "--", folder];
        let listed = self.run(&[&LOG[..], &options].concat())?;
        let paths = listed.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// Every content that a file below `folder` had in any commit that a branch, a tag or HEAD
    /// leads to: what whoever has a clone can look up. See [`Self::is_shallow`].
    ///
    /// # Errors
    /// When git fails.
    pub fn versions(&self, folder: &str) -> Result<BTreeSet<Version>, Fault> {
        let options = ["--all", "--raw", "--no-abbrev", "--", folder];
        let listed = self.run(&[&LOG[..], &options].concat())?;
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

    /// Whether the history here is cut off, so that what was there before may be unknown.
    ///
    /// # Errors
    /// When git fails.
    pub fn is_shallow(&self) -> Result<bool, Fault> {
        Ok(self.run(&["rev-parse", "--is-shallow-repository"])?.trim_ascii() == b"true")
    }
}

/// What becomes of a blob with more bytes than the limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// It is passed over.
    Skipped,
    /// It is given without its end, one byte longer than the limit.
    Cut,
}

/// One answer of `cat-file --batch`: `<id> blob <size>\n<content>\n`; nothing for what is missing.
pub(super) fn read_blob(
    output: &mut dyn BufRead,
    limit: usize,
    excess: Excess,
) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    // Ids, a kind and a number; git prints no longer line.
    (&mut *output).take(1000).read_line(&mut line)?;
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let [_, kind, size] = words[..] else {
        return if line.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
    };
    let size: u64 = size.parse().map_err(io::Error::other)?;
    let is_whole = size <= limit as u64;
    let wanted = match excess {
        _ if kind != "blob" => 0,
        _ if is_whole => size,
        Excess::Cut => limit as u64 + 1,
        Excess::Skipped => 0,
    };
    let mut content = output.take(size.saturating_add(1));
    let mut bytes = Vec::new();
    let read = (&mut content).take(wanted).read_to_end(&mut bytes)?;
    io::copy(&mut content, &mut io::sink())?;
    if read as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((kind == "blob" && (is_whole || excess == Excess::Cut)).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut text: &[u8], excess: Excess) -> Option<(Option<Vec<u8>>, &[u8])> {
        let content = read_blob(&mut text, 4, excess).ok()?;
        Some((content, text))
    }

    #[test]
    fn answers_are_taken_one_by_one_whatever_they_are() {
        let next = &b"next"[..];
        for (text, whole, cut) in [
            ("id blob 3\nabc\nnext", Some("abc"), Some("abc")),
            ("id blob 0\n\nnext", Some(""), Some("")),
            ("id blob 6\nabcdef\nnext", None, Some("abcde")),
            ("id tree 3\nabc\nnext", None, None),
            ("id missing\nnext", None, None),
        ] {
            let expected = |text: Option<&str>| Some((text.map(Into::into), next));
            assert_eq!(read(text.as_bytes(), Excess::Skipped), expected(whole), "{text}");
            assert_eq!(read(text.as_bytes(), Excess::Cut), expected(cut), "{text}");
        }
    }

    #[test]
    fn broken_answers_are_errors() {
        let huge = format!("id blob {}\nabc", u64::MAX);
        for text in ["", "id blob x\n", "id blob -1\nabc\n", "id blob 3\nab", &huge] {
            assert!(read(text.as_bytes(), Excess::Cut).is_none(), "{text}");
        }
    }
}
