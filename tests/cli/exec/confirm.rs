//! `confirm = true`: every command that releases a value asks a person at the terminal first.

use std::fs;

use crate::support::python::python;
use crate::support::sandbox::{Sandbox, changed};
use crate::support::terminal::Terminal;

/// Runs a command in the background without a terminal, as a service or a CI job does.
const WITHOUT_TERMINAL: &str = "import os, sys
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setsid()
os.execv(sys.argv[1], sys.argv[1:])";

/// Starts a command with an empty pipe as its standard input.
const INPUT_IS_A_PIPE: &str = "import os, sys
read, write = os.pipe()
os.write(write, b'y\\nof the pipe\\n')
os.close(write)
os.dup2(read, 0)
os.execv(sys.argv[1], sys.argv[1:])";

/// The commands that release a value of production, with their questions and their results after a
/// yes.
const LETS_OUT: [(&[&str], &str, &str); 4] = [
    (
        &[
            "exec",
            "--no-mask",
            "-e",
            "production",
            "--",
            "printenv",
            "KEY",
        ],
        "run this command with the secrets of production?",
        "new\n",
    ),
    (
        &["get", "KEY", "-e", "production"],
        "print KEY of production?",
        "new",
    ),
    (
        &["copy", "KEY", "--from", "production", "--to", "development"],
        "copy KEY from production to development?",
        "copied KEY from production to development (revision 1)\n",
    ),
    (
        &["set", "KEY", "--from", "HEAD", "-e", "production"],
        "set KEY in production to an older value?",
        "changed KEY in production (revision 3)\n",
    ),
];

const REFUSED: &str = "error: production has `confirm = true` in vault.toml, but no terminal is available to ask a person
hint: run it with standard error at a terminal; `--yes` does not answer this question
hint: a machine uses a credential, which is not asked: `vault ci add NAME -e production`
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_vault();
    sandbox.set("production", "KEY", b"old");
    sandbox.commit("the old value");
    sandbox.set("production", "KEY", b"new");
    fs::write(
        sandbox.repo().join("vault.toml"),
        "default = \"development\"\n[environments.production]\nconfirm = true\n",
    )
    .unwrap();
    sandbox
}

fn refusal(command: &[&str]) -> i32 {
    if command[0] == "exec" { 122 } else { 4 }
}

#[test]
fn confirmed_environment_asks_before_printing_a_value() {
    for (command, question, result) in LETS_OUT {
        let sandbox = sandbox();
        let before = sandbox.files();
        for answer in ["n", "", "yess", "--yes"] {
            let mut terminal = Terminal::start(sandbox.vault(command));
            terminal.sees("[y/N] ");
            terminal.types(&format!("{answer}\n"));
            let screen = terminal.ends(refusal(command));
            let end = "error: not done: the answer was not yes\n";
            assert_eq!(screen, format!("{question} [y/N] {answer}\n{end}"));
        }
        assert_eq!(changed(&before, &sandbox.files()), Vec::<String>::new());
        for answer in ["y", "YES"] {
            let mut terminal = Terminal::start(sandbox.vault(command));
            terminal.sees("[y/N] ");
            terminal.types(&format!("{answer}\n"));
            let screen = terminal.ends(0);
            assert!(
                screen.starts_with(&format!("{question} [y/N] {answer}\n")),
                "{screen}"
            );
            if answer == "y" {
                assert!(screen.ends_with(result), "{screen}");
            }
        }
    }
}

#[test]
fn confirmed_environment_is_refused_without_a_terminal() {
    let sandbox = sandbox();
    let without = [python(), "-c", WITHOUT_TERMINAL];
    for (command, _, _) in LETS_OUT {
        for input in ["", "y\n"] {
            let run = sandbox.vault(command).input(input);
            run.fails(refusal(command)).says(REFUSED).check();
            let run = sandbox.vault(command).input(input).under(&without);
            run.fails(refusal(command)).says(REFUSED).check();
        }
    }
    let yes = [
        "exec",
        "--yes",
        "-e",
        "production",
        "--",
        "touch",
        "started",
    ];
    sandbox.vault(&yes).fails(122).says(REFUSED).check();
    let several = [
        "set",
        "KEY",
        "--from",
        "HEAD",
        "-e",
        "development",
        "-e",
        "production",
    ];
    sandbox.vault(&several).fails(4).says(REFUSED).check();
    let environment = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_ENVIRONMENT", "production");
    environment.fails(4).says(REFUSED).check();
}

#[test]
fn yes_option_does_not_replace_the_confirmation() {
    let sandbox = sandbox();
    let yes = [
        "exec",
        "--yes",
        "--no-mask",
        "-e",
        "production",
        "--",
        "printenv",
        "KEY",
    ];
    let mut terminal = Terminal::start(sandbox.vault(&yes));
    terminal.sees("[y/N] ");
    terminal.types("n\n");
    terminal.ends(122);
    for command in ["get", "copy", "set"] {
        let outcome = sandbox
            .vault(&[command, "--yes", "KEY", "-e", "production"])
            .outcome();
        assert_eq!(
            (outcome.status, outcome.output.len()),
            (2, 0),
            "{}",
            outcome.said
        );
    }
}

/// The content of a pipe is not an answer: the question goes to the controlling terminal.
#[test]
fn piped_input_is_left_to_the_command() {
    let sandbox = sandbox();
    let exec = [
        "exec",
        "--no-mask",
        "-e",
        "production",
        "--",
        "sh",
        "-c",
        "cat; echo $KEY",
    ];
    let pipe = [python(), "-c", INPUT_IS_A_PIPE];
    for (answer, status, end) in [
        ("y", 0, "y\nof the pipe\nnew\n"),
        ("n", 122, "error: not done: the answer was not yes\n"),
    ] {
        let mut terminal = Terminal::start_under(sandbox.vault(&exec), &pipe);
        terminal.sees("[y/N] ");
        terminal.types(&format!("{answer}\n"));
        let question = "run this command with the secrets of production?";
        assert_eq!(
            terminal.ends(status),
            format!("{question} [y/N] {answer}\n{end}")
        );
    }
}

#[test]
fn credential_needs_no_confirmation_but_an_identity_does() {
    let sandbox = sandbox();
    let credential = sandbox.credential("github", &["-e", "production", "-e", "development"]);
    for (command, _, result) in &LETS_OUT[..2] {
        let run = sandbox.vault(command).variable("VAULT_KEY", &credential);
        run.prints(result).check();
        let run = sandbox.vault(command).variable("VAULT_KEY", &credential);
        let screen = Terminal::start(run).ends(0);
        assert!(
            !screen.contains("[y/N]") && screen.ends_with(result),
            "{screen}"
        );
    }
    let identity = fs::read_to_string(sandbox.home().join(".config/vault/identity.txt")).unwrap();
    let id = sandbox.id();
    for (command, _, _) in LETS_OUT {
        let run = sandbox
            .vault(command)
            .variable("VAULT_KEY", identity.trim());
        let run = run.variable("VAULT_ID", &id);
        run.fails(refusal(command)).says(REFUSED).check();
    }
}

#[test]
fn commands_without_values_do_not_ask() {
    let sandbox = sandbox();
    sandbox.set("development", "KEY", b"value");
    sandbox.set("production", "OTHER", b"set without a question");
    let doctor = sandbox
        .vault(&["doctor"])
        .variable("VAULT_ENVIRONMENT", "production")
        .outcome();
    let says = "asks a person at the terminal first, and is refused without one";
    let output = String::from_utf8(doctor.output).unwrap();
    assert!(output.contains(says), "{output}");
    for command in [
        &["list", "-e", "production"][..],
        &["copy", "KEY", "--from", "development", "--to", "production"],
        &["get", "KEY"],
        &["rotate", "-e", "production"],
        &["remove", "OTHER", "-e", "production"],
    ] {
        sandbox.quick(command);
    }
}
