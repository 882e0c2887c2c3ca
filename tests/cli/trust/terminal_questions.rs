//! People at a terminal: the questions, and the results of a yes, a no, and a wrong answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use repovault::crypto::Tag;
use snapbox::str;

use crate::support::UNPRIVILEGED;
use crate::support::craft;
use crate::support::python::python;
use crate::support::sandbox::{Run, Sandbox, changed, is_like};
use crate::support::terminal::Terminal;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    sandbox.set("production", "KEY", b"production");
    sandbox
}

/// A second machine of the same person with the key and nothing else.
fn laptop(sandbox: &Sandbox) -> PathBuf {
    let home = sandbox.home().join("laptop");
    fs::create_dir_all(home.join(".config/vault")).unwrap();
    let file = ".config/vault/identity.txt";
    fs::copy(sandbox.home().join(file), home.join(file)).unwrap();
    home
}

fn at<'a>(home: &Path, run: Run<'a>) -> Run<'a> {
    run.variable("HOME", home.to_str().unwrap())
}

const QUESTION: &str =
    "This vault is new to you. Paste the id that a colleague sent you (vault1…): ";
const AGAIN: &str = "Paste the id again: ";

#[test]
fn typed_value_is_not_shown() {
    let sandbox = sandbox();
    let mut terminal = Terminal::start(sandbox.vault(&["set", "TOKEN"]));
    terminal.sees("TOKEN in development: ");
    terminal.types_hidden(" typed ünseen \n");
    let screen = terminal.ends(0);
    let blanks = "warning: TOKEN begins and ends with blanks, which are kept\n";
    let set = "set TOKEN in development (revision 1)\n";
    assert_eq!(screen, format!("TOKEN in development: \n{blanks}{set}"));
    sandbox
        .vault(&["get", "TOKEN"])
        .prints(" typed ünseen ")
        .check();

    let mut terminal = Terminal::start(sandbox.vault(&["set", "TOKEN", "OTHER"]));
    for (prompt, value) in [
        ("TOKEN in development: ", "one\n"),
        ("OTHER in development: ", "two\n"),
    ] {
        terminal.sees(prompt);
        terminal.types_hidden(value);
    }
    let said = "changed TOKEN in development (revision 2)\nset OTHER in development (revision 1)\n";
    assert_eq!(
        terminal.ends(0),
        format!("TOKEN in development: \nOTHER in development: \n{said}")
    );
    sandbox.vault(&["get", "OTHER"]).prints("two").check();
}

#[test]
fn init_offers_a_recovery_key_and_shows_it_once() {
    let made = "made your key: [..]\ncreated a vault in [..]\nits id, [..]\nnext: [..]\n";
    for (answer, is_made) in [("\n", true), ("y\n", true), ("n\n", false)] {
        let sandbox = Sandbox::empty();
        let mut terminal = Terminal::start(sandbox.vault(&["init", "--name", "alice"]));
        terminal.sees("[Y/n] ");
        terminal.types(answer);
        let screen = terminal.ends(0);
        let file = sandbox.store("members/recovery.toml");
        assert_eq!(file.exists(), is_made, "{answer:?}");
        assert_eq!(
            screen.contains("AGE-SECRET-KEY-PQ-1"),
            is_made,
            "{answer:?}: {screen}"
        );
    }
    let sandbox = Sandbox::empty();
    sandbox
        .vault(&["init", "--name", "alice", "--recovery"])
        .says(format!(
            "{made}the recovery key, shown only once; print it and lock it away:\n"
        ))
        .prints("AGE-SECRET-KEY-PQ-1[..]\n")
        .any_change()
        .check();
}

#[test]
fn recovery_key_opens_every_environment() {
    let sandbox = Sandbox::empty();
    let key = sandbox.quick(&["init", "--name", "alice", "--recovery", "-q"]);
    for file in sandbox.files().values() {
        let kept = matches!(file, crate::support::sandbox::Content::File(bytes)
            if String::from_utf8_lossy(bytes).contains(key.trim()));
        assert!(!kept, "the recovery key is nowhere on disk");
    }
    sandbox.set("production", "KEY", b"production");
    let run = |arguments: &[&str]| {
        sandbox
            .vault(arguments)
            .variable("HOME", "/nowhere")
            .variable("VAULT_KEY", &key)
            .variable("VAULT_ID", &sandbox.id())
    };
    run(&["get", "KEY", "-e", "production"])
        .prints("production")
        .check();
    let said =
        str!["added the environment staging with access for alice (write), recovery (write)"];
    run(&["environments", "add", "staging"])
        .says(&said)
        .any_change()
        .check();
}

#[test]
fn pasting_the_id_on_a_new_laptop_trusts_the_vault_once() {
    let sandbox = sandbox();
    let (home, id) = (laptop(&sandbox), sandbox.id());
    let untrusted = format!(
        "error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID={id}`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
"
    );
    at(&home, sandbox.vault(&["get", "KEY"]))
        .fails(3)
        .says(&untrusted)
        .check();

    let mut terminal = Terminal::start(at(&home, sandbox.vault(&["get", "KEY"])));
    terminal.sees(QUESTION);
    terminal.types(&format!("{id}\n"));
    assert_eq!(terminal.ends(0), format!("{QUESTION}{id}\nvalue"));

    at(&home, sandbox.vault(&["get", "KEY"]))
        .prints("value")
        .check();
    let state = home.join(".local/state/vault");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(&state)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!((files.len(), mode(&files[0])), (1, 0o600));
}

#[test]
fn pasted_id_is_accepted_with_blanks_and_quotes() {
    let sandbox = sandbox();
    sandbox.quick(&["rotate", "-e", "production"]);
    let (id, tag) = (sandbox.id(), craft::vault(&sandbox).root().latest());
    for pasted in [
        format!("  {id} \t"),
        id.to_uppercase(),
        format!("`{id}`"),
        format!("{id}@{tag}"),
    ] {
        let home = laptop(&sandbox);
        let _ = fs::remove_dir_all(home.join(".local"));
        let mut terminal = Terminal::start(at(&home, sandbox.vault(&["get", "KEY"])));
        terminal.sees(QUESTION);
        terminal.types(&format!("{pasted}\n"));
        assert!(terminal.ends(0).ends_with("value"), "{pasted}");
        at(&home, sandbox.vault(&["trust", &pasted, "-q"])).check();
    }
}

#[test]
fn wrong_id_trusts_nothing_and_starts_nothing() {
    let sandbox = sandbox();
    let (home, id) = (laptop(&sandbox), sandbox.id());
    let other = Sandbox::with_vault().id();
    let before = sandbox.files();
    let no_id = "not the id of a vault (vault1… with 64 characters)\n";
    let another = "That is the id of another vault than the one here.\n";
    let later = "hint: ask a colleague for the output of `vault id`, then: `vault trust ID`\n";
    let end = format!("error: the vault is not trusted: none of the answers is its id\n{later}");
    let replaced = "error: the vault is not trusted: none of the answers is its id
hint: if a colleague sent that id, someone replaced .vault: tell your colleagues
hint: put back the committed files: `git checkout -- .vault`
";
    // Each of them three times.
    let cases: [(&[&str], &str, &str, &str, i32); 5] = [
        (&["get", "KEY"], &id[52..], no_id, &end, 3),
        (&["set", "KEY"], "y", no_id, &end, 3),
        (&["get", "KEY"], &other, another, replaced, 4),
        (&["exec", "--", "touch", "ran"], &id[..63], no_id, &end, 121),
        (
            &["exec", "--", "touch", "ran"],
            &other,
            another,
            replaced,
            122,
        ),
    ];
    for (arguments, answer, reason, end, status) in cases {
        let mut terminal = Terminal::start(at(&home, sandbox.vault(arguments)));
        let turns = [QUESTION, AGAIN, AGAIN].map(|question| (question, answer, reason));
        let expected = terminal.talks(&turns);
        let screen = terminal.ends(status);
        assert_eq!(screen, expected + end);
        assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());
    }
    // Nothing, at once.
    let mut terminal = Terminal::start(at(&home, sandbox.vault(&["get", "KEY"])));
    terminal.sees(QUESTION);
    terminal.types("\n");
    let screen = terminal.ends(3);
    let end = format!("error: the vault is not trusted: no id was given\n{later}");
    assert_eq!(screen, format!("{QUESTION}\n{end}"));
    // A tag that the vault does not list means that the vault is an older state.
    let mut terminal = Terminal::start(at(&home, sandbox.vault(&["get", "KEY"])));
    terminal.sees(QUESTION);
    terminal.types(&format!("{id}@{}\n", Tag::random()));
    assert!(
        terminal
            .ends(4)
            .contains("is from before a revocation that is known here")
    );
    // The third answer counts.
    let mut terminal = Terminal::start(at(&home, sandbox.vault(&["get", "KEY"])));
    terminal.talks(&[
        (QUESTION, &other, another),
        (AGAIN, &other, another),
        (AGAIN, &id, ""),
    ]);
    assert!(terminal.ends(0).ends_with("value"));
}

#[test]
fn unwritable_state_stops_the_first_trust() {
    let sandbox = sandbox();
    let (home, id) = (laptop(&sandbox), sandbox.id());
    fs::create_dir_all(home.join(".local/state")).unwrap();
    fs::set_permissions(home.join(".local/state"), fs::Permissions::from_mode(0o500)).unwrap();
    let before = sandbox.files();
    for arguments in [
        &["remove", "KEY"][..],
        &["get", "KEY"],
        &["environments", "add", "staging"],
    ] {
        let run = at(&home, sandbox.vault(arguments));
        let mut terminal = Terminal::start_under(run, &[python(), UNPRIVILEGED]);
        terminal.sees(QUESTION);
        terminal.types(&format!("{id}\n"));
        let screen = terminal.ends(1);
        let last = screen.lines().last().unwrap();
        assert!(
            is_like(
                "error: could not write [..]/vault: Permission denied[..]",
                last
            ),
            "{screen}"
        );
        assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());
    }
    fs::set_permissions(home.join(".local/state"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn removing_an_environment_asks_for_confirmation() {
    let sandbox = sandbox();
    let remove = ["environments", "remove", "production"];
    let before = sandbox.files();
    let mut terminal = Terminal::start(sandbox.vault(&remove));
    terminal.sees("remove the environment production with its 1 entry? [y/N] ");
    terminal.types("\n");
    terminal.ends(4);
    assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());
    let mut terminal = Terminal::start(sandbox.vault(&remove));
    terminal.sees("[y/N] ");
    terminal.types("y\n");
    terminal.ends(0);
    assert!(!sandbox.store("production").exists());
}
