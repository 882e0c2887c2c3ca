//! Notices and errors about values, and about what a command is started with.

use std::fs;
use std::path::Path;

use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;
use crate::support::transcript::Transcript;

#[test]
fn notices_about_values_are_in_their_file() {
    let sandbox = Sandbox::with_vault();
    let mut transcript = Transcript::of(&sandbox);
    for value in [
        "\u{feff}text",
        " text ",
        " text",
        "text\t",
        "a\r\nb\r\n",
        "a\r\n",
        "a\n",
        "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
        "ENC[AES256_GCM,data:x]",
        "encrypted:abc",
    ] {
        transcript.note(&format!("{value:?}"));
        transcript.run_as("set A", |run| run.input(value));
    }
    transcript.note("UTF-16");
    transcript.run_as("set A", |run| run.input(b"\xff\xfea\0"));
    transcript.note("A megabyte too many");
    transcript.run_as("set A", |run| run.input(vec![b'x'; 1 << 21]));
    transcript.note("The same value twice");
    transcript.run_as("import -", |run| {
        run.input("B=same-value-12\nC=same-value-12\n")
    });
    transcript.run_as("set D", |run| run.input("same-value-12"));
    transcript.run_as("import -", |run| {
        run.input("E='op://vault/item/field'\nF=\"arn:aws:ssm:eu-west-1:1:parameter/x\"\nG='a\r\nb'\nH='x'\n")
    });
    fs::write(sandbox.repo().join("app.env"), "I=1\n").unwrap();
    sandbox.git(&["add", "app.env"]);
    transcript.note("A file that git has");
    transcript.run("import app.env");
    transcript.run("set J --file app.env");
    sandbox.commit("a mistake");
    transcript.run("import app.env");
    let commit = sandbox.git(&["rev-parse", "--short", "HEAD"]);
    let day = sandbox.git(&["log", "-1", "--format=%as"]);
    transcript.redact(
        "[COMMIT] ([DAY])",
        &format!("{} ({})", commit.trim(), day.trim()),
    );
    fs::write(
        sandbox.repo().join(".gitignore"),
        "vault.toml\n.vault/development/K.toml\n",
    )
    .unwrap();
    transcript.run_as("set K", |run| run.input("value-of-k"));
    transcript.check("input/values");
}

#[test]
fn errors_of_arguments_are_in_their_file() {
    let sandbox = stocked();
    let _ = sandbox.credential("github", &["-e", "production"]);
    let mut transcript = Transcript::of(&sandbox);
    for words in [
        "members",
        "ci",
        "get A --color auto --color never",
        "resolve --take A",
        "resolve",
        "set CON",
        "set COM1",
        "environments add members",
        "environments add staging --access alice=read --access alice=write",
        "environments add staging --access bob=read",
        "environments add staging --access github=write",
        "members set github -e production=write",
        "members add bob -e production=read -e production=write",
        "trust vault1x",
        "members add carol -e production=write",
        "trust --give-back bob",
        "rotate -e production --authority",
        "exec -e production --if-locked no -- true",
        "join --name alice --new-key",
        "verify --since HEAD --id x",
        "set A --from :/vault",
        "set A --from @{upstream}",
        "set A --from HEAD:vault.toml",
        "verify --since :/vault",
        "verify --since @{upstream}",
        "verify --since a",
        "verify --since main@{1}",
    ] {
        transcript.run(words);
    }
    for branch in ["abcdef1", "v1", "side"] {
        sandbox.git(&["branch", branch]);
    }
    sandbox.git(&["tag", "v2"]);
    transcript.run("verify --since abcdef1");
    transcript.run("verify --since v2");
    transcript.run(&format!("trust {}", sandbox.id()));
    transcript.run_as(&format!("trust {}", sandbox.id()), |run| {
        run.without("HOME")
    });
    transcript.run(&format!("get vaultci1_{}", "a".repeat(70)));
    transcript.note("In a folder with only vault.toml");
    let folder = sandbox.home().join("new");
    sandbox.git(&["init", "--quiet", folder.to_str().unwrap()]);
    fs::write(folder.join("vault.toml"), "").unwrap();
    for words in ["init --name recovery --recovery", "init"] {
        transcript.run_as(words, |run| {
            run.folder(&folder).variable("USER", "Not A Name")
        });
    }
    transcript.run_as("init --name alice", |run| run.folder(&folder));
    let from = format!("file://{}", sandbox.repo().display());
    let shallow = sandbox.home().join("shallow").display().to_string();
    sandbox.commit("one more");
    sandbox.git(&["clone", "--quiet", "--depth", "1", &from, &shallow]);
    transcript.note("In a shallow clone");
    for words in ["verify --since HEAD~", "verify --since abcdef0", "status"] {
        transcript.run_as(words, |run| run.folder(Path::new(&shallow)));
    }
    transcript.note("Arguments that are empty, or not names");
    for words in [&["get", ""][..], &["exec", "--", ""], &["exec", "--"]] {
        transcript.run_as(&words.join(" "), |_| sandbox.vault(words));
    }
    let long = "A".repeat(201);
    transcript.run(&format!("get {long}"));
    transcript.check("input/arguments");
}

#[test]
fn errors_of_exec_are_in_their_file() {
    let sandbox = stocked();
    sandbox.set("development", "SHORT", b"abc");
    sandbox.set("development", "LONG", &vec![b'x'; 200_000]);
    sandbox.set("development", "GONE", b"value-of-gone");
    sandbox.quick(&["remove", "GONE"]);
    let mut transcript = Transcript::of(&sandbox);
    for (toml, words) in [
        ("", "exec --only SHORT -- true"),
        ("", "exec --only LONG -- true"),
        ("", "exec --only GONE -- true"),
        ("", "exec --only SHORT --keep SHORT -- true"),
        (
            "[steps.a]\nnames = [\"SHORT\"]\nfail_on_leak = true",
            "exec --step a --no-mask -- true",
        ),
        ("[steps.a]\nnames = [\"GONE\"]", "exec --step a -- true"),
        ("[steps.b]\nnames = []", "exec --step a -- true"),
        ("[secrets.GONE]\nrequired = true", "exec -- true"),
        (
            "[environments.development.variables]\nURL = \"${GONE}\"",
            "exec --only URL -- true",
        ),
        (
            "[environments.development.variables]\nURL = \"${LONG}${LONG}${LONG}${LONG}${LONG}${LONG}\"",
            "exec --only URL -- true",
        ),
        (
            "[environments.development.variables]\nBASH_ENV = \"x\"",
            "exec -- true",
        ),
    ] {
        fs::write(
            sandbox.repo().join("vault.toml"),
            format!("default = \"development\"\n{toml}\n"),
        )
        .unwrap();
        transcript.note(toml);
        transcript.run(words);
    }
    transcript.note("With variables of the caller");
    fs::write(
        sandbox.repo().join("vault.toml"),
        "default = \"development\"\n",
    )
    .unwrap();
    transcript.run_as("exec --only DATABASE_URL -- true", |run| {
        run.variable("DATABASE_URL", "x")
    });
    transcript.run_as(
        "exec --only DATABASE_URL --keep DATABASE_URL -- true",
        |run| run.variable("DATABASE_URL", "x"),
    );
    transcript.check("input/exec");
}
