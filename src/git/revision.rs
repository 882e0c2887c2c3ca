//! Which commit a revision means, and that it can mean no other.
//!
//! Someone who can push chooses the names of branches and tags, and the ids of commits to some
//! extent: finding one that begins with given characters takes seconds for seven of them. A name is
//! therefore resolved here, by one exact reference or one full id, and git is never left to choose:
//! it would take a tag before a branch, a reference before an abbreviated id, and an id before
//! giving up on a branch that is not in the clone.

use super::command::Repository;
use crate::fault::Fault;

/// A commit that is there, by its id: a name could mean another one a moment later.
pub struct Commit {
    name: String,
    id: String,
}

/// The fewest characters that git takes for an abbreviated id.
const SHORTEST_ID: usize = 4;
/// The most objects that are looked at to find the commit that an abbreviated id means.
const MOST_OBJECTS: usize = 64;

impl Commit {
    pub(super) fn new(name: &str, id: String) -> Self {
        let name = name.to_owned();
        Self { name, id }
    }

    /// The id in hexadecimal.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How the commit was found, in full: a reference with its suffix, or the id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Repository {
    /// The commit that `revision` means now.
    ///
    /// # Errors
    /// If it does not exist here, or its name could mean another one.
    pub fn commit(&self, revision: &str) -> Result<Commit, Fault> {
        let (base, suffix) = split(revision);
        if base.starts_with(':') || suffix.contains("{/") {
            return Err(Fault::refused(format!(
                "{} names a commit by its message, which its author chooses",
                revision.escape_debug()
            ))
            .hint("name it by a branch or by its full id"));
        }
        let found = match self.meaning(base, suffix)? {
            Some(start) => {
                let upstream = self.upstream(&start, suffix)?;
                let name = upstream.unwrap_or_else(|| format!("{start}{suffix}"));
                let is_one = !revision.contains("..") && !suffix.contains(':');
                self.commit_at(&name)
                    .filter(|_| is_one)
                    .map(|id| Commit { name, id })
            }
            None => None,
        };
        found.map_or_else(|| Err(self.unknown(revision)?), Ok)
    }

    /// The one reference, in full, or the id that `base` means. Returns `None` if it means nothing
    /// here.
    fn meaning(&self, base: &str, suffix: &str) -> Result<Option<String>, Fault> {
        if base == "@" || base.is_empty() {
            let is_branch = base.is_empty() && suffix.starts_with("@{");
            let head = self
                .run(&["symbolic-ref", "--quiet", "HEAD"])
                .ok()
                .filter(|_| is_branch);
            let branch = head.map(|name| String::from_utf8_lossy(&name).trim().to_owned());
            return Ok((is_branch || base == "@").then(|| branch.unwrap_or("HEAD".to_owned())));
        }
        if is_exact(base) {
            let found = self.run(&["show-ref", "--verify", "--quiet", "--", base]);
            return Ok(found.is_ok().then(|| base.to_owned()));
        }
        if is_full_id(base) {
            let id = base.to_ascii_lowercase();
            // In a repository with the other kind of ids, git would look for something else.
            let read = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &id]);
            return Ok(read
                .ok()
                .filter(|read| read.trim_ascii() == id.as_bytes())
                .map(|_| id));
        }
        let references = self.references(base)?;
        let Some(id) = readable_as_id(base) else {
            return self.only(base, &references);
        };
        if references.is_empty() && id.len() == base.len() {
            return self.abbreviated(id);
        }
        let commits = self.commits_starting_with(id)?;
        let agrees = |name: &String| self.commit_at(name).is_some_and(|own| commits == [own]);
        if references.is_empty() || !references.iter().all(agrees) {
            let end = if base == id {
                String::new()
            } else {
                format!(", {id}")
            };
            let message = format!("{} could mean the id of a commit{end}", base.escape_debug());
            let names = references.first().map_or("refs/heads/…", String::as_str);
            return Err(Fault::refused(message).hint(format!(
                "give the full id, or the full name, such as {names}"
            )));
        }
        self.only(base, &references)
    }

    /// The references that `name` could mean: rules 2 to 6 of gitrevisions(7). The first rule is a
    /// full name, which [`Self::meaning`] has looked for.
    fn references(&self, name: &str) -> Result<Vec<String>, Fault> {
        let places = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
        let mut full: Vec<String> = places.map(|place| format!("{place}{name}")).into();
        full.push(format!("refs/remotes/{name}/HEAD"));
        let patterns: Vec<&str> = full.iter().map(String::as_str).collect();
        let arguments = [&["for-each-ref", "--format=%(refname)"], &patterns[..]].concat();
        let listed = self.run(&arguments)?;
        let listed = String::from_utf8_lossy(&listed);
        // To git they are patterns, and match more than themselves.
        let found = listed
            .lines()
            .filter(|found| full.iter().any(|name| name == found));
        Ok(found.map(ToOwned::to_owned).collect())
    }

    /// The one of `references`, all of which `name` could mean, if they are one commit that does
    /// not replace a branch missing in the clone.
    fn only(&self, name: &str, references: &[String]) -> Result<Option<String>, Fault> {
        let Some(first) = references.first() else {
            return Ok(None);
        };
        let commit = self.commit_at(first);
        if references
            .iter()
            .any(|other| self.commit_at(other) != commit)
        {
            let message = format!(
                "{} could mean {}",
                name.escape_debug(),
                references.join(" or ")
            );
            return Err(Fault::refused(message).hint("say which of them, by its full name"));
        }
        let stands_in = |full: &String| {
            full.starts_with("refs/tags/") && !name.starts_with("tags/")
                || full.starts_with("refs/heads/") && self.is_of_a_remote(name)
        };
        let usual = references.iter().find(|full| !stands_in(full));
        if let Some(usual) = usual {
            return Ok(Some(usual.clone()));
        }
        let what = if first.starts_with("refs/tags/") {
            "a tag"
        } else {
            "a local branch"
        };
        let message = format!(
            "{} is only {what} here, which can be called like a branch that this clone lacks",
            name.escape_debug()
        );
        Err(Fault::refused(message).hint(format!("if you mean it, say its full name: {first}")))
    }

    /// Whether `name` looks like a branch of a remote, such as `origin/main`.
    fn is_of_a_remote(&self, name: &str) -> bool {
        let remote = name.split('/').next().unwrap_or_default();
        let place = format!("refs/remotes/{remote}/");
        let listed = self.run(&["for-each-ref", "--count=1", "--format=%(refname)", &place]);
        ["origin", "upstream"].contains(&remote)
            || listed.is_ok_and(|listed| listed.starts_with(place.as_bytes()))
    }

    /// The commit that an abbreviated id means.
    fn abbreviated(&self, id: &str) -> Result<Option<String>, Fault> {
        if self.is_shallow()? {
            let message = format!("{id} is an abbreviated id, and this clone is shallow");
            return Err(Fault::refused(message).hint("give the full id"));
        }
        let mut commits = self.commits_starting_with(id)?;
        if commits.len() > 1 {
            return Err(Fault::refused(format!(
                "{id} could mean the commits {}",
                commits.join(", ")
            ))
            .hint("give the full id"));
        }
        Ok(commits.pop())
    }

    /// The commits whose id starts with `id`, and those to which such a tag leads.
    fn commits_starting_with(&self, id: &str) -> Result<Vec<String>, Fault> {
        let listed = self.run(&["rev-parse", &format!("--disambiguate={id}")])?;
        let listed = String::from_utf8_lossy(&listed);
        let objects: Vec<&str> = listed.lines().collect();
        if objects.len() > MOST_OBJECTS {
            return Err(
                Fault::refused(format!("{id} could mean {} objects", objects.len()))
                    .hint("give the full id"),
            );
        }
        let mut commits: Vec<String> = objects
            .iter()
            .filter_map(|object| self.commit_at(object))
            .collect();
        commits.sort_unstable();
        commits.dedup();
        Ok(commits)
    }

    /// The commit at a full name or id with its suffix.
    pub(super) fn commit_at(&self, name: &str) -> Option<String> {
        let name = format!("{name}^{{commit}}");
        let found = self.run(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ]);
        found
            .ok()
            .map(|id| String::from_utf8_lossy(&id).trim().to_owned())
    }

    /// The full name for `@{upstream}` and `@{push}` of the branch `start`, with the suffix after
    /// it; git takes them after a branch's short name only.
    fn upstream(&self, start: &str, suffix: &str) -> Result<Option<String>, Fault> {
        let Some(branch) = start.strip_prefix("refs/heads/") else {
            return Ok(None);
        };
        let Some((typed, rest)) = suffix.split_once('}') else {
            return Ok(None);
        };
        let what = typed.to_ascii_lowercase();
        if !["@{u", "@{upstream", "@{push"].contains(&what.as_str()) {
            return Ok(None);
        }
        let name = format!("{branch}{what}}}");
        let options = ["rev-parse", "--verify", "--quiet", "--symbolic-full-name"];
        let found = self.run(&[&options[..], &["--end-of-options", &name]].concat());
        let full = found
            .map(|full| String::from_utf8_lossy(&full).trim().to_owned())
            .ok()
            .filter(|full| full.starts_with("refs/"))
            .ok_or_else(|| {
                Fault::refused(format!("{} has no branch to follow", branch.escape_debug()))
            })?;
        Ok(Some(format!("{full}{rest}")))
    }

    /// That `revision` is not here, with the way to get it.
    fn unknown(&self, revision: &str) -> Result<Fault, Fault> {
        let fault = Fault::refused(format!(
            "git does not know the revision {} here",
            revision.escape_debug()
        ));
        if !self.is_shallow()? {
            return Ok(fault.hint("see what there is: `git fetch`, then `git branch --all`"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        let name = match revision.strip_prefix("origin/").unwrap_or(revision) {
            name if !name.chars().all(plain) => "REV".to_owned(),
            name if is_full_id(revision) || name.starts_with("refs/") => name.to_owned(),
            // In full: of a tag and a branch with one name, git would fetch the tag.
            name => format!("refs/heads/{name}"),
        };
        Ok(fault
            .hint(format!(
                "this clone is shallow: `git fetch --depth=1 origin {name}`, then say FETCH_HEAD"
            ))
            .hint("in CI, use fetch-depth: 0, so that new entries can be told apart from restored ones"))
    }
}

/// The name and its suffix: `~1`, `^2`, `@{1}`, `^{commit}`. A lone `@` is a name.
fn split(revision: &str) -> (&str, &str) {
    let end = ["^", "~", ":", "@{"]
        .iter()
        .filter_map(|mark| revision.find(mark))
        .min();
    match end {
        Some(0) if revision.starts_with(':') => (revision, ""),
        Some(end) => revision.split_at(end),
        None => (revision, ""),
    }
}

/// Whether it names one reference in every context: in full, or one of git's own, such as `HEAD`
/// and `FETCH_HEAD`.
fn is_exact(name: &str) -> bool {
    let is_own = |c: char| c.is_ascii_uppercase() || c == '_';
    name.starts_with("refs/") || name.ends_with("HEAD") && name.chars().all(is_own)
}

fn is_full_id(name: &str) -> bool {
    [40, 64].contains(&name.len()) && is_hexadecimal(name)
}

/// The characters of `name` that git could take for an abbreviated id: all of them, or, as `git
/// describe` prints them, those after the last `-g`.
fn readable_as_id(name: &str) -> Option<&str> {
    let id = match name.rfind("-g") {
        _ if is_hexadecimal(name) => name,
        Some(at) => &name[at + 2..],
        None => return None,
    };
    (id.len() >= SHORTEST_ID && is_hexadecimal(id)).then_some(id)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_suffix_are_separated() {
        for (revision, name, suffix) in [
            ("main", "main", ""),
            ("HEAD~2^1", "HEAD", "~2^1"),
            ("@", "@", ""),
            ("@{u}", "", "@{u}"),
            ("@~1", "@", "~1"),
            ("a@b@{1}", "a@b", "@{1}"),
            ("main:path", "main", ":path"),
            (":/text", ":/text", ""),
            ("^main", "", "^main"),
        ] {
            assert_eq!(split(revision), (name, suffix));
        }
    }

    #[test]
    fn names_readable_as_ids_are_detected() {
        for (name, id) in [
            ("beef", Some("beef")),
            ("BEEF1", Some("BEEF1")),
            ("bee", None),
            ("v1-3-gabcdef", Some("abcdef")),
            ("x-gdead-gbeef", Some("beef")),
            ("fix-gadget", None),
            ("feature", None),
            ("-gabc", None),
        ] {
            assert_eq!(readable_as_id(name), id, "{name}");
        }
    }
}
