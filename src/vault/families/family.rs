//! Which family a name belongs to.
//!
//! A family refuses by prefix only if the prefix is the program's own; the rest is lists. No rule
//! goes by suffix: no one can tell whether `FEATURE_FLAGS` is an option of some program. Case does
//! not matter, because a vault has one entry per name regardless of case, and some programs (npm)
//! read their names in any case.

use std::sync::LazyLock;

use super::{languages, packages, python, system, tools};

/// Names that one program, or a few that are alike, would take for instructions.
pub struct Family {
    /// Whose names they are.
    pub title: &'static str,
    /// Why such a name is refused, as the end of a sentence about it.
    pub reason: &'static str,
    /// Every name that begins with one of these.
    pub prefixes: &'static str,
    /// Names that have such a prefix and run no code: secrets that the program never reads, and
    /// harmless switches. One `*` means any text.
    pub except: &'static str,
    /// Names one by one.
    pub names: &'static str,
}

/// Every family, in the order of the documentation.
pub(super) const FAMILIES: [&[Family]; 5] = [
    &system::FAMILIES,
    &python::FAMILIES,
    &languages::FAMILIES,
    &packages::FAMILIES,
    &tools::FAMILIES,
];

/// The family of `name`, if it has one.
#[must_use]
pub fn family_of(name: &str) -> Option<&'static Family> {
    let mut listed = LISTED.bucket(name).iter();
    let found = listed.find(|(listed, _)| listed.eq_ignore_ascii_case(name));
    found.map(|(_, family)| *family).or_else(|| {
        let mut begun = PREFIXES
            .iter()
            .filter(|(prefix, _)| starts_with(name, prefix));
        begun
            .find(|(_, family)| !family.excepts(name))
            .map(|(_, family)| *family)
    })
}

/// All of them in a row.
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().copied().flatten()
}

/// A name with its family.
type Listed = (&'static str, &'static Family);

/// The listed names, sorted by [`bucket_of`].
struct Table {
    names: Vec<Listed>,
    /// Where each bucket starts, and the last one ends.
    starts: [usize; BUCKETS + 1],
}

impl Table {
    fn bucket(&self, name: &str) -> &[Listed] {
        let bucket = bucket_of(name);
        &self.names[self.starts[bucket]..self.starts[bucket + 1]]
    }
}

/// Every `exec` builds this table, so it must cost little: it copies no name, computes no hash, and
/// allocates twice.
static LISTED: LazyLock<Table> = LazyLock::new(|| {
    let mut names: Vec<Listed> = Vec::with_capacity(ROOM);
    let mut starts = [0; BUCKETS + 1];
    for family in all() {
        for name in family.names.split_ascii_whitespace() {
            names.push((name, family));
            starts[bucket_of(name) + 1] += 1;
        }
    }
    for bucket in 0..BUCKETS {
        starts[bucket + 1] += starts[bucket];
    }
    let (mut next, mut sorted) = (starts, names.clone());
    for listed in names {
        let place = &mut next[bucket_of(listed.0)];
        sorted[*place] = listed;
        *place += 1;
    }
    Table {
        names: sorted,
        starts,
    }
});

/// A little more than there are names.
const ROOM: usize = 1024;
const BUCKETS: usize = 256;

/// Names that differ only in case have the same bucket. Few others do, because first letters and
/// lengths differ.
fn bucket_of(name: &str) -> usize {
    let first = name.bytes().next().unwrap_or_default().to_ascii_lowercase();
    (usize::from(first) * 7 + name.len() * 29) % BUCKETS
}

/// Each prefix with its family. The text of the table is split once, not once for each name.
static PREFIXES: LazyLock<Vec<(&str, &Family)>> = LazyLock::new(|| {
    let prefixes = |family: &'static Family| {
        family
            .prefixes
            .split_ascii_whitespace()
            .map(move |p| (p, family))
    };
    all().flat_map(prefixes).collect()
});

impl Family {
    fn excepts(&self, name: &str) -> bool {
        self.except
            .split_ascii_whitespace()
            .any(|pattern| is_like(name, pattern))
    }
}

/// Whether `name` is `pattern`, in which one `*` may mean any text.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name.eq_ignore_ascii_case(pattern),
        Some((start, end)) => {
            name.len() >= start.len() + end.len()
                && starts_with(name, start)
                && name[name.len() - end.len()..].eq_ignore_ascii_case(end)
        }
    }
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
