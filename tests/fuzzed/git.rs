//! Checks the output of git, on which a stranger's repository has influence: lists return nothing
//! that is not in the output, and answers are read one by one, within their limit.

use repovault::git::output::{Excess, blobs, paths, read_blob, versions};

/// The first byte is the limit for contents.
pub(crate) fn check(data: &[u8]) {
    let Some((&limit, listed)) = data.split_first() else {
        return;
    };
    let records = listed.split(|&byte| byte == 0).count();
    assert!(paths(listed).len() <= records && versions(listed).len() <= records / 2);
    for (path, blob) in blobs(listed) {
        assert!(!path.contains(&0) && !blob.id.contains(['\0', ' ', '\t']));
    }
    let (mut cut, mut skipped) = (listed, listed);
    loop {
        let before = cut.len();
        let Ok(content) = read_blob(&mut cut, limit.into(), Excess::Cut) else {
            return;
        };
        let short = read_blob(&mut skipped, limit.into(), Excess::Skipped).unwrap();
        assert!(
            cut == skipped && cut.len() < before,
            "both have read one answer"
        );
        let length = content.as_ref().map_or(0, Vec::len);
        assert!(length <= usize::from(limit) + 1);
        assert!(short.is_none() || short == content);
    }
}
