//! The golden vaults, and the second reader in Python.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::python::python;
use crate::support::sandbox::Sandbox;

pub(crate) const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// The names in an object printed by the second reader.
pub(crate) fn names(object: &Value) -> Vec<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// The output of the second reader for the sandbox's vault with this key file.
pub(crate) fn read(sandbox: &Sandbox, key: &Path, more: &[&str]) -> Value {
    let (repo, key) = (sandbox.repo(), key.to_str().unwrap());
    let arguments = [
        &["--vault", repo.to_str().unwrap(), "--identity-file", key],
        more,
    ]
    .concat();
    let output = run("reader.py", &arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    json(&output.stdout)
}

pub(crate) fn run(script: &str, arguments: &[&str]) -> Output {
    Command::new(python())
        .arg(format!("{TESTS}/second_reader/{script}"))
        .args(arguments)
        .output()
        .unwrap()
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Copies everything in a folder to another one.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
