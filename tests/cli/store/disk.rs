//! Full, read-only, and failing disks, and machines without git: a clear error, no changes, and
//! normal operation afterward.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use snapbox::str;

use crate::support::UNPRIVILEGED;
use crate::support::machine::left_out;
use crate::support::python::python;
use crate::support::sandbox::Sandbox;

const HOLDS: &str = "[..]RESULT\n[..]ok\n[..]ok\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    sandbox.set("production", "KEY", b"value");
    sandbox
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn without_privileges() -> [&'static str; 2] {
    [python(), UNPRIVILEGED]
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// The commands that only read, with their output.
const READING: [(&[&str], &str); 4] = [
    (&["get", "KEY"], "value"),
    (&["exec", "--no-mask", "--", "printenv", "KEY"], "value\n"),
    (&["list"], "NAME[..]\nKEY [..]\n"),
    (&["verify"], HOLDS),
];

#[test]
fn file_size_limit_is_reported_as_an_error() {
    let sandbox = sandbox();
    let limited = ["sh", "-c", "ulimit -f 4 && exec \"$@\"", "sh"];
    let long = vec![b'x'; 8 << 10];
    let said = str!["error: could not write .vault/development/KEY.toml: File too large[..]"];
    sandbox
        .vault(&["set", "KEY"])
        .under(&limited)
        .input(&long)
        .fails(1)
        .says(&said)
        .check();
    let text = format!(
        "OTHER=1
KEY={}
",
        "x".repeat(8 << 10)
    );
    let said = str!["error: could not write .vault/development/KEY.toml: File too large[..]"];
    sandbox
        .vault(&["import", "-"])
        .under(&limited)
        .input(text)
        .fails(1)
        .says(&said)
        .check();
    assert!(is_empty(&sandbox.store("tmp")));
    sandbox.vault(&["get", "KEY"]).prints("value").check();
    // The command inherits the limit and its signal from the caller.
    let arguments = ["exec", "--no-mask", "--", "sh", "-c", "ulimit -f"];
    sandbox
        .vault(&arguments)
        .under(&limited)
        .prints("4\n")
        .check();
}

/// Whether this machine lets a test mount a small disk.
fn can_mount(sandbox: &Sandbox) -> bool {
    let path = sandbox.root().display().to_string();
    let mount = [
        "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", &path,
    ];
    let quiet = Command::new("unshare")
        .args(mount)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let can = quiet.is_ok_and(|status| status.success());
    if !can {
        left_out("a small disk cannot be mounted here by unshare -rm");
    }
    can
}

/// Runs `vault` in a copy of the repository on a disk of 256 KiB; `script` is a shell script in
/// which `"$@"` is the command.
fn on_small_disk(sandbox: &Sandbox, script: &str) -> Vec<String> {
    let disk = sandbox.root().join("disk");
    fs::create_dir_all(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=256k none '{0}' && cp -R .vault vault.toml '{0}' && cd '{0}' && {script}",
        disk.display()
    );
    ["unshare", "-rm", "sh", "-c", &script, "sh"]
        .map(str::to_owned)
        .to_vec()
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn full_disk_changes_nothing() {
    let sandbox = sandbox();
    if !can_mount(&sandbox) {
        // On such a machine, only the limit on the file size is tested.
        return;
    }
    fs::write(sandbox.root().join("value"), "x".repeat(10_000)).unwrap();
    let script = "cat .vault/*.toml .vault/*/*.toml >../before
cat /dev/zero >fill 2>/dev/null
\"$@\" <../value; echo $?
cat .vault/*.toml .vault/*/*.toml | cmp - ../before && ls .vault/tmp
rm fill && \"$@\" <../value; echo $?
ls .vault/tmp";
    sandbox
        .vault(&["set", "KEY"])
        .under(&words(&on_small_disk(&sandbox, script)))
        .prints("1\n0\n")
        .says(str![[r#"
error: could not write .vault/development/KEY.toml: No space left on device[..]
changed KEY in development (revision 2)
"#]])
        .any_change()
        .check();
}

/// There is space for two of the new files.
#[test]
fn disk_filled_by_a_rotation_changes_nothing() {
    let script = "head -c 8192 /dev/zero >room && cat .vault/*.toml .vault/*/*.toml >../before
cat /dev/zero >fill 2>/dev/null; rm room
\"$@\"; echo $?
cat .vault/*.toml .vault/*/*.toml | cmp - ../before && ls .vault/tmp
rm fill && \"$@\"; echo $?
ls .vault/tmp";
    for what in [
        &["-e", "production", "-e", "development"][..],
        &["--authority", "--yes"],
    ] {
        let sandbox = sandbox();
        if !can_mount(&sandbox) {
            return;
        }
        let arguments = [&["rotate", "-q"], what].concat();
        sandbox
            .vault(&arguments)
            .under(&words(&on_small_disk(&sandbox, script)))
            .prints("1\n0\n")
            .says(str![
                "error: could not write .vault/[..]: No space left on device[..]"
            ])
            .any_change()
            .check();
    }
}

#[test]
fn read_only_disk_can_be_read() {
    let sandbox = sandbox();
    if !can_mount(&sandbox) {
        return;
    }
    let script = "mount -o remount,bind,ro . && \"$@\"";
    let under = on_small_disk(&sandbox, script);
    for (arguments, printed) in READING {
        let run = sandbox.vault(arguments).under(&words(&under));
        run.prints(printed).any_change().check();
    }
    let said = str!["error: could not write .vault/[..]: Read-only file system[..]"];
    let run = sandbox
        .vault(&["set", "KEY"])
        .input("other")
        .under(&words(&under));
    run.fails(1).says(&said).any_change().check();
}

#[test]
fn read_only_checkout_can_be_read() {
    let sandbox = sandbox();
    let folders = [
        "",
        ".vault",
        ".vault/members",
        ".vault/development",
        ".vault/production",
        ".vault/tmp",
    ];
    let mode = |mode| {
        for folder in folders {
            set_mode(&sandbox.repo().join(folder), mode);
        }
    };
    mode(0o555);
    for (arguments, printed) in READING {
        sandbox
            .vault(arguments)
            .under(&without_privileges())
            .prints(printed)
            .check();
    }
    let writing: [(&[&str], &str); 5] = [
        (&["set", "KEY"], ".vault/development/KEY.toml"),
        (&["remove", "KEY"], ".vault/development/KEY.toml"),
        (
            &["environments", "add", "staging"],
            ".vault/members/alice.toml",
        ),
        (
            &["ci", "add", "github", "-e", "production"],
            ".vault/members/github.toml",
        ),
        (
            &["environments", "remove", "production", "--yes"],
            ".vault/root.toml",
        ),
    ];
    for (arguments, path) in writing {
        let said = format!("error: could not write {path}: Permission denied[..]\n");
        let run = sandbox
            .vault(arguments)
            .input("other")
            .under(&without_privileges());
        run.fails(1).says(&said).check();
    }
    mode(0o755);
}

#[test]
fn unwritable_folder_stops_the_whole_change() {
    let sandbox = sandbox();
    for folder in ["production", "tmp"] {
        set_mode(&sandbox.store(folder), 0o555);
        let arguments = ["set", "KEY", "-e", "development", "-e", "production"];
        let said = str!["error: could not write .vault/[..]: Permission denied[..]"];
        let run = sandbox
            .vault(&arguments)
            .input("other")
            .under(&without_privileges());
        run.fails(1).says(&said).check();
        set_mode(&sandbox.store(folder), 0o755);
    }
    assert!(is_empty(&sandbox.store("tmp")));
    let arguments = ["set", "KEY", "-q", "-e", "development", "-e", "production"];
    sandbox
        .vault(&arguments)
        .input("other")
        .under(&without_privileges())
        .changes(&[
            "repo/.vault/development/KEY.toml",
            "repo/.vault/production/KEY.toml",
        ])
        .check();
}

#[test]
fn file_instead_of_a_folder_is_refused() {
    let sandbox = sandbox();
    let cases = [
        (
            ".vault/production",
            str![[r#"
error: .vault/production: is not a folder
hint: [..]
"#]],
        ),
        (
            ".vault/tmp",
            str![[r#"
error: .vault/tmp: is not a folder
hint: [..]
"#]],
        ),
        (
            ".vault",
            str![[r#"
error: .vault is not a folder
hint: [..]
"#]],
        ),
    ];
    for (folder, said) in cases {
        let place = sandbox.repo().join(folder);
        let aside = sandbox.root().join("aside");
        fs::rename(&place, &aside).unwrap();
        fs::write(&place, "a file").unwrap();
        let run = sandbox
            .vault(&["set", "KEY", "-e", "production"])
            .input("other");
        run.fails(4).says(said).check();
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
    let run = sandbox.vault(&["set", "KEY", "-q"]).input("other");
    run.changes(&["repo/.vault/development/KEY.toml"]).check();
}

#[test]
fn git_is_needed_only_for_older_revisions() {
    let sandbox = sandbox();
    sandbox.commit("all");
    let bin = sandbox.root().join("bin");
    fs::create_dir(&bin).unwrap();
    symlink("/bin/cat", bin.join("cat")).unwrap();
    let run = |arguments: &[&str]| {
        sandbox
            .vault(arguments)
            .variable("PATH", bin.to_str().unwrap())
    };
    let said = str!["changed KEY in development (revision 2)"];
    run(&["set", "KEY"])
        .input("other")
        .says(&said)
        .changes(&["repo/.vault/development/KEY.toml"])
        .check();
    run(&["get", "KEY"]).prints("other").check();
    run(&["exec", "--no-mask", "--", "cat"])
        .input("input")
        .prints("input")
        .check();
    run(&["list"])
        .prints(str![[r#"
NAME[..]
KEY [..]
"#]])
        .check();
    run(&["verify"]).prints(HOLDS).check();
    let said = str![[r#"
error: git was not found in PATH
hint: git is needed to read older revisions
"#]];
    run(&["verify", "--since", "HEAD"])
        .fails(1)
        .says(&said)
        .check();
    run(&["set", "KEY", "--from", "HEAD"])
        .fails(1)
        .says(&said)
        .check();
    fs::remove_dir_all(sandbox.repo().join(".git")).unwrap();
    run(&["get", "KEY"]).prints("other").check();
    let said = str![[r#"
error: git finds no repository of yours in [..]
hint: [..]
"#]];
    let run = sandbox
        .vault(&["verify", "--since", "HEAD"])
        .fails(2)
        .says(&said);
    run.variable("GIT_CEILING_DIRECTORIES", sandbox.root().to_str().unwrap())
        .check();
}

#[test]
fn line_ending_conversion_does_not_affect_the_store() {
    let sandbox = sandbox();
    sandbox.commit("all");
    let clone = sandbox.repo().join("clone");
    sandbox.git(&["-c", "core.autocrlf=true", "clone", "--quiet", ".", "clone"]);
    let config = fs::read_to_string(clone.join("vault.toml")).unwrap();
    assert!(config.contains("\r\n"), "the clone converts line endings");
    // Only the first command in the new folder has something to record: the folder.
    let run = sandbox
        .vault(&["get", "KEY"])
        .folder(&clone)
        .prints("value");
    run.any_change().check();
    sandbox
        .vault(&["verify"])
        .folder(&clone)
        .prints(HOLDS)
        .check();
    sandbox
        .vault(&["set", "KEY", "-q"])
        .folder(&clone)
        .input("other")
        .changes(&["repo/clone/.vault/development/KEY.toml"])
        .check();
    let status = sandbox.git(&[
        "-C",
        "clone",
        "-c",
        "core.autocrlf=true",
        "status",
        "--short",
    ]);
    assert_eq!(status, " M .vault/development/KEY.toml\n");
}
