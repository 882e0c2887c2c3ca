//! What git prints, taken apart. Pure, and suspicious: the repository may be a stranger's, and so
//! may the git that prints.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};

/// The kind of a path at a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its kind.
    pub mode: Mode,
    /// The id of its content.
    pub id: String,
    /// The size in bytes, or `None` for a submodule.
    pub size: Option<u64>,
}

/// The kinds of paths that git knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A regular file.
    File,
    /// A regular file that can be executed.
    Executable,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// One content that a file had in some commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The file, relative to the folder given to [`Repository::open`](super::Repository::open).
    pub path: String,
    pub(super) id: String,
}

/// The paths in what `log -z --name-only` prints.
#[must_use]
pub fn paths(listed: &[u8]) -> BTreeSet<String> {
    let paths = listed
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty());
    paths
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect()
}

/// The contents of regular files in what `log -z --raw` prints: for each change
/// `:<mode before> <mode> <id before> <id> <letter>`, then the path.
#[must_use]
pub fn versions(listed: &[u8]) -> BTreeSet<Version> {
    let changes = changes(listed).into_iter();
    changes.map(|(_, version)| version).collect()
}

/// The same in the order of the log, each with the commit whose id is above it, if the log shows ids.
#[must_use]
pub fn changes(listed: &[u8]) -> Vec<(String, Version)> {
    let mut words = listed
        .split(|&byte| byte == 0)
        .map(String::from_utf8_lossy)
        .filter(|word| !word.is_empty());
    let (mut changes, mut commit) = (Vec::new(), String::new());
    while let Some(word) = words.next() {
        let Some((_, facts)) = word.split_once(':') else {
            word.trim().clone_into(&mut commit);
            continue;
        };
        let Some(path) = words.next() else { break };
        let facts: Vec<&str> = facts.split(' ').collect();
        if let [_, mode, _, id, _] = &facts[..]
            && mode.starts_with("100")
        {
            let version = Version {
                path: path.into_owned(),
                id: (*id).to_owned(),
            };
            changes.push((commit.clone(), version));
        }
    }
    changes
}

/// The paths in what `ls-tree -l -z` prints, each with its blob.
pub fn blobs(listed: &[u8]) -> impl Iterator<Item = (Vec<u8>, Blob)> {
    listed.split(|&byte| byte == 0).filter_map(listed_blob)
}

/// A path and its blob, from a line of `ls-tree -l`: `<mode> <kind> <id> <size>\t<path>`.
fn listed_blob(line: &[u8]) -> Option<(Vec<u8>, Blob)> {
    let at = line.iter().position(|&byte| byte == b'\t')?;
    let before_path = std::str::from_utf8(&line[..at]).ok()?;
    let facts: Vec<&str> = before_path.split_ascii_whitespace().collect();
    let [mode, _, id, size] = facts[..] else {
        return None;
    };
    let mode = match mode {
        "120000" => Mode::Link,
        "160000" => Mode::Submodule,
        "100755" => Mode::Executable,
        _ if mode.starts_with("100") => Mode::File,
        _ => return None,
    };
    Some((
        line[at + 1..].to_vec(),
        Blob {
            mode,
            id: id.to_owned(),
            size: size.parse().ok(),
        },
    ))
}

/// What becomes of a blob with more bytes than the limit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// It is passed over.
    Skipped,
    /// It is given without its end, one byte longer than the limit.
    Cut,
}

/// Reads one answer of `cat-file --batch`: `<id> blob <size>\n<content>\n`. Returns `None` for an
/// object that is missing, not a blob, or passed over.
///
/// # Errors
/// If the answer is not of this form or ends early.
pub fn read_blob(
    output: &mut dyn BufRead,
    limit: usize,
    excess: Excess,
) -> io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    // Ids, a kind and a number; git prints no longer line.
    (&mut *output).take(1000).read_line(&mut line)?;
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let [_, kind, size] = words[..] else {
        return if line.is_empty() {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(None)
        };
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
    fn listed_lines_are_parsed_or_skipped() {
        let file = |mode, size| Blob {
            mode,
            id: "ab".to_owned(),
            size,
        };
        for (line, expected) in [
            (
                "100644 blob ab       7\ta b",
                Some(("a b", file(Mode::File, Some(7)))),
            ),
            (
                "100755 blob ab 7\ta\tb",
                Some(("a\tb", file(Mode::Executable, Some(7)))),
            ),
            (
                "120000 blob ab 7\tl",
                Some(("l", file(Mode::Link, Some(7)))),
            ),
            (
                "160000 commit ab -\ts",
                Some(("s", file(Mode::Submodule, None))),
            ),
            ("040000 tree ab -\td", None),
            ("100644 blob ab\tx", None),
            ("", None),
        ] {
            let expected = expected.map(|(path, blob)| (path.as_bytes().to_vec(), blob));
            assert_eq!(listed_blob(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn answers_are_parsed_one_by_one() {
        let next = &b"next"[..];
        for (text, whole, cut) in [
            ("id blob 3\nabc\nnext", Some("abc"), Some("abc")),
            ("id blob 0\n\nnext", Some(""), Some("")),
            ("id blob 6\nabcdef\nnext", None, Some("abcde")),
            ("id tree 3\nabc\nnext", None, None),
            ("id missing\nnext", None, None),
        ] {
            let expected = |text: Option<&str>| Some((text.map(Into::into), next));
            assert_eq!(
                read(text.as_bytes(), Excess::Skipped),
                expected(whole),
                "{text}"
            );
            assert_eq!(read(text.as_bytes(), Excess::Cut), expected(cut), "{text}");
        }
    }

    #[test]
    fn broken_answers_are_errors() {
        let huge = format!("id blob {}\nabc", u64::MAX);
        for text in [
            "",
            "id blob x\n",
            "id blob -1\nabc\n",
            "id blob 3\nab",
            &huge,
        ] {
            assert!(read(text.as_bytes(), Excess::Cut).is_none(), "{text}");
        }
    }
}
