//! Secrets in the output are masked, regardless of how the command prints them. Other bytes stay.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Signal, kill_process};

use crate::support::facts::{pid_in, wait_for_state};
use crate::support::running::Status::Code;
use crate::support::scene::{MASK, SECRET, Scene, Way};
use crate::support::terminal::Terminal;

/// Runs the program, expects success and an empty stderr, and returns its stdout.
#[track_caller]
fn printed(scene: &Scene, program: &str) -> String {
    let end = scene.python(Way::Masked, program).start().end();
    assert_eq!(
        (end.status, end.said.as_str()),
        (Code(0), ""),
        "{}",
        end.output
    );
    end.output
}

#[track_caller]
fn shown(scene: &Scene, program: &str) -> String {
    let (status, screen) = Terminal::start(&scene.python(Way::Masked, program)).ends();
    assert_eq!(status, Code(0), "{screen}");
    screen
}

#[test]
fn secret_written_byte_by_byte_is_masked() {
    let scene = Scene::new();
    let program = "
import os, time
for byte in b'before ' + os.environ['SECRET'].encode() + b' after\\n':
    os.write(1, bytes([byte]))
    time.sleep(0.05)
";
    assert_eq!(printed(&scene, program), format!("before {MASK} after\n"));
    // At a terminal, up to three bytes may be shown early, so that prompts are not delayed.
    let screen = shown(&scene, program);
    let start = screen
        .strip_prefix("before ")
        .unwrap()
        .strip_suffix("*** after\n")
        .unwrap();
    assert!(SECRET[..3].starts_with(start), "{screen}");
}

#[test]
fn secret_split_across_two_writes_is_masked() {
    let scene = Scene::new();
    let program = "
import os, subprocess, sys, time
secret = os.environ['SECRET']
for at in range(1, len(secret)):
    os.write(1, secret[:at].encode())
    os.write(1, secret[at:].encode() + b'\\n')
for part in [secret[:5], secret[5:]]:
    subprocess.run(['printf', '%s', part])
print()
";
    let lines = SECRET.len();
    assert_eq!(printed(&scene, program), format!("{MASK}\n").repeat(lines));
    let screen = shown(&scene, program);
    assert!(
        !screen.contains("bird") && screen.lines().count() == lines,
        "{screen}"
    );
}

#[test]
fn secret_split_across_streams_of_one_file_is_masked() {
    let scene = Scene::new();
    let program = "
import os
secret = os.environ['SECRET'].encode()
os.write(1, secret[:9]); os.write(2, secret[9:]); os.write(1, b'|')
os.write(2, secret[:9]); os.write(1, secret[9:]); os.write(2, b'\\n')
";
    let end = scene
        .python(Way::Masked, program)
        .by("exec \"$@\" 2>&1")
        .start()
        .end();
    assert_eq!(
        (end.status, end.output),
        (Code(0), format!("{MASK}|{MASK}\n"))
    );
    assert_eq!(shown(&scene, program), format!("{MASK}|{MASK}\n"));
}

#[test]
fn secret_in_a_basic_auth_header_is_masked() {
    let scene = Scene::new();
    for user in ["a", "al", "bob", "alice"] {
        let script =
            format!("printf 'Authorization: Basic '; printf '{user}:%s' \"$SECRET\" | base64 -w0");
        let end = scene.shell(Way::Masked, &script).start().end();
        let text = STANDARD.encode(format!("{user}:{SECRET}"));
        // Characters that carry bits of the user name only do not belong to the secret.
        let own = &text[..(user.len() + 1) * 8 / 6];
        let rest = end
            .output
            .strip_prefix(&format!("Authorization: Basic {own}{MASK}"));
        assert!(
            rest.is_some_and(|rest| rest.trim_matches('=').is_empty()),
            "{}",
            end.output
        );
    }
}

#[test]
fn secret_in_wrapped_base64_is_masked() {
    let scene = Scene::new();
    let long =
        "a much longer secret, of a certificate's kind, that base64 breaks into lines 0123456789";
    scene.sandbox().set("development", "LONG", long.as_bytes());
    for width in [20, 64, 76] {
        let script =
            format!("printf 'head of a file;%s;and its tail' \"$LONG\" | base64 -w {width}");
        let end = scene.shell(Way::Masked, &script).start().end();
        let bare = STANDARD.encode(format!("head of a file;{long};and its tail"));
        assert!(end.output.contains(MASK), "{}", end.output);
        let left = end.output.replace(['\n', '*'], "");
        assert!(
            left.starts_with(&bare[..19]) && left.ends_with(&bare[bare.len() - 18..]),
            "{left}"
        );
        assert!(left.len() < 46, "{left}");
    }
}

#[test]
fn secret_in_a_colored_line_is_masked() {
    let scene = Scene::new();
    let program = "
import os
secret = os.environ['SECRET']
print('\\x1b[1;31m' + secret + '\\x1b[0m is red')
print(secret[:8] + '\\x1b[7m' + secret[8:12] + '\\x1b[0m' + secret[12:], 'is partly so')
print(''.join('\\x1b[3%dm%s' % (at % 8, letter) for at, letter in enumerate(secret)) + '\\x1b[0m')
";
    for text in [printed(&scene, program), shown(&scene, program)] {
        assert!(
            text.starts_with(&format!("\x1b[1;31m{MASK}\x1b[0m is red\n")),
            "{text:?}"
        );
        let mut plain = String::new();
        for part in text.split('\x1b') {
            plain.push_str(part.split_once('m').map_or(part, |(_, plain)| plain));
        }
        assert!(plain.contains("is partly so"), "{plain:?}");
        assert!(
            !plain.contains("canary") && !plain.contains("bird"),
            "{plain:?}"
        );
    }
    // grep adds colors.
    let script = "echo \"key: $SECRET\" | grep --color=always bird";
    let end = scene.shell(Way::Masked, script).start().end();
    assert!(
        !end.output.contains("canary") && end.output.starts_with("key: "),
        "{:?}",
        end.output
    );
}

#[test]
fn secret_in_a_url_is_masked() {
    let scene = Scene::new();
    let url = "postgres://shop:pw-7%2Fh%20G%2Bx1@db.internal:5432/shop?sslmode=require";
    scene
        .sandbox()
        .set("development", "DATABASE_URL", url.as_bytes());
    let program = "
import os
from urllib.parse import quote, quote_plus, urlsplit, unquote
url, secret = os.environ['DATABASE_URL'], os.environ['SECRET']
print(url)
print(urlsplit(url).password, unquote(urlsplit(url).password), urlsplit(url).hostname)
print('https://example.com/?key=' + quote(secret), quote(secret, safe=''), quote_plus(secret))
";
    let end = printed(&scene, program);
    let lines: Vec<&str> = end.lines().collect();
    assert_eq!(
        lines,
        [
            "***",
            "*** *** db.internal",
            "https://example.com/?key=*** *** ***"
        ]
    );
}

#[test]
fn secret_in_a_traceback_is_masked() {
    let scene = Scene::new();
    let program = "
import os
def connect(password):
    settings = {'password': password, 'raw': password.encode(), 'list': [password]}
    raise ConnectionError('refused: %r' % settings)
try:
    connect(os.environ['SECRET'])
except ConnectionError as error:
    raise SystemExit('failed: ' + str(error)) from error
";
    let end = scene.python(Way::Masked, program).start().end();
    let said = "failed: refused: {'password': '***', 'raw': b'***', 'list': ['***']}\n";
    assert_eq!((end.status, end.said.as_str()), (Code(1), said));
    let program = "
import os
raise ValueError(os.environ['SECRET'])
";
    let end = scene.python(Way::Masked, program).start().end();
    assert!(
        end.said.starts_with("Traceback (most recent call last):\n"),
        "{}",
        end.said
    );
    assert!(end.said.ends_with("\nValueError: ***\n"), "{}", end.said);
}

#[test]
fn secret_in_shell_traces_and_env_output_is_masked() {
    let scene = Scene::new();
    let script = "set -x; test \"$SECRET\" = other || true; env | grep SECR";
    let end = scene.shell(Way::Masked, script).start().end();
    assert_eq!((end.status, end.output.as_str()), (Code(0), "SECRET=***\n"));
    assert!(
        end.said.starts_with("+ test *** = other\n")
            || end.said.starts_with("+ test '***' = other\n"),
        "{}",
        end.said
    );
}

#[test]
fn secret_is_masked_throughout_long_output() {
    let scene = Scene::new();
    let program = "
import os, sys
secret = os.environ['SECRET']
for count in range(0, 200000, 997):
    sys.stdout.write('x' * (count % 5000) + secret + '\\n')
";
    let text = printed(&scene, program);
    assert!(!text.contains("canary") && !text.contains("bird"));
    let expected: String = (0..200_000)
        .step_by(997)
        .map(|count| "x".repeat(count % 5000) + MASK + "\n")
        .collect();
    assert!(text == expected);
}

#[test]
fn echoed_input_is_masked() {
    let scene = Scene::new();
    let script = "echo ready; read line; echo you typed $line";
    let mut terminal = Terminal::start(&scene.shell(Way::Masked, script));
    terminal.sees("ready\r\n");
    terminal.types(&format!("{SECRET}\n"));
    terminal.sees("you typed ***\r\n");
    let (status, screen) = terminal.ends();
    assert_eq!(status, Code(0));
    assert!(!screen.contains("bird"), "{screen}");
}

#[test]
fn files_written_by_the_command_are_not_masked() {
    let scene = Scene::new();
    let script = "echo $SECRET >$SCENE/own; echo $SECRET >&3; echo $SECRET | cat | tr a-z A-Z >&2";
    let by = "exec \"$@\" 3>$SCENE/third";
    let end = scene.shell(Way::Masked, script).by(by).start().end();
    assert_eq!(end.status, Code(0));
    for name in ["own", "third"] {
        assert_eq!(
            fs::read_to_string(scene.path(name)).unwrap(),
            format!("{SECRET}\n")
        );
    }
}

#[test]
fn secret_is_masked_across_a_stop_and_by_a_grandchild() {
    let scene = Scene::new();
    let program = "
import os, signal
secret = os.environ['SECRET'].encode()
os.write(1, b'before ' + secret[:14])
os.kill(os.getpid(), signal.SIGSTOP)
os.write(1, secret[14:] + b' after\\n')
";
    let mut running = scene.python(Way::Masked, program).start();
    wait_for_state(running.pid(), 'T');
    assert!(
        !running.output.text().contains("can"),
        "{}",
        running.output.text()
    );
    running.signal(Signal::CONT);
    assert_eq!(running.status(), Code(0));
    assert_eq!(
        running.output.all(),
        format!("before {MASK} after\n").as_bytes()
    );
    // `vault` does not wait for a grandchild. Held bytes are masked as at any other end.
    let script = "sleep 1000 & printf 'before %.14s' \"$SECRET\"; echo $! >$SCENE/pid";
    let mut running = scene.shell(Way::Masked, script).start();
    assert_eq!(running.status(), Code(0));
    assert_eq!(running.output.all(), format!("before {MASK}").as_bytes());
    kill_process(pid_in(&scene.path("pid")), Signal::KILL).unwrap();
}
