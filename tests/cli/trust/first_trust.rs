//! How a person comes to trust a vault: only through its id, sent by a colleague.

use std::fs;
use std::path::Path;

use repovault::crypto::Tag;
use snapbox::str;

use crate::support::colleague::Colleague;
use crate::support::refusal::stocked;
use crate::support::sandbox::{Sandbox, changed};
use crate::support::terminal::Terminal;

const QUESTION: &str = "This vault is new to you. Paste the id that a colleague sent you (vault1…), \
                        or press Enter to do it later: ";
const AGAIN: &str = "Paste the id again: ";
const UNTRUSTED: &str = "error: the id of this vault has not been confirmed yet
hint: in CI, after comparing it with a colleague, set `VAULT_ID=[..]`
hint: on your own machine: ask a colleague for the output of `vault id`, then: `vault trust ID`
";
const LATER: &str = "the vault is not trusted yet: ask a colleague for the output of `vault id`, then: `vault trust ID`\n";
const ANOTHER: &str = "That is the id of another vault than the one here.\n";
const GET: [&str; 2] = ["get", "DATABASE_URL"];

/// Alice adds bob, whose request is merged, and bob pulls the commit.
fn add(sandbox: &Sandbox, bob: &Colleague<'_>, fingerprint: &str) {
    bob.send();
    let add = [
        "members",
        "add",
        "bob",
        "-e",
        "development=write",
        "-q",
        "--fingerprint",
    ];
    sandbox.quick(&[&add[..], &[fingerprint.trim()]].concat());
    sandbox.commit("bob is a member");
    bob.pull();
}

fn copy_store(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_store(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

#[test]
fn join_without_an_id_trusts_nothing() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let asked = bob.vault(&["join", "--name", "bob"]).outcome();
    assert!(
        asked.status == 0 && asked.said.contains(LATER),
        "{}",
        asked.said
    );
    assert!(
        !asked.said.contains("vault1"),
        "the id is not shown: {}",
        asked.said
    );
    // A second run shows the same fingerprint, and trusts nothing either.
    let fingerprint = String::from_utf8(asked.output).unwrap();
    let again = bob.vault(&["join", "--name", "bob", "-q"]);
    again.prints(&fingerprint).check();
    add(&sandbox, &bob, &fingerprint);
    bob.vault(&GET).fails(3).says(UNTRUSTED).check();
    bob.vault(&["set", "NEW"])
        .input("value")
        .fails(3)
        .says(UNTRUSTED)
        .check();
    bob.vault(&["exec", "--", "touch", "ran"])
        .fails(121)
        .says(UNTRUSTED)
        .check();
    // A pin for a single command does not change that.
    let id = sandbox.id();
    let pinned = bob.vault(&GET).variable("VAULT_ID", &id);
    pinned.prints("postgres://development").any_change().check();
    bob.vault(&GET).fails(3).says(UNTRUSTED).check();

    let said = format!("trusted: {id}\n");
    bob.vault(&["trust", &id]).says(&said).any_change().check();
    bob.vault(&GET)
        .prints("postgres://development")
        .any_change()
        .check();
}

#[test]
fn join_with_a_pin_in_a_variable_trusts_nothing() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let id = sandbox.id();
    let asked = bob
        .vault(&["join", "--name", "bob", "-q"])
        .variable("VAULT_ID", &id)
        .outcome();
    assert_eq!(asked.status, 0, "{}", asked.said);
    add(&sandbox, &bob, &String::from_utf8(asked.output).unwrap());
    bob.vault(&GET).fails(3).says(UNTRUSTED).check();
}

#[test]
fn join_with_the_right_id_trusts_the_vault() {
    let sandbox = stocked();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let id = sandbox.id().to_uppercase();
    let asked = bob.vault(&["join", "--name", "bob", "--id", &id]).outcome();
    assert!(
        asked.status == 0 && !asked.said.contains("not trusted"),
        "{}",
        asked.said
    );
    add(&sandbox, &bob, &String::from_utf8(asked.output).unwrap());
    bob.vault(&GET)
        .prints("postgres://development")
        .any_change()
        .check();
}

#[test]
fn join_with_a_wrong_id_changes_nothing() {
    let sandbox = stocked();
    let other = Sandbox::with_vault().id();
    let bob = Colleague::clone_of(&sandbox, "bob");
    let join = ["join", "--name", "bob", "--id"];
    let said = format!(
        "error: .vault/root.toml: belongs to a different vault: expected {other}, found {}
hint: put back the committed files: `git checkout -- .vault`
hint: the trusted id is that of the credential, VAULT_ID, `--id`, or `--since`
",
        sandbox.id()
    );
    bob.vault(&[&join[..], &[&other]].concat())
        .fails(4)
        .says(&said)
        .check();
    let run = bob
        .vault(&[&join[..], &[&sandbox.id()]].concat())
        .variable("VAULT_ID", &other);
    run.fails(4).says(&said).check();
    let older = format!("{}@{}", sandbox.id(), Tag::random());
    let said = str![[r#"
error: .vault/root.toml: is from before a revocation that VAULT_ID, `--id`, or `--since` names, which no commit of this clone has
hint: [..]
hint: if that branch was abandoned: name a revocation of this one instead
"#]];
    bob.vault(&[&join[..], &[&older]].concat())
        .fails(4)
        .says(&said)
        .check();
    let said = str![[r#"
error: not the id of a vault (vault1… with 64 characters)
hint: ask a colleague for the output of `vault id`
"#]];
    for id in ["", "vault1", &sandbox.id()[52..], "x"] {
        bob.vault(&[&join[..], &[id]].concat())
            .fails(2)
            .says(&said)
            .check();
    }
}

#[test]
fn join_at_a_terminal_trusts_only_the_pasted_id() {
    let sandbox = stocked();
    let (id, other) = (sandbox.id(), Sandbox::with_vault().id());
    let bob = Colleague::clone_of(&sandbox, "bob");
    let join = ["join", "--name", "bob"];
    let before = sandbox.files();
    let mut terminal = Terminal::start(bob.vault(&join));
    terminal.talks(&[QUESTION, AGAIN, AGAIN].map(|question| (question, &*other, ANOTHER)));
    let screen = terminal.ends(4);
    assert!(!screen.contains(&id), "the id is not shown: {screen}");
    assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());

    let mut terminal = Terminal::start(bob.vault(&join));
    terminal.sees(QUESTION);
    terminal.types("\n");
    let screen = terminal.ends(0);
    assert!(screen.contains(LATER) && !screen.contains(&id), "{screen}");
    let fingerprint = screen.lines().last().unwrap().to_owned();
    bob.vault(&GET).fails(3).says(UNTRUSTED).check();

    // The same command asks again.
    let mut terminal = Terminal::start(bob.vault(&join));
    terminal.sees(QUESTION);
    terminal.types(&format!("{id}\n"));
    let screen = terminal.ends(0);
    assert!(screen.ends_with(&format!("{fingerprint}\n")), "{screen}");
    add(&sandbox, &bob, &fingerprint);
    bob.vault(&GET)
        .prints("postgres://development")
        .any_change()
        .check();
    // A vault that is already trusted causes no question.
    let said =
        "error: you are already a member: bob\nhint: list the members: `vault members list`\n";
    assert_eq!(
        Terminal::start(bob.vault(&["join", "--name", "b"])).ends(2),
        said
    );
}

/// Someone who can write to the repository without a key plants a vault of their own, and accepts
/// the request themselves.
#[test]
fn planted_vault_receives_nothing_from_a_newcomer() {
    let (sandbox, planted) = (stocked(), stocked());
    let bob = Colleague::clone_of(&sandbox, "bob");
    let replace = |from: &Path, to: &Path| {
        fs::remove_dir_all(to).unwrap();
        copy_store(from, to);
    };
    replace(&planted.store(""), &bob.store(""));
    let asked = bob.vault(&["join", "--name", "bob", "-q"]).outcome();
    let fingerprint = String::from_utf8(asked.output).unwrap();
    replace(&bob.store(""), &planted.store(""));
    let add = [
        "members",
        "add",
        "bob",
        "-e",
        "production=write",
        "-q",
        "--fingerprint",
    ];
    planted.quick(&[&add[..], &[fingerprint.trim()]].concat());
    replace(&planted.store(""), &bob.store(""));
    let set = ["set", "DB_PASSWORD", "-e", "production"];
    bob.vault(&set)
        .input("the-real-one")
        .fails(3)
        .says(UNTRUSTED)
        .check();
    let before = sandbox.files();
    let mut terminal = Terminal::start(bob.vault(&set));
    let first = "This vault is new to you. Paste the id that a colleague sent you (vault1…): ";
    let id = sandbox.id();
    terminal.talks(&[first, AGAIN, AGAIN].map(|question| (question, &*id, ANOTHER)));
    let screen = terminal.ends(4);
    assert!(screen.contains("someone replaced .vault"), "{screen}");
    assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());
}

#[test]
fn id_is_printed_without_a_key() {
    let sandbox = stocked();
    let id = sandbox.id();
    sandbox.vault(&["id"]).prints(format!("{id}\n")).check();
    let json = format!("{{\"trusted\":true,\"vault\":\"{id}\",\"version\":1}}\n");
    sandbox.vault(&["id", "--json"]).prints(json).check();
    let warning = str![
        "warning: no one here has trusted this id yet: do not send it on, and do not paste it yourself; ask a colleague for theirs"
    ];
    let stranger = sandbox.vault(&["id"]).variable("HOME", "/nowhere");
    stranger.prints(format!("{id}\n")).says(&warning).check();
    let stranger = sandbox.vault(&["id", "--json", "-q"]).without("HOME");
    stranger
        .prints(format!(
            "{{\"trusted\":false,\"vault\":\"{id}\",\"version\":1}}\n"
        ))
        .check();
    // A person who knows the folder never sends the id of a planted vault.
    let other = stocked();
    fs::copy(other.store("root.toml"), sandbox.store("root.toml")).unwrap();
    let said = format!(
        "error: .vault/root.toml: belongs to a different vault: expected {id}, found {}
hint: put back the committed files: `git checkout -- .vault`
hint: only if a colleague sent you the new id: `vault trust ID`
",
        other.id()
    );
    sandbox.vault(&["id"]).fails(4).says(&said).check();
}

#[test]
fn trust_prompts_for_the_id_at_a_terminal() {
    let sandbox = stocked();
    let id = sandbox.id();
    fs::remove_dir_all(sandbox.home().join(".local")).unwrap();
    let said = "error: no id was given
hint: ask a colleague for the output of `vault id`, then: `vault trust ID`
";
    sandbox.vault(&["trust"]).fails(2).says(said).check();
    let question = "Paste the id that a colleague sent you (vault1…): ";
    let mut terminal = Terminal::start(sandbox.vault(&["trust"]));
    terminal.sees(question);
    terminal.types("\n");
    assert_eq!(terminal.ends(2), format!("{question}\n{said}"));
    let mut terminal = Terminal::start(sandbox.vault(&["trust"]));
    let no_id = "not the id of a vault (vault1… with 64 characters)";
    terminal.sees(question);
    terminal.types("vault1\n");
    terminal.sees(AGAIN);
    terminal.types(&format!("{id}\n"));
    let screen = terminal.ends(0);
    assert_eq!(
        screen,
        format!("{question}vault1\n{no_id}\n{AGAIN}{id}\ntrusted: {id}\n")
    );
    sandbox
        .vault(&GET)
        .prints("postgres://development")
        .any_change()
        .check();
}
