//! Input that a person types or pastes at a prompt: the answer is complete or empty, and nothing is
//! left for the next program at the terminal.

use std::process::Command;
use std::thread;

use crate::support::sandbox::Sandbox;
use crate::support::terminal::Terminal;

const LONGEST: usize = 1 << 20;

/// Runs vault, prints how it ended and whether the terminal's modes are unchanged, and reads the
/// next line of the terminal, as a shell would.
const SHELL: &str = r#"
trap : INT QUIT HUP TERM
before=$(stty -g)
bash -c 'echo "pid $$."; exec "$@"' sh "$@"
ended=$?
[ "$before" = "$(stty -g)" ] && same=same || same=different
printf 'ended %s\ncompared %s\n:\n' $ended $same
IFS= read -r line && echo "next: $line."
"#;

/// Starts vault under that shell.
fn start(sandbox: &Sandbox, arguments: &[&str]) -> Terminal {
    Terminal::start_under(sandbox.vault(arguments), &["bash", "-c", SHELL, "sh"])
}

/// Expects this end, and that the next program reads only what is typed afterward.
#[track_caller]
fn ends_clean(mut terminal: Terminal, ended: &str) -> String {
    terminal.sees("ended ");
    // The shell prints both; a failed comparison must not wait for it.
    terminal.sees("\n:\n");
    let screen = terminal.screen();
    assert!(
        screen.contains(&format!("ended {ended}\ncompared same\n")),
        "{screen}"
    );
    terminal.types("typed later\n");
    terminal.sees("next: typed later.\n");
    terminal.ends(0)
}

fn marked(paste: &str) -> String {
    format!("\x1b[200~{paste}\x1b[201~")
}

#[track_caller]
fn stores(sandbox: &Sandbox, typed: &str, value: &str) -> String {
    let mut terminal = start(sandbox, &["set", "KEY"]);
    terminal.sees("KEY in development: ");
    terminal.types_hidden(typed);
    let screen = ends_clean(terminal, "0");
    assert_eq!(
        String::from_utf8_lossy(&sandbox.get("development", "KEY")),
        value,
        "{typed:?}"
    );
    screen
}

#[track_caller]
fn refuses(sandbox: &Sandbox, arguments: &[&str], typed: &str, ended: &str) -> String {
    let before = sandbox.files();
    let mut terminal = start(sandbox, arguments);
    terminal.sees("KEY in development: ");
    terminal.types_hidden(typed);
    let screen = ends_clean(terminal, ended);
    assert!(
        before == sandbox.files(),
        "{typed:?} changed a file: {screen}"
    );
    screen
}

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----\n";

#[test]
fn marked_paste_is_stored_whole() {
    let sandbox = Sandbox::with_vault();
    let screen = stores(&sandbox, &format!("{}\n", marked(PEM)), PEM);
    let told = "KEY in development: (pasted 3 newlines; press Enter to end the answer) \n";
    assert!(screen.contains(told), "{screen}");
    // With the newlines of a terminal, and from a Windows file.
    let screen = stores(
        &sandbox,
        &format!("{}\r", marked(&PEM.replace('\n', "\r"))),
        PEM,
    );
    assert!(!screen.contains("carriage"), "{screen}");
    let screen = stores(
        &sandbox,
        &format!("{}\n", marked(&PEM.replace('\n', "\r\n"))),
        PEM,
    );
    assert!(
        screen.contains("the carriage returns in KEY were pasted as newlines\n"),
        "{screen}"
    );
    // Bytes that would be a key outside a paste.
    let keys = "a\0b\x03c\x04d\x1a\x1c\x15\x7f\x1b[Ae\x1b[20\x1b";
    stores(&sandbox, &format!("{}\n", marked(keys)), keys);
    // One line with an accidental newline, and with typed characters around it.
    let screen = stores(&sandbox, &format!("{}\n", marked("token\n")), "token");
    assert!(
        screen.contains("dropped the newline at the end of KEY\n"),
        "{screen}"
    );
    stores(
        &sandbox,
        &format!("<{}\x7fN>\n", marked("token")),
        "<tokeN>",
    );
    stores(
        &sandbox,
        &format!("{}{}\n", marked("one\n"), marked("two")),
        "one\ntwo",
    );
}

#[test]
fn slow_paste_is_stored_whole() {
    let sandbox = Sandbox::with_vault();
    let value = "0123456789\n".repeat(20);
    let mut terminal = start(&sandbox, &["set", "KEY"]);
    terminal.sees("KEY in development: ");
    terminal.types_hidden("");
    for byte in format!("{}\n", marked(&value)).chars() {
        terminal.types(&byte.to_string());
    }
    ends_clean(terminal, "0");
    assert_eq!(sandbox.get("development", "KEY"), value.as_bytes());
}

#[test]
fn long_line_is_stored_whole() {
    let sandbox = Sandbox::with_vault();
    for length in [4095, 4096, 6000, LONGEST] {
        let line = "x".repeat(length);
        stores(&sandbox, &format!("{line}\n"), &line);
        stores(
            &sandbox,
            &format!("{}\n", marked(&line.replace('x', "y"))),
            &line.replace('x', "y"),
        );
    }
    for more in ["x".repeat(LONGEST + 2), marked(&"x\n".repeat(LONGEST))] {
        let screen = refuses(&sandbox, &["set", "KEY"], &format!("{more}\n"), "2");
        assert!(
            screen.contains("error: the value of KEY has more than 1 MiB\n"),
            "{screen}"
        );
    }
}

#[test]
fn several_unmarked_lines_are_refused() {
    let sandbox = Sandbox::with_vault();
    let said = "error: several lines arrived at once; none of them was used
hint: pass the value in a file: `vault set KEY < FILE`
";
    let long = "long line\n".repeat(5000);
    // The last three are only the beginning of an input, even if the other lines arrive late.
    let pastes = [
        PEM,
        "one\ntwo",
        "one\r\rtwo\r",
        "\ntwo\n",
        &long,
        "-----BEGIN PRIVATE KEY-----\n",
        "{\n",
        "[\r",
    ];
    // Each waits a while for more input, so they wait together.
    thread::scope(|scope| {
        for paste in pastes {
            let sandbox = &sandbox;
            scope.spawn(move || {
                let screen = refuses(sandbox, &["set", "KEY"], paste, "2");
                assert!(screen.contains(said), "{screen}");
            });
        }
    });
    // Also with marks, if more input follows.
    let after = format!("{}\nrm -rf x\n", marked("one\n"));
    assert!(refuses(&sandbox, &["set", "KEY"], &after, "2").contains(said));
    // Enter as a pair of bytes counts as one Enter.
    stores(&sandbox, "one\r\n", "one");
}

#[test]
fn lines_of_one_paste_are_not_split_between_prompts() {
    let sandbox = Sandbox::with_vault();
    let screen = refuses(&sandbox, &["set", "KEY", "OTHER"], "one\ntwo\n", "2");
    assert!(!screen.contains("OTHER in development"), "{screen}");
    let mut terminal = start(&sandbox, &["set", "KEY", "OTHER"]);
    terminal.sees("KEY in development: ");
    terminal.types_hidden(&format!("{}\n", marked("one\ntwo\n")));
    terminal.sees("OTHER in development: ");
    terminal.types_hidden("three\n");
    ends_clean(terminal, "0");
    assert_eq!(sandbox.get("development", "KEY"), b"one\ntwo\n");
    assert_eq!(sandbox.get("development", "OTHER"), b"three");
}

#[test]
fn paste_without_its_end_is_refused() {
    let sandbox = Sandbox::with_vault();
    let paste = "\x1b[200~one\ntwo\n\x03\x1b[201";
    let screen = refuses(&sandbox, &["set", "KEY"], paste, "2");
    assert!(
        screen.contains("error: the paste stopped before its end\n"),
        "{screen}"
    );
}

#[test]
fn interrupting_keys_restore_the_terminal() {
    let sandbox = Sandbox::with_vault();
    for (key, ended) in [
        ("abc\x03", "130"),
        ("abc\x1c", "131"),
        ("\x03echo hi\n", "130"),
    ] {
        let screen = refuses(&sandbox, &["set", "KEY"], key, ended);
        assert!(!screen.contains("error:"), "{screen}");
    }
    for typed in ["\x04", "abc\x04"] {
        let screen = refuses(&sandbox, &["set", "KEY"], typed, "2");
        assert!(
            screen.contains("error: the answer was not ended with Enter\n"),
            "{screen}"
        );
    }
}

/// The process that shows the prompt.
fn pid(terminal: &Terminal) -> String {
    let screen = terminal.screen();
    let (_, rest) = screen.split_once("pid ").unwrap();
    rest.split_once('.').unwrap().0.to_owned()
}

fn signal(name: &str, pid: &str) {
    assert!(
        Command::new("kill")
            .args(["-s", name, pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn signals_restore_the_terminal() {
    let sandbox = Sandbox::with_vault();
    let before = sandbox.files();
    let cases = [
        ("TERM", "143"),
        ("HUP", "129"),
        ("INT", "130"),
        ("QUIT", "131"),
    ];
    for (name, ended) in cases {
        let mut terminal = start(&sandbox, &["set", "KEY"]);
        terminal.sees("KEY in development: ");
        terminal.types_hidden("abc");
        signal(name, &pid(&terminal));
        ends_clean(terminal, ended);
    }
    assert!(before == sandbox.files());
}

#[test]
fn continued_prompt_starts_over() {
    let sandbox = Sandbox::with_vault();
    let shell = r#"
set -m
before=$(stty -g)
"$@"
echo "stopped $?"
[ "$before" = "$(stty -g)" ] && echo restored
IFS= read -r line && echo "next: $line."
fg > /dev/null
echo "ended $?"
[ "$before" = "$(stty -g)" ] && echo restored again
"#;
    let run = sandbox.vault(&["set", "KEY"]);
    let mut terminal = Terminal::start_under(run, &["bash", "-c", shell, "sh"]);
    terminal.sees("KEY in development: ");
    terminal.types_hidden("abc\x1aecho lost\n");
    terminal.sees("stopped 148\n");
    terminal.sees("restored\n");
    terminal.types("typed later\n");
    terminal.sees("next: typed later.\nKEY in development: ");
    terminal.types_hidden("value\n");
    terminal.sees("ended 0\nrestored again\n");
    terminal.ends(0);
    assert_eq!(sandbox.get("development", "KEY"), b"value");
}

#[test]
fn editing_keys_edit_hidden_text() {
    let sandbox = Sandbox::with_vault();
    let cases = [
        ("abü\x7fc\n", "abc"),
        ("wrong\x15right\n", "right"),
        ("one two\x17three\n", "one three"),
        ("bc\x1b[D\x1b[Da\x1b[Cx\x05d\n", "abxcd"),
        ("bc\x01a\x1bOCx\x1b[F!\n", "abxc!"),
        ("abcd\x1b[D\x1b[D\x1b[3~\n", "abd"),
        ("ab\x1b[D\x0bc\n", "ac"),
        ("a\tb\n", "a\tb"),
    ];
    for (typed, value) in cases {
        let screen = stores(&sandbox, typed, value);
        assert!(!screen.contains("warning"), "{screen}");
    }
    let screen = stores(&sandbox, "a\x1b[5~b\x1bxc\n", "abc");
    assert!(
        screen.contains("warning: ignored keys that cannot be part of a value of KEY\n"),
        "{screen}"
    );
}

#[test]
fn closed_terminal_stores_nothing() {
    let sandbox = Sandbox::with_vault();
    let before = sandbox.files();
    let mut terminal = start(&sandbox, &["set", "KEY"]);
    terminal.sees("KEY in development: ");
    terminal.types_hidden("abc");
    let pid = pid(&terminal);
    drop(terminal);
    while Command::new("kill")
        .args(["-0", &pid])
        .output()
        .unwrap()
        .status
        .success()
    {}
    assert!(before == sandbox.files());
}

#[test]
fn key_command_can_ask_at_a_terminal() {
    let sandbox = Sandbox::with_vault();
    sandbox.set("development", "KEY", b"value");
    let command = "sh -c 'echo Password: >&2; read -r word; test \"$word\" = open && \
                   cat \"$HOME/.config/vault/identity.txt\"'";
    let run = sandbox
        .vault(&["get", "KEY"])
        .variable("VAULT_KEY_COMMAND", command);
    let mut terminal = Terminal::start(run);
    terminal.sees("Password:\n");
    terminal.types("open\n");
    assert!(terminal.ends(0).ends_with("value"));
}

#[test]
fn shown_question_takes_one_line() {
    let sandbox = Sandbox::with_vault();
    sandbox.quick(&["environments", "add", "staging"]);
    let before = sandbox.files();
    for typed in ["y\necho lost\n", "\ny\n"] {
        let mut terminal = start(&sandbox, &["environments", "remove", "staging"]);
        terminal.sees("[y/N] ");
        terminal.types(typed);
        let screen = ends_clean(terminal, "2");
        assert!(
            screen.contains("error: several lines arrived at once"),
            "{screen}"
        );
    }
    let mut terminal = start(&sandbox, &["environments", "remove", "staging"]);
    terminal.sees("[y/N] ");
    terminal.types("y\x03");
    ends_clean(terminal, "130");
    assert!(before == sandbox.files());
}
