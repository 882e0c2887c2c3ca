//! The version, short and long, and the commit that build.rs finds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sandbox::Sandbox;

#[expect(dead_code, reason = "cargo runs it, the tests only call its parts")]
#[path = "../../../build.rs"]
mod build;

use self::build::Commit;

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

/// A new folder with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = root.join(format!("version-{}-{name}", std::process::id()));
    for (path, text) in files {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

fn found(name: &str, files: &[(&str, &str)]) -> Option<String> {
    let folder = folder(name, files);
    let commit = Commit::find(&folder);
    assert!(commit.files.iter().all(|file| file.is_file()), "{commit:?}");
    fs::remove_dir_all(folder).unwrap();
    commit.id
}

#[test]
fn long_version_names_the_target() {
    let sandbox = Sandbox::empty();
    let short = format!("vault {}\n", env!("CARGO_PKG_VERSION"));
    sandbox.vault(&["-V"]).prints(&short).check();
    let outcome = sandbox.vault(&["--version"]).outcome();
    let long = String::from_utf8(outcome.output).unwrap();
    let details = long
        .strip_prefix(short.trim_end())
        .and_then(|rest| rest.strip_prefix(" ("));
    let target = details
        .and_then(|rest| rest.strip_suffix(")\n"))
        .expect("a target");
    assert!(target.contains(std::env::consts::ARCH), "{long}");
}

#[test]
fn commit_is_read_from_the_files_of_git() {
    let line = &*format!("{ID}\n");
    let on_main = (".git/HEAD", "ref: refs/heads/main\n");
    let packed = &*format!("# pack-refs with: peeled\n{ID} refs/heads/main\n");
    let pointer = "gitdir: repository/worktrees/one\n";
    let note = &*format!(r#"{{"git": {{ "sha1": "{ID}" }} }}"#);
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("detached", &[(".git/HEAD", line)]),
        (
            "loose",
            &[
                on_main,
                (".git/refs/heads/main", line),
                (".git/logs/HEAD", ""),
            ],
        ),
        ("packed", &[on_main, (".git/packed-refs", packed)]),
        (
            "worktree",
            &[
                (".git", pointer),
                ("repository/worktrees/one/HEAD", "ref: refs/heads/a/b\n"),
                ("repository/worktrees/one/commondir", "../..\n"),
                ("repository/refs/heads/a/b", line),
            ],
        ),
        ("package", &[(".cargo_vcs_info.json", note)]),
    ];
    for (name, files) in cases {
        assert_eq!(found(name, files).as_deref(), Some(ID), "{name}");
    }
}

#[test]
fn commit_is_absent_without_a_checkout_of_this_package() {
    let unborn = (".git/HEAD", "ref: refs/heads/main\n");
    let damaged = (".git/HEAD", "ref: refs/heads/main\nmore");
    let note = (".cargo_vcs_info.json", r#"{"git":{"sha1":"main"}}"#);
    let cases: [(&str, &[(&str, &str)]); 4] = [
        ("archive", &[("Cargo.toml", "")]),
        ("unborn", &[unborn]),
        ("damaged", &[damaged]),
        ("note", &[note]),
    ];
    for (name, files) in cases {
        assert_eq!(found(name, files), None, "{name}");
    }
    let outer = folder("outer", &[(".git/HEAD", ID), ("package/Cargo.toml", "")]);
    assert_eq!(Commit::find(&outer.join("package")).id, None);
    fs::remove_dir_all(outer).unwrap();
}
