//! Paths that are not regular files of vault: links, pipes, folders, unexpected files, huge files,
//! and too many files. No link is followed, no command hangs, and nothing outside `.vault` is
//! touched.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command as Process;

use snapbox::str;

use crate::support::refusal::{
    Command, ENTRY, KEYED, KEYLESS, findings, found, held, not_held, refused, stocked, writers,
};
use crate::support::sandbox::Sandbox;

const ROOT: &str = "root.toml";
const MEMBER: &str = "members/alice.toml";
const URL: &str = "production/DATABASE_URL.toml";

/// Each kind of file, with the commands that read it.
fn kinds() -> [(&'static str, Vec<Command>); 3] {
    let all = [KEYED, KEYLESS].concat();
    [(ROOT, all), (MEMBER, KEYED.to_vec()), (URL, ENTRY.to_vec())]
}

fn not_regular(path: &str) -> String {
    format!(
        "error: .vault/{path}: is not a regular file
hint: remove it and put back the committed file: `git checkout -- .vault/{path}`
"
    )
}

fn not_a_folder(path: &str) -> String {
    format!(
        "error: .vault/{path}: is not a folder
hint: remove it and put back the committed file: `git checkout -- .vault/{path}`
"
    )
}

fn pipe(path: &Path) {
    assert!(Process::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn link_instead_of_a_file_is_never_followed() {
    for (path, commands) in kinds() {
        let sandbox = stocked();
        let genuine = sandbox.home().join("genuine");
        fs::rename(sandbox.store(path), &genuine).unwrap();
        symlink(&genuine, sandbox.store(path)).unwrap();
        refused(&sandbox, &commands, not_regular(path));
    }
}

#[test]
fn pipe_instead_of_a_file_is_refused_without_waiting() {
    for (path, commands) in kinds() {
        let sandbox = stocked();
        fs::remove_file(sandbox.store(path)).unwrap();
        pipe(&sandbox.store(path));
        refused(&sandbox, &commands, not_regular(path));
    }
}

#[test]
fn folder_instead_of_a_file_is_refused() {
    for (path, commands) in kinds() {
        let sandbox = stocked();
        fs::remove_file(sandbox.store(path)).unwrap();
        fs::create_dir(sandbox.store(path)).unwrap();
        refused(&sandbox, &commands, not_regular(path));
    }
}

#[test]
fn file_of_100_megabytes_is_refused_unread() {
    for (path, commands) in kinds() {
        let sandbox = stocked();
        File::options()
            .write(true)
            .open(sandbox.store(path))
            .unwrap()
            .set_len(100 << 20)
            .unwrap();
        let most = match path {
            ROOT => 16,
            MEMBER => 1,
            _ => 2,
        };
        let said = format!(
            "error: .vault/{path}: is larger than {most} MiB
hint: put back the committed file: `git checkout -- .vault/{path}`
"
        );
        refused(&sandbox, &commands[..2], &said);
    }
}

#[test]
fn linked_environment_folder_is_not_followed() {
    let sandbox = stocked();
    let genuine = sandbox.home().join("genuine");
    fs::rename(sandbox.store("production"), &genuine).unwrap();
    symlink(&genuine, sandbox.store("production")).unwrap();
    refused(&sandbox, ENTRY, not_a_folder("production"));
    found(
        &sandbox,
        &[],
        1,
        &(not_held(1, 0) + &findings(&[".vault/production: is not a folder"])),
    );
}

#[test]
fn file_instead_of_an_environment_folder_is_refused() {
    let sandbox = stocked();
    fs::remove_dir_all(sandbox.store("production")).unwrap();
    fs::write(sandbox.store("production"), "").unwrap();
    refused(&sandbox, ENTRY, not_a_folder("production"));
}

#[test]
fn linked_store_is_not_followed() {
    let sandbox = stocked();
    let genuine = sandbox.home().join("genuine");
    fs::rename(sandbox.store(""), &genuine).unwrap();
    symlink(&genuine, sandbox.repo().join(".vault")).unwrap();
    let said = str![[r#"
error: .vault is not a folder
hint: remove it and put back the committed one: `git checkout -- .vault`
"#]];
    refused(&sandbox, &[KEYED, KEYLESS].concat(), &said);
    // No new vault is created at the target of the link either.
    fs::remove_file(genuine.join(ROOT)).unwrap();
    let said = str![[r#"
error: .vault: is not a folder
hint: remove it and put back the committed file: `git checkout -- .vault`
"#]];
    refused(&sandbox, &[&["init", "--name", "alice"]], &said);
}

/// Removing the files of a killed writer must not affect a folder of someone else.
#[test]
fn linked_temporary_folder_is_not_followed() {
    let sandbox = stocked();
    let precious = sandbox.home().join("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), "precious").unwrap();
    let _ = fs::remove_dir_all(sandbox.store("tmp"));
    symlink(&precious, sandbox.store("tmp")).unwrap();
    refused(&sandbox, &writers(), not_a_folder("tmp"));
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}

#[test]
fn folder_among_temporary_files_stops_writers_with_a_hint() {
    let sandbox = stocked();
    // A folder with any other name is not ours, and does not interfere.
    for name in ["0123456789abcdef", "folder"] {
        fs::create_dir_all(sandbox.store("tmp").join(name)).unwrap();
        fs::write(sandbox.store("tmp").join(name).join("file"), "").unwrap();
    }
    for command in writers() {
        sandbox
            .vault(command)
            .input("value")
            .fails(1)
            .says(str![[r#"
error: could not write .vault/tmp: [..]
hint: remove it whole, it is never needed: `rm -r .vault/tmp`
"#]])
            .check();
    }
    fs::remove_dir_all(sandbox.store("tmp/0123456789abcdef")).unwrap();
    sandbox.set("production", "OTHER", b"another");
    assert!(sandbox.store("tmp/folder/file").exists());
}

#[test]
fn unexpected_file_blocks_reads() {
    let strangers: [(&[u8], &str); 9] = [
        (b"README.md", "README.md"),
        (b"NO_ENDING", "NO_ENDING"),
        (b"A B.toml", "A B.toml"),
        (b"1.toml", "1.toml"),
        (b"CON.toml", "CON.toml"),
        (b"X.TOML", "X.TOML"),
        (b"-e.toml", "-e.toml"),
        (b"X\x1b[2J\n.toml", "X\\u{1b}[2J\\n.toml"),
        (b"\xff.toml", "[..].toml"),
    ];
    let sandbox = stocked();
    for (name, shown) in strangers {
        let path = sandbox.store("production").join(OsStr::from_bytes(name));
        fs::write(&path, "").unwrap();
        let reason = format!(".vault/production/{shown}: is not an entry");
        refused(
            &sandbox,
            &[
                &["list", "-e", "production"],
                &[
                    "exec",
                    "-e",
                    "production",
                    "--no-mask",
                    "--",
                    "touch",
                    "started",
                ],
                &["set", "NEW", "-e", "production"],
                &["environments", "list"],
            ],
            format!("error: {reason}\nhint: remove the file; vault did not write it\n"),
        );
        found(&sandbox, &[], 1, &(not_held(1, 0) + &findings(&[&reason])));
        // A named secret is read without checking the other files.
        assert_eq!(sandbox.get("production", "OTHER"), b"other");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn verify_reports_unexpected_files() {
    let sandbox = stocked();
    for stranger in ["README.md", "staging.toml", "x\x1b[2J"] {
        fs::write(sandbox.store(stranger), "").unwrap();
    }
    fs::write(sandbox.store(".gitattributes"), "# nothing\n").unwrap();
    found(
        &sandbox,
        &[],
        4,
        &(held(1, 2)
            + &findings(&[
                ".vault/README.md: belongs to nothing that the root lists",
                ".vault/staging.toml: belongs to nothing that the root lists",
                ".vault/x\\u{1b}[2J: belongs to nothing that the root lists",
                ".vault/.gitattributes: must start with * -text, or git may change line endings",
            ])),
    );
}

/// They stop no reader, and writers who read all members pass them over.
#[test]
fn unexpected_files_among_members_are_findings() {
    let sandbox = stocked();
    let strangers = [
        "README.md",
        "Bob.toml",
        "bob.TOML",
        "root.toml",
        "vault.toml",
        "x\x1b[2J.toml",
    ];
    for stranger in strangers {
        fs::write(sandbox.store(&format!("members/{stranger}")), "").unwrap();
    }
    fs::create_dir(sandbox.store("members/folder")).unwrap();
    sandbox.set("production", "OTHER", b"new");
    assert_eq!(sandbox.get("production", "OTHER"), b"new");
    sandbox.quick(&["ci", "add", "github", "-e", "production"]);
    sandbox
        .vault(&["verify"])
        .fails(1)
        .prints(str![[r#"
ENVIRONMENT  SECRETS  EPOCH  SIGNED BY  RESULT
development  1        1      alice      ok
production   2        1      alice      ok

findings:
  .vault/members/Bob.toml: is not the file of a member
  .vault/members/README.md: is not the file of a member
  .vault/members/bob.TOML: is not the file of a member
  .vault/members/folder: is not the file of a member
  .vault/members/root.toml: is not the file of a member
  .vault/members/vault.toml: is not the file of a member
  .vault/members/x\u{1b}[2J.toml: is not the file of a member
"#]])
        .says(str!["error: verification failed: 7 findings"])
        .check();
}

#[test]
fn linked_members_folder_is_not_followed() {
    let sandbox = stocked();
    let genuine = sandbox.home().join("genuine");
    fs::rename(sandbox.store("members"), &genuine).unwrap();
    symlink(&genuine, sandbox.store("members")).unwrap();
    refused(&sandbox, &[ENTRY, KEYED].concat(), not_a_folder("members"));
}

#[test]
fn hidden_desktop_files_are_ignored() {
    let sandbox = stocked();
    for hidden in [
        ".DS_Store",
        "members/.bob.toml.swp",
        "production/.DS_Store",
        "production/.OTHER.toml.swp",
    ] {
        fs::write(sandbox.store(hidden), "\0").unwrap();
    }
    sandbox.vault(&["verify"]).prints(held(1, 2)).check();
    sandbox
        .vault(&["list", "-e", "production"])
        .prints("[..]\n[..]\n[..]\n")
        .check();
    sandbox
        .vault(&["set", "NEW", "-e", "production", "-q"])
        .input("new")
        .changes(&["repo/.vault/production/NEW.toml"])
        .check();
}

#[test]
fn names_differing_only_in_case_are_refused() {
    let sandbox = stocked();
    fs::write(sandbox.store("production/database_url.toml"), "").unwrap();
    refused(
        &sandbox,
        &[
            &["list", "-e", "production"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["set", "NEW", "-e", "production"],
        ],
        "error: .vault/production: DATABASE_URL and database_url differ in case only
hint: remove one of the two files
",
    );
}

fn fill(sandbox: &Sandbox, count: usize) {
    for number in 0..count {
        File::create(sandbox.store(&format!("production/F{number}.toml"))).unwrap();
    }
}

/// The limit counts files, so they need no content.
#[test]
fn over_20_000_entries_are_refused() {
    let sandbox = stocked();
    fill(&sandbox, 19_998);
    let set = sandbox
        .vault(&["set", "NEW", "-e", "production"])
        .input("value");
    set.fails(2)
        .says(str!["error: production would hold more than 20000 entries"])
        .check();
    fill(&sandbox, 19_999);
    refused(
        &sandbox,
        &[
            &["list", "-e", "production"],
            &[
                "exec",
                "-e",
                "production",
                "--no-mask",
                "--",
                "touch",
                "started",
            ],
            &["set", "NEW", "-e", "production"],
        ],
        "error: .vault/production: holds 20001 files, the limit is 20000 entries
hint: see what does not belong there: `git status .vault/production`
",
    );
    assert_eq!(sandbox.get("production", "OTHER"), b"other");
}
