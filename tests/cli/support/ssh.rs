//! Real SSH keys, made by `ssh-keygen`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::machine::has;

/// Whether keys can be made here.
#[track_caller]
pub(crate) fn has_keygen() -> bool {
    has("ssh-keygen", "openssh-client")
}

/// Runs `ssh-keygen`, which must succeed.
pub(crate) fn keygen(words: &[&str]) {
    let output = Command::new("ssh-keygen").arg("-q").args(words).output();
    let output = output.unwrap();
    assert!(output.status.success(), "ssh-keygen {words:?}: {output:?}");
}

/// Makes an ed25519 key at `path`, and its public half next to it. Returns the line of the public half.
pub(crate) fn ed25519(path: &Path, passphrase: &str) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = path.to_str().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    keygen(&["-t", "ed25519", "-N", passphrase, "-C", name, "-f", file]);
    public(path)
}

/// The line of the public half.
pub(crate) fn public(path: &Path) -> String {
    let path = format!("{}.pub", path.display());
    fs::read_to_string(path).unwrap().trim().to_owned()
}
