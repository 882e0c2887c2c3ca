//! `vault import`: its notes about values that are stored unchanged, and about git.

use std::fs;

use snapbox::str;

use crate::support::sandbox::Sandbox;
use crate::support::terminal::Terminal;

const DONE: &str = "imported into development: 1 set, 0 changed, 0 unchanged\n";

/// Imports this text from standard input and expects this note before the report.
#[track_caller]
fn mentions(text: &str, said: &str) {
    let sandbox = Sandbox::with_vault();
    let run = sandbox.vault(&["import", "-"]).input(text).any_change();
    run.says(format!("{said}{DONE}")).check();
}

#[test]
fn value_read_differently_elsewhere_gets_a_note() {
    let pem = r"one line with \n in it instead of newlines (put it in double quotes)";
    for line in [
        r"TLS=-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
        r"TLS='-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n'",
    ] {
        mentions(line, &format!("warning: {pem}: TLS\n"));
    }
    let quoted = r#"TLS="-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n""#;
    mentions(quoted, "");
    mentions(r#"KEY='{"private_key": "-----BEGIN\nMIIE"}'"#, "");

    let kept = "${…} is stored as written, without replacing it";
    for line in [
        "URL=amqp://x:${PASSWORD}@mq",
        "URL='${A:-b}'",
        "URL=\"a${B}\"",
    ] {
        mentions(line, &format!("warning: {kept}: URL\n"));
    }
    mentions("URL=a$B$$c${d", "");
    let place = "the value is a reference to a secret, not the secret itself";
    mentions(
        "A=op://shop/database/password",
        &format!("warning: {place}: A\n"),
    );
    mentions(r#"A="b\rc""#, "warning: carriage returns are kept: A\n");
    mentions("A=\n", "warning: the value is empty: A\n");
    mentions("A=''", "warning: the value is empty: A\n");
}

#[test]
fn notes_list_every_name_and_no_value() {
    let sandbox = Sandbox::with_vault();
    let text = "A=hunter2${X}\nB=hunter2\nC=${Y:-hunter2}\n";
    let said = str![[r#"
warning: ${…} is stored as written, without replacing it: A, C
imported into development: 3 set, 0 changed, 0 unchanged
"#]];
    sandbox
        .vault(&["import", "-"])
        .input(text)
        .any_change()
        .says(&said)
        .check();
    sandbox.vault(&["get", "C"]).prints("${Y:-hunter2}").check();
}

#[test]
fn import_from_a_terminal_is_refused() {
    let sandbox = Sandbox::with_vault();
    for path in ["-", "/dev/stdin"] {
        let screen = Terminal::start(sandbox.vault(&["import", path])).ends(2);
        let said = "error: standard input is a terminal, not a dotenv file\n";
        assert!(screen.starts_with(said), "{screen}");
    }
}

#[test]
fn file_in_git_gets_a_note_with_its_first_commit() {
    let sandbox = Sandbox::with_vault();
    let import = |path: &str, end: &str| {
        let said =
            format!("imported into development: [..]\nthe plaintext is still in [..]\n{end}");
        sandbox
            .vault(&["import", path])
            .any_change()
            .says(&said)
            .check();
    };
    let folder = sandbox.repo().join("it's");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("*.env"), "A=1\n").unwrap();
    import("it's/*.env", "");
    sandbox.git(&["add", "it's"]);
    let staged =
        "warning: it's/*.env is staged in git; before you commit: `git rm --cached [..]`\n";
    import("it's/*.env", staged);
    sandbox.git(&["commit", "--quiet", "--message", "with plaintext"]);
    let first = sandbox.git(&["log", "-1", "--format=%h (%cs)"]);
    fs::write(folder.join("*.env"), "A=2\n").unwrap();
    sandbox.commit("changed");
    let since = format!(
        "warning: it's/*.env is in git since commit {}, so its values are in the history: replace \
         each at its source\n",
        first.trim()
    );
    import("it's/*.env", &since);
    // Removed from the git checkout, on this branch and on another one.
    sandbox.git(&["rm", "--quiet", "--cached", "it's/*.env"]);
    sandbox.git(&["commit", "--quiet", "--message", "removed"]);
    import("it's/*.env", &since);
    sandbox.git(&["checkout", "--quiet", "--orphan", "other"]);
    import("it's/*.env", &since);
    // A link is not the file.
    std::os::unix::fs::symlink("it's/*.env", sandbox.repo().join("link")).unwrap();
    import("link", &since.replace("it's/*.env", "link"));
    fs::write(folder.join("a.env"), "A=1\n").unwrap();
    import("it's/a.env", "");
}

#[test]
fn vault_ignored_by_git_gets_a_note() {
    for (rules, ignored) in [
        (".*\n", ".vault/root.toml"),
        (".vault/\n", ".vault/root.toml"),
        ("*.toml\n", "vault.toml"),
        ("/vault.toml\n", "vault.toml"),
    ] {
        let sandbox = Sandbox::empty();
        fs::write(sandbox.repo().join(".gitignore"), rules).unwrap();
        let said = format!(
            "made your key: [..]\ncreated a vault in [..]\nits id, [..]\nnext: [..]\nwarning: git \
             ignores {ignored}, so other clones and CI would not have it; to see which rule does: \
             `git check-ignore -v {ignored}`\n"
        );
        let run = sandbox.vault(&["init", "--name", "alice"]).any_change();
        run.says(&said).check();
        let run = sandbox.vault(&["import", "-"]).input("A=1\n").any_change();
        run.says(format!("{DONE}warning: git ignores {ignored}, [..]\n"))
            .check();
        // A tracked file is not ignored.
        sandbox.git(&["add", "--force", "vault.toml", ".vault"]);
        let run = sandbox.vault(&["import", "-"]).input("A=2\n").any_change();
        run.says(str![
            "imported into development: 0 set, 1 changed, 0 unchanged"
        ])
        .check();
    }
    let sandbox = Sandbox::with_vault();
    fs::write(sandbox.repo().join(".gitignore"), "development\n").unwrap();
    let run = sandbox.vault(&["import", "-"]).input("A=1\n").any_change();
    run.says(format!(
        "{DONE}warning: git ignores .vault/development/A.toml, [..]\n"
    ))
    .check();
    let run = sandbox
        .vault(&["import", "-", "-e", "production"])
        .input("A=1\n")
        .any_change();
    run.says(str![
        "imported into production: 1 set, 0 changed, 0 unchanged"
    ])
    .check();
}

#[test]
fn import_works_without_git() {
    let sandbox = Sandbox::with_vault();
    fs::remove_dir_all(sandbox.repo().join(".git")).unwrap();
    fs::write(sandbox.repo().join(".env"), "A=1\n").unwrap();
    let said = format!("{DONE}the plaintext is still in .env: [..]\n");
    let run = sandbox.vault(&["import", ".env"]).any_change().says(&said);
    // The sandbox itself is below a checkout.
    run.variable("GIT_CEILING_DIRECTORIES", sandbox.root().to_str().unwrap())
        .check();
}
