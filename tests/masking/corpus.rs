//! Replays the corpus of the fuzz targets.

use std::fs;
use std::path::Path;

use crate::fuzzed;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut replayed = 0;
    for file in fs::read_dir(folder).expect("the corpus is committed") {
        let path = file.expect("a file").path();
        check(&fs::read(path).expect("a readable file"));
        replayed += 1;
    }
    assert!(replayed > 0);
}

#[test]
fn engine_fuzz_corpus_passes() {
    replay("engine", fuzzed::engine::check);
}

#[test]
fn forms_fuzz_corpus_passes() {
    replay("forms", fuzzed::forms::check);
}
