//! Tests of access and of points in time.

use super::*;

/// No access, every list of the names A, B, and C, and the two kinds of full access.
fn all_access() -> Vec<Option<Access>> {
    let names: Vec<SecretName> = ["A", "B", "C"].map(|name| name.parse().unwrap()).into();
    let lists = (0_usize..8).map(|bits| {
        let listed = names
            .iter()
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1);
        Some(Access::Names(
            listed.map(|(_, name)| name.clone()).collect(),
        ))
    });
    lists
        .chain([None, Some(Access::Read), Some(Access::Write)])
        .collect()
}

/// What access allows, one by one: to be sealed to at all, to read each name (D is in no
/// list), and to write.
fn rights(access: Option<&Access>) -> [bool; 6] {
    let reads = |name: &str| access.is_some_and(|access| access.reads(&name.parse().unwrap()));
    let writes = access == Some(&Access::Write);
    [
        access.is_some(),
        reads("A"),
        reads("B"),
        reads("C"),
        reads("D"),
        writes,
    ]
}

#[test]
fn access_comparisons_agree_with_all_pairs_of_rights() {
    for before in all_access() {
        for after in all_access() {
            let (before, after) = (before.as_ref(), after.as_ref());
            let pairs: Vec<(bool, bool)> = rights(before).into_iter().zip(rights(after)).collect();
            let is_covered = pairs.iter().all(|(had, has)| !had || *has);
            let is_loss = pairs[..5].iter().any(|(had, has)| *had && !has);
            assert_eq!(
                Access::covers(after, before),
                is_covered,
                "{before:?} {after:?}"
            );
            assert_eq!(
                Access::loses(before, after),
                is_loss,
                "{before:?} {after:?}"
            );
        }
    }
}

#[test]
fn timestamp_is_valid_and_has_one_spelling() {
    for text in [
        "2026-11-23T10:11:12Z",
        "0001-01-01T00:00:00Z",
        "9998-12-31T23:59:59Z",
    ] {
        assert_eq!(Moment::parse(text).unwrap().as_str(), text);
    }
    let bad = [
        "0000-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-23T10:11:60Z",
        "2026-11-23T10:11:12.0Z",
        "2026-11-23t10:11:12z",
        "2026-11-23 10:11:12Z",
        "2026-11-23T10:11:12+00:00",
        "2026-11-23T10:11:12",
    ];
    for text in bad {
        assert!(Moment::parse(text).is_none(), "{text}");
    }
}
