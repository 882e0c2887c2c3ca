//! The screen that a person sees is the same as without `vault`, byte by byte.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::support::facts::{pid_in, wait_for};
use crate::support::running::Status::Code;
use crate::support::scene::{Scene, same};
use crate::support::terminal::Terminal;

/// A program that prints facts about its streams.
const STREAMS: &str = "
import os, sys
print(os.getpid(), file=open(os.environ['SCENE'] + '/pid', 'w'))
with open(os.environ['SCENE'] + '/seen', 'w') as seen:
    print(*[os.isatty(number) for number in range(3)], file=seen)
    for number in range(3):
        if os.isatty(number):
            print(number, os.get_terminal_size(number), file=seen)
    with open('/dev/tty', 'r+b', buffering=0) as terminal:
        number = terminal.fileno()
        print('tty', os.get_terminal_size(number), file=seen)
        if os.isatty(0):
            print('foreground', os.tcgetpgrp(number) == os.getpgrp(), file=seen)
    print('read', sys.stdin.readline().strip(), file=seen)
print('printed', flush=True)
print('said', file=sys.stderr)
";

#[test]
fn streams_at_a_terminal_are_terminals_inside() {
    let scene = Scene::new();
    for streams in ["ttt", "tt-", "t-t", "t--", "-tt", "-t-", "--t", "---"] {
        let seen = same(|way| {
            for name in ["pid", "seen"] {
                let _ = fs::remove_file(scene.path(name));
            }
            let (input, mut typed) = std::io::pipe().unwrap();
            let (mut output, printed) = std::io::pipe().unwrap();
            let (mut errors, said) = std::io::pipe().unwrap();
            let others = [input.into(), printed.into(), said.into()];
            let launch = scene.python(way, STREAMS);
            let mut terminal = Terminal::start_with(&launch, streams, others);
            pid_in(&scene.path("pid"));
            if streams.starts_with('t') {
                terminal.types("line\n");
            } else {
                typed.write_all(b"line\n").unwrap();
            }
            let (status, screen) = terminal.ends();
            let (mut printed, mut said) = (String::new(), String::new());
            output.read_to_string(&mut printed).unwrap();
            errors.read_to_string(&mut said).unwrap();
            let seen = fs::read_to_string(scene.path("seen")).unwrap();
            (status, screen, printed, said, seen)
        });
        let is = |at: usize| {
            if &streams[at..=at] == "t" {
                "True"
            } else {
                "False"
            }
        };
        let (status, screen, printed, said, seen) = seen;
        assert_eq!(status, Code(0), "{streams}: {screen}{said}");
        let first = format!("{} {} {}\n", is(0), is(1), is(2));
        assert!(seen.starts_with(&first), "{streams}: {seen}");
        assert!(seen.ends_with("\nread line\n"), "{streams}: {seen}");
        let shown = |at: usize, text: &'static str| if is(at) == "True" { text } else { "" };
        let typed = shown(0, "line\n");
        assert_eq!(
            screen,
            format!("{typed}{}{}", shown(1, "printed\n"), shown(2, "said\n"))
        );
        let piped = |at: usize, text: &'static str| if is(at) == "True" { "" } else { text };
        assert_eq!(
            (printed.as_str(), said.as_str()),
            (piped(1, "printed\n"), piped(2, "said\n"))
        );
    }
}

#[test]
fn prompt_without_a_newline_is_shown_immediately() {
    let scene = Scene::new();
    // The end of the prompt could begin a secret.
    scene
        .sandbox()
        .set("development", "PROMPTED", b": starts as a prompt ends");
    let script = "printf 'Name: '; read name; echo hello $name";
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.shell(way, script));
        terminal.sees("Name: ");
        terminal.types("alice\n");
        terminal.sees("hello alice");
        terminal.ends()
    });
    assert_eq!(seen, (Code(0), "Name: alice\nhello alice\n".to_owned()));
}

#[test]
fn prompt_on_a_pipe_is_written_immediately() {
    let scene = Scene::new();
    let script = "printf 'Name: '; read name; echo hello $name; printf 'Age? ' >&2; read age";
    let seen = same(|way| {
        let mut running = scene.shell(way, script).start();
        running.output.sees("Name: ");
        running.write(b"alice\n");
        running.errors.sees("Age? ");
        running.write(b"7\n");
        running.end()
    });
    assert_eq!(
        (seen.output.as_str(), seen.said.as_str()),
        ("Name: hello alice\n", "Age? ")
    );
}

#[test]
fn typed_password_is_not_shown() {
    let scene = Scene::new();
    let program = "
import getpass
first = getpass.getpass('Password: ')
again = getpass.getpass('Again: ')
name = input('Name: ')
print('same', first == again == 'hidden words', name)
";
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.python(way, program));
        for prompt in ["Password: ", "Again: "] {
            terminal.sees(prompt);
            assert!(terminal.hides_what_is_typed());
            terminal.types("hidden words\n");
        }
        terminal.sees("Name: ");
        terminal.types("alice\n");
        terminal.ends()
    });
    let shown = "Password: \nAgain: \nName: alice\nsame True alice\n";
    assert_eq!(seen, (Code(0), shown.to_owned()));
}

#[test]
fn window_size_change_reaches_the_command() {
    let scene = Scene::new();
    let program = "
import os, select, signal
size = lambda: b'%dx%d\\n' % os.get_terminal_size()
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
signal.signal(signal.SIGWINCH, lambda *_: None)
os.write(1, b'starts with ' + size())
while True:
    ready, _, _ = select.select([0, reader], [], [])
    if reader in ready:
        os.read(reader, 64)
        os.write(1, b'changed to ' + size())
    if 0 in ready:
        break
";
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.python(way, program));
        terminal.sees("starts with 80x24\r\n");
        for (rows, columns) in [(50, 132), (24, 80), (10, 20)] {
            terminal.resize(rows, columns);
            terminal.sees(&format!("changed to {columns}x{rows}\r\n"));
        }
        terminal.types("end\n");
        terminal.ends()
    });
    let shown = "starts with 80x24\nchanged to 132x50\nchanged to 80x24\nchanged to 20x10\nend\n";
    assert_eq!(seen, (Code(0), shown.to_owned()));
}

#[test]
fn terminal_output_is_unchanged_byte_for_byte() {
    let scene = Scene::new();
    let script = "
ls --color=auto -d / . /bin/sh
echo some words | grep --color=auto words
printf '\\033[1;31mred\\033[0m \\007 \\t tab \\303\\244 \\377\\000 \\r\\n \\033]0;title\\007'
stty -opost; printf 'a\\nb\\r\\n'; stty opost
";
    let seen = same(|way| Terminal::start(&scene.shell(way, script)).ends());
    assert_eq!(seen.0, Code(0));
    assert!(
        seen.1.contains("\x1b[01;31m\x1b[Kwords\x1b[m\x1b[K"),
        "{:?}",
        seen.1
    );
}

#[test]
fn long_output_is_complete_and_in_order() {
    let scene = Scene::new();
    let script = "i=0; while [ $i -lt 5000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let seen = same(|way| Terminal::start(&scene.shell(way, script)).ends());
    let lines: Vec<String> = (0..5000)
        .flat_map(|i| [format!("out {i}\n"), format!("err {i}\n")])
        .collect();
    assert!(seen == (Code(0), lines.concat()));
}

#[test]
fn callers_descriptors_stay_blocking() {
    let scene = Scene::new();
    let flags = |file: &OwnedFd| format!("{:?}", rustix::fs::fcntl_getfl(file).unwrap());
    let script = "echo $$ >$SCENE/pid; cat >/dev/null; echo end; echo end >&2";
    same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let (input, keyboard) = std::io::pipe().unwrap();
        let (mut output, printed) = std::io::pipe().unwrap();
        let (mut errors, said) = std::io::pipe().unwrap();
        let ends: Vec<OwnedFd> = vec![input.into(), printed.into(), said.into()];
        let copies = || {
            let mut copies = ends.iter().map(|end| Stdio::from(end.try_clone().unwrap()));
            [(); 3].map(|()| copies.next().unwrap())
        };
        let mut command = scene.shell(way, script).command_after(&[]);
        let [input, output_end, errors_end] = copies();
        command.stdin(input).stdout(output_end).stderr(errors_end);
        let mut child = command.spawn().unwrap();
        drop(command);
        pid_in(&scene.path("pid"));
        let during: Vec<String> = ends.iter().map(flags).collect();
        drop(keyboard);
        let status = wait_for("the end", || child.try_wait().unwrap());
        let after: Vec<String> = ends.iter().map(flags).collect();
        drop(ends);
        let mut texts = [String::new(), String::new()];
        output.read_to_string(&mut texts[0]).unwrap();
        errors.read_to_string(&mut texts[1]).unwrap();
        assert!(!during.concat().contains("NONBLOCK"), "{during:?}");
        (status.code(), during, after, texts)
    });
    let seen = same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let mut terminal = Terminal::start(&scene.shell(way, script));
        pid_in(&scene.path("pid"));
        let during = terminal.is_blocking();
        terminal.types("\x04");
        terminal.status();
        (during, terminal.is_blocking())
    });
    assert_eq!(seen, (true, true));
}
