//! Files below `.vault` that are not in the form vault writes, or not there.

use std::fs;

use crate::support::membership::with_bob;
use crate::support::refusal::stocked;
use crate::support::transcript::Transcript;

#[test]
fn refusals_of_files_are_in_their_file() {
    let sandbox = stocked();
    let mut transcript = Transcript::of(&sandbox);
    for path in ["production/OTHER.toml", "root.toml", "members/alice.toml"] {
        let file = sandbox.store(path);
        let genuine = fs::read_to_string(&file).unwrap();
        for (note, bytes) in [
            ("CRLF", genuine.replace('\n', "\r\n").into_bytes()),
            (
                "A byte order mark",
                format!("\u{feff}{genuine}").into_bytes(),
            ),
            (
                "Conflict markers",
                format!("<<<<<<< a\n{genuine}=======\n>>>>>>> b\n").into_bytes(),
            ),
            ("A NUL byte", format!("{genuine}\0").into_bytes()),
            ("Latin 1", [genuine.as_bytes(), b"\xe4"].concat()),
            (
                "A newer format",
                genuine.replace("format = 1", "format = 2").into_bytes(),
            ),
            ("An empty file", Vec::new()),
            ("A large file", vec![b'#'; 17 << 20]),
            (
                "Another signature",
                genuine
                    .replace("signature = \"b64:", "signature = \"b64:A")
                    .into_bytes(),
            ),
        ] {
            fs::write(&file, bytes).unwrap();
            transcript.note(&format!("{note} in {path}"));
            transcript.run("get OTHER -e production");
        }
        fs::remove_file(&file).unwrap();
        transcript.note(&format!("No {path}"));
        transcript.run("get OTHER -e production");
        fs::create_dir(&file).unwrap();
        transcript.note(&format!("A folder {path}"));
        transcript.run("get OTHER -e production");
        fs::remove_dir(&file).unwrap();
        fs::write(&file, genuine).unwrap();
    }
    fs::write(sandbox.store("production/other.toml"), "x").unwrap();
    transcript.note("Two files whose names differ in case only");
    transcript.run("get OTHER -e production");
    transcript.run("list -e production");
    fs::remove_file(sandbox.store("production/other.toml")).unwrap();
    fs::create_dir_all(sandbox.store("staging")).unwrap();
    fs::copy(
        sandbox.store("production/OTHER.toml"),
        sandbox.store("staging/OTHER.toml"),
    )
    .unwrap();
    transcript.note("Entries of no environment");
    transcript.run("environments add staging");
    fs::remove_dir_all(sandbox.store("staging")).unwrap();
    fs::create_dir_all(sandbox.store("requests")).unwrap();
    fs::write(sandbox.store("requests/bob.toml"), "x").unwrap();
    transcript.note("A request that is none");
    transcript.run("members add bob -e production=read");
    transcript.run("verify");
    fs::write(sandbox.store(".gitattributes"), "x").unwrap();
    transcript.note("No attributes");
    transcript.run("verify");
    let state = sandbox.home().join(".local/state/vault");
    for entry in fs::read_dir(&state).unwrap() {
        fs::write(entry.unwrap().path(), "x").unwrap();
    }
    transcript.note("A damaged state");
    transcript.run("get OTHER -e production");
    transcript.run("doctor");
    fs::remove_dir_all(sandbox.home().join(".local/state/vault")).unwrap();
    fs::remove_file(sandbox.repo().join("vault.toml")).unwrap();
    transcript.note("No vault.toml");
    transcript.run("init");
    transcript.note("No .vault");
    fs::remove_dir_all(sandbox.repo().join(".vault")).unwrap();
    fs::write(sandbox.repo().join("vault.toml"), "").unwrap();
    transcript.run("list");
    fs::write(sandbox.repo().join(".vault"), "").unwrap();
    transcript.run("list");
    transcript.check("damage/files");
}

#[test]
fn states_of_a_merge_are_in_their_file() {
    let sandbox = stocked();
    let bob = with_bob(&sandbox, &["development=write", "production=write"]);
    sandbox.git(&["branch", "old"]);
    sandbox.quick(&["rotate", "-e", "production"]);
    sandbox.commit("rotated");
    let from = sandbox.repo().display().to_string();
    let mut transcript = Transcript::of(&sandbox);
    transcript.note("An entry of a branch from before a rotation");
    sandbox.git(&["checkout", "--quiet", "old"]);
    let run = bob
        .vault(&["set", "LATE", "-e", "production", "-q"])
        .input("value-of-late");
    assert_eq!(run.outcome().status, 0);
    bob.send();
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.git(&["merge", "--quiet", "--no-edit", "old"]);
    for words in [
        "get LATE -e production",
        "exec -e production -- true",
        "status",
        "verify",
        "status --json",
    ] {
        transcript.run(words);
    }
    transcript.run("rotate --finish");
    sandbox.commit("finished");
    transcript.note("Two values");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.set("production", "OTHER", b"value-of-side");
    sandbox.commit("side");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.set("production", "OTHER", b"value-of-main");
    sandbox.commit("main");
    let merge = std::process::Command::new("git")
        .current_dir(&from)
        .args([
            "-c",
            "user.name=T",
            "-c",
            "user.email=t@example.com",
            "merge",
            "--quiet",
            "side",
        ])
        .env("HOME", sandbox.home())
        .output()
        .unwrap();
    assert!(!merge.status.success());
    for words in [
        "get OTHER -e production",
        "status",
        "verify",
        "resolve",
        "resolve OTHER",
        "resolve MISSING --ours",
        "resolve --take OTHER=ours",
    ] {
        transcript.run(words);
    }
    transcript.run("resolve");
    transcript.check("damage/merges");
}
