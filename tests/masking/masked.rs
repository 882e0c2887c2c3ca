//! Masks a whole text.

use std::sync::Arc;

use repovault::mask::{Masker, Matcher};

/// Returns the output for a text that comes in pieces of `cut` bytes.
pub(crate) fn masked(matcher: &Arc<Matcher>, text: &[u8], cut: usize) -> Vec<u8> {
    let mut masker = Masker::new(Arc::clone(matcher));
    let mut out = Vec::new();
    for chunk in text.chunks(cut) {
        masker.feed(chunk, &mut out);
    }
    masker.finish(&mut out);
    out
}
