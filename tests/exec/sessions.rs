//! Several programs at a terminal: shells under `vault`, pagers after it, `vault` under `vault`,
//! and a terminal that disappears.

use std::fs;

use crate::support::facts::{pid_in, wait_for_file, wait_until_gone};
use crate::support::running::Status::Code;
use crate::support::scene::{MASK, Scene, Way, same};
use crate::support::terminal::Terminal;

const HANGUP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/hangup.py");
const PROMPT: &str = "\r\n<prompt> ";

/// Returns the words of an interactive bash without the settings of this machine.
fn bash(scene: &Scene) -> Vec<String> {
    let profile = scene
        .write("profile", "PS1='\\n<prompt> '\n")
        .display()
        .to_string();
    let words = [
        "bash",
        "--noprofile",
        "--rcfile",
        &profile,
        "--noediting",
        "-i",
    ];
    words.map(str::to_owned).to_vec()
}

#[test]
fn inner_shell_has_job_control() {
    let scene = Scene::new();
    let bash = bash(&scene);
    same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let mut terminal = Terminal::start(&scene.launch(way, &bash));
        terminal.sees(PROMPT);
        terminal.types("sh -c 'echo $$ >$SCENE/pid; read line; echo got $line'\n");
        let job = pid_in(&scene.path("pid"));
        terminal.types("\x1a");
        terminal.sees("Stopped");
        terminal.sees(PROMPT);
        terminal.types("fg\n");
        terminal.sees("echo got $line'\r\n");
        terminal.types("line\n");
        terminal.sees("got line\r\n");
        terminal.sees(PROMPT);
        wait_until_gone(job);
        let _ = fs::remove_file(scene.path("pid"));
        terminal.types("sh -c 'echo $$ >$SCENE/pid; exec sleep 1000'\n");
        pid_in(&scene.path("pid"));
        terminal.types("\x03");
        terminal.sees(PROMPT);
        terminal.types("exit 6\n");
        terminal.ends().0
    });
}

#[test]
fn pager_after_the_command_gets_the_keyboard() {
    let scene = Scene::new();
    for words in [&["seq", "1", "20000000"][..], &["yes", "a line"]] {
        same(|way| {
            let by = "\"$@\" | less; echo status ${PIPESTATUS[*]}; stty -a >$SCENE/modes";
            let launch = scene.launch(way, words);
            let mut terminal = Terminal::start(&launch.under(&["bash", "-c", by, "bash"]));
            terminal.sees("\x1b[");
            terminal.types(" ");
            terminal.types(" ");
            terminal.types("q");
            terminal.sees("status 141 0\r\n");
            let (status, _) = terminal.ends();
            (status, fs::read_to_string(scene.path("modes")).unwrap())
        });
    }
}

#[test]
fn nested_vault_changes_nothing() {
    let scene = Scene::new();
    let vault = env!("CARGO_BIN_EXE_vault");
    let script = "echo $SECRET; tty >/dev/null && echo terminal; read line; echo got $line; exit 5";
    for inner in [
        &["-q", "exec", "--"][..],
        &["-q", "exec", "--no-mask", "--"],
    ] {
        let words = [&[vault], inner, &["sh", "-c", script]].concat();
        let launch = scene.launch(Way::Masked, &words);
        let mut running = launch.start();
        running.output.sees(MASK);
        running.write(b"line\n");
        let end = running.end();
        assert_eq!((end.status, end.said.as_str()), (Code(5), ""));
        assert_eq!(end.output, format!("{MASK}\ngot line\n"));
        let mut terminal = Terminal::start(&launch);
        terminal.sees("terminal\r\n");
        terminal.types("line\n");
        terminal.sees("got line\r\n");
        assert_eq!(
            terminal.ends(),
            (Code(5), format!("{MASK}\nterminal\nline\ngot line\n"))
        );
    }
}

#[test]
fn closed_terminal_sends_a_hangup_to_the_command() {
    let scene = Scene::new();
    let script = "
trap 'echo hup >$SCENE/hup; exit 3' HUP
echo $$ >$SCENE/pid
while :; do read line || sleep 0.01; done";
    let seen = same(|way| {
        for name in ["pid", "hup"] {
            let _ = fs::remove_file(scene.path(name));
        }
        let pid = scene.path("pid").display().to_string();
        let end = scene
            .shell(way, script)
            .under(&["python", HANGUP, &pid])
            .start()
            .end();
        wait_until_gone(pid_in(&scene.path("pid")));
        (end.output, wait_for_file(&scene.path("hup")))
    });
    assert_eq!(seen, ("ended 3\n".to_owned(), "hup\n".to_owned()));
}

#[test]
fn closed_terminal_ends_a_command_ignoring_the_hangup() {
    let scene = Scene::new();
    same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let pid = scene.path("pid").display().to_string();
        let launch = scene.shell(way, "echo $$ >$SCENE/pid; exec sleep 1000");
        let end = launch.under(&["python", HANGUP, &pid]).start().end();
        wait_until_gone(pid_in(&scene.path("pid")));
        assert_eq!(end.output, "ended -1\n");
    });
}

#[test]
fn long_paste_arrives_whole() {
    let scene = Scene::new();
    let program = "
import os, tty
tty.setraw(0)
os.write(1, b'ready')
read = b''
while not read.endswith(b'.'):
    read += os.read(0, 65536)
    os.write(1, b'%d;' % len(read))
with open(os.environ['SCENE'] + '/read', 'wb') as file:
    file.write(read)
os.system('stty sane')
";
    let numbers: Vec<String> = (0..20_000).map(|number| format!("{number} ")).collect();
    let pasted = numbers.concat() + ".";
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let mut terminal = Terminal::start(&scene.python(way, program));
        terminal.sees("ready");
        terminal.types(&pasted);
        assert_eq!(terminal.status(), Code(0));
        assert!(
            fs::read_to_string(scene.path("read")).unwrap() == pasted,
            "{way:?}"
        );
    }
}

#[test]
fn input_typed_ahead_is_not_lost() {
    let scene = Scene::new();
    let script = "read one; read two; echo got $one $two";
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.shell(way, script));
        terminal.types("first\nsecond\n");
        terminal.sees("got first second\r\n");
        terminal.ends().0
    });
    assert_eq!(seen, Code(0));
}

#[test]
fn command_closing_its_output_is_awaited() {
    let scene = Scene::new();
    let script = "exec >&- 2>&-; echo $$ >$SCENE/pid; read line; exit 8";
    let piped = same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let mut running = scene.shell(way, script).start();
        pid_in(&scene.path("pid"));
        // `vault` keeps the other stream open for its own messages.
        running.output.all();
        running.write(b"line\n");
        running.status()
    });
    let shown = same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let mut terminal = Terminal::start(&scene.shell(way, script));
        pid_in(&scene.path("pid"));
        terminal.types("line\n");
        terminal.ends().0
    });
    assert_eq!((piped, shown), (Code(8), Code(8)));
}
