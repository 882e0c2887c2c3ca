//! Access after a merge: the lesser if a side reduced it, and otherwise the greater. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::vault::model::{Access, Member};
use crate::vault::name::{EnvironmentName, SecretName};

/// The access of a member that both sides changed.
pub(super) fn merge_access(
    base: Option<&Member>,
    ours: &Member,
    theirs: &Member,
) -> BTreeMap<EnvironmentName, Access> {
    let places: BTreeSet<&EnvironmentName> =
        ours.access.keys().chain(theirs.access.keys()).collect();
    let merged = places.into_iter().filter_map(|place| {
        let base = base.and_then(|base| base.access.get(place));
        let access = one_access(base, ours.access.get(place), theirs.access.get(place))?;
        Some((place.clone(), access))
    });
    merged.collect()
}

/// Everything that one or the other allows.
pub(super) fn greatest(one: Option<&Access>, other: &Access) -> Access {
    match (one, other) {
        (Some(Access::Names(one)), Access::Names(two)) => Access::Names(one | two),
        (Some(one), other) if Access::covers(Some(one), Some(other)) => one.clone(),
        _ => other.clone(),
    }
}

/// Returns the lesser access if a side reduced it, and otherwise the greater. A list gets the names
/// that a side added, and loses those that a side took.
fn one_access(
    base: Option<&Access>,
    ours: Option<&Access>,
    theirs: Option<&Access>,
) -> Option<Access> {
    if let (Some(Access::Names(one)), Some(Access::Names(two))) = (ours, theirs) {
        let is_gain = |name: &SecretName| base.is_none_or(|base| !base.reads(name));
        let names = (one | two).into_iter();
        let names =
            names.filter(|name| is_gain(name) || (one.contains(name) && two.contains(name)));
        return Some(Access::Names(names.collect()));
    }
    let is_reduced = !Access::covers(ours, base) || !Access::covers(theirs, base);
    let (greater, lesser) = if Access::covers(ours, theirs) {
        (ours, theirs)
    } else {
        (theirs, ours)
    };
    let chosen = if is_reduced { lesser } else { greater };
    chosen.cloned()
}

/// Whether `now` lets the member do less than `before`.
pub(super) fn gives_less(now: &Member, before: &Member) -> bool {
    before
        .access
        .iter()
        .any(|(place, access)| !Access::covers(now.access.get(place), Some(access)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the table has no access, too")]
    fn names(names: &[&str]) -> Option<Access> {
        let names = names.iter().map(|name| name.parse().unwrap());
        Some(Access::Names(names.collect()))
    }

    #[test]
    fn access_is_the_lesser_if_a_side_reduced_it() {
        let (write, read) = (Some(Access::Write), Some(Access::Read));
        let table = [
            (&None, &read, &write, &write),
            (&read, &read, &write, &write),
            (&read, &None, &write, &None),
            (&write, &read, &None, &None),
            (&write, &read, &write, &read),
            (&read, &names(&["A"]), &write, &names(&["A"])),
            (
                &read,
                &names(&["A", "B"]),
                &names(&["A", "C"]),
                &names(&["A"]),
            ),
            (&names(&["A"]), &read, &names(&["A"]), &read),
            (
                &names(&["A", "B"]),
                &names(&["A", "C"]),
                &names(&["A", "B", "D"]),
                &names(&["A", "C", "D"]),
            ),
            (&None, &names(&["A"]), &names(&["B"]), &names(&["A", "B"])),
        ];
        for (base, ours, theirs, expected) in table {
            for (one, two) in [(ours, theirs), (theirs, ours)] {
                let found = one_access(base.as_ref(), one.as_ref(), two.as_ref());
                assert_eq!(found, *expected, "{base:?} {one:?} {two:?}");
            }
        }
    }
}
