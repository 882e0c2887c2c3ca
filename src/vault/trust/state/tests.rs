//! Tests of the file that remembers which vaults are trusted.

use super::*;

fn seen(floor: u64, revision: u64, hash: u8) -> Seen {
    Seen {
        floor,
        roster: Some((revision, [hash; 32])),
        folders: vec![format!("/{hash}")],
        replaced: None,
    }
}

#[test]
fn recorded_floor_and_revision_only_rise() {
    let both = merged(&seen(3, 7, 1), &seen(2, 6, 2));
    assert_eq!((both.floor, both.roster), (3, Some((7, [1; 32]))));
    let both = merged(&seen(3, 7, 1), &seen(4, 8, 2));
    assert_eq!((both.floor, both.roster), (4, Some((8, [2; 32]))));
    let both = merged(&seen(3, 7, 1), &seen(3, 7, 2));
    assert_eq!(both.roster, Some((7, [1; 32])));
    assert_eq!(both.folders, ["/1", "/2"]);
}
