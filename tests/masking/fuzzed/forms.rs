//! The checks of the fuzz target `forms`, for arbitrary secrets. `cargo test` replays its corpus.

use std::sync::Arc;

use repovault::mask::{Masking, Matcher, Needles, forms};
use repovault::secret::Secret;

use crate::masked::masked;

/// Masks a text that contains forms of a secret. Each byte of the data is a byte of the text or, if
/// it is the number of a needle, that needle. A needle by itself must be masked as a whole.
pub(crate) fn check(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else {
        return;
    };
    let (value, text) = rest.split_at(usize::from(length).min(rest.len()));
    let mut needles = Needles::new();
    // Any verdict is fine.
    let _ = forms::add(
        &mut needles,
        "A",
        &Secret::new(value.to_vec()),
        Masking::Automatic,
    );
    let single = !value.contains(&b'\n') && !value.contains(&b'"');
    assert!(!single || needles.len() <= forms::MOST_NEEDLES);
    let spelled: Vec<_> = needles.iter().map(|(_, bytes)| bytes.to_vec()).collect();
    let matcher = Arc::new(Matcher::new(needles));
    let mut mixed = Vec::new();
    for &byte in text.iter().take(60) {
        match spelled.get(usize::from(byte)) {
            Some(needle) => mixed.extend_from_slice(needle),
            None => mixed.push(byte),
        }
    }
    let whole = masked(&matcher, &mixed, usize::MAX);
    assert_eq!(whole, masked(&matcher, &mixed, 7));
    let some = text.iter().take(6);
    for needle in some.filter_map(|&byte| spelled.get(usize::from(byte))) {
        let out = masked(&matcher, needle, usize::MAX);
        assert_eq!(out, b"***", "{}", needle.escape_ascii());
    }
}
