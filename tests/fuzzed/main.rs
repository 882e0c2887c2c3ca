//! The checks of the fuzz targets for the product's inputs. These tests replay the corpus of each
//! target, and `.ci/fuzz` searches for new inputs. docs/testing.md explains how.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

mod config;
mod credential;
mod dotenv;
mod entry;
mod git;
mod member;
mod pin;
mod request;
mod root;
mod ssh;
mod state;
mod template;

/// Checks each file of the target's corpus, whole and cut off after each of its first 50 lines.
#[track_caller]
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut replayed = 0;
    for file in fs::read_dir(folder).unwrap() {
        let data = fs::read(file.unwrap().path()).unwrap();
        check(&data);
        let ends = data.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        ends.take(50).for_each(|(at, _)| check(&data[..at]));
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus of {target} is empty");
}

/// Returns the names in a folder of `fuzz`, without extensions.
fn names(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let files = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files
        .map(|name| name.split('.').next().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_target_is_built_replayed_and_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let manifest = file("fuzz/Cargo.toml");
    let quoted = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("name = \""));
    let mut built: Vec<_> = quoted
        .map(|rest| rest.trim_end_matches('"').to_owned())
        .collect();
    built.retain(|name| name != "repovault-fuzz");
    built.sort();
    let replays = file("tests/fuzzed/main.rs") + &file("tests/masking/corpus.rs");
    let page = file("docs/testing.md");
    let table = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect::<String>();
    assert_eq!(built, names("fuzz_targets"));
    assert_eq!(built, names("corpus"));
    for name in built {
        assert!(
            replays.contains(&format!("replay(\"{name}\", ")),
            "{name} is not replayed"
        );
        assert!(
            table.contains(&format!("`{name}`")),
            "{name} is not in docs/testing.md"
        );
    }
}

#[test]
fn corpus_of_config_holds() {
    replay("config", config::check);
}

#[test]
fn corpus_of_credential_holds() {
    replay("credential", credential::check);
}

#[test]
fn corpus_of_dotenv_holds() {
    replay("dotenv", dotenv::check);
}

#[test]
fn corpus_of_entry_holds() {
    replay("entry", entry::check);
}

#[test]
fn corpus_of_git_holds() {
    replay("git", git::check);
}

#[test]
fn corpus_of_member_holds() {
    replay("member", member::check);
}

#[test]
fn corpus_of_pin_holds() {
    replay("pin", pin::check);
}

#[test]
fn corpus_of_request_holds() {
    replay("request", request::check);
}

#[test]
fn corpus_of_root_holds() {
    replay("root", root::check);
}

#[test]
fn corpus_of_ssh_holds() {
    replay("ssh", ssh::check);
}

#[test]
fn corpus_of_state_holds() {
    replay("state", state::check);
}

#[test]
fn corpus_of_template_holds() {
    replay("template", template::check);
}
