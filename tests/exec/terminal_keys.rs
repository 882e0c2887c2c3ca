//! Keys of a terminal that send signals. Each signal reaches the command once, regardless of which
//! of the command's streams are the terminal.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::facts::{pid_in, wait_for_lines};
use crate::support::running::Status::Code;
use crate::support::scene::{Launch, Scene, Way, same};
use crate::support::terminal::Terminal;

const COUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/counts.py");
/// The combinations of the three streams that include the terminal. A `t` is the terminal.
const STREAMS: [&str; 7] = ["ttt", "tt-", "t-t", "t--", "-tt", "-t-", "--t"];
const OTHERS: fn() -> [Stdio; 3] = || [Stdio::null(), Stdio::null(), Stdio::null()];

fn counting(scene: &Scene, way: Way) -> Launch {
    let _ = fs::remove_file(scene.path("log"));
    let log = scene.path("log").display().to_string();
    scene.launch(way, &["python", "-I", "-S", COUNTS, &log])
}

fn lines(scene: &Scene, count: usize) -> Vec<String> {
    wait_for_lines(&scene.path("log"), count + 1).split_off(1)
}

#[test]
fn ctrl_c_and_ctrl_backslash_reach_the_command_once() {
    let scene = Scene::new();
    for streams in STREAMS {
        let seen = same(|way| {
            let mut terminal = Terminal::start_with(&counting(&scene, way), streams, OTHERS());
            for count in 0..6 {
                lines(&scene, count);
                terminal.types(if count % 2 == 0 { "\x03" } else { "\x1c" });
            }
            // A signal that came twice would be in the log before SIGTERM.
            lines(&scene, 6);
            terminal.signal(Signal::TERM);
            (terminal.ends().0, lines(&scene, 7))
        });
        let keys = [
            "SIGINT", "SIGQUIT", "SIGINT", "SIGQUIT", "SIGINT", "SIGQUIT", "SIGTERM",
        ];
        assert_eq!(
            seen,
            (Code(7), keys.map(str::to_owned).to_vec()),
            "{streams}"
        );
    }
}

#[test]
fn ctrl_c_in_raw_mode_is_input_for_the_program() {
    let scene = Scene::new();
    let program = "
import os, termios, tty
saved = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b'raw')
typed = b''
while len(typed) < 5:
    typed += os.read(0, 5)
termios.tcsetattr(0, termios.TCSANOW, saved)
print(typed)
";
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.python(way, program));
        terminal.sees("raw");
        terminal.types("\x03\x1a\x1c\x04\r");
        terminal.ends()
    });
    assert_eq!(
        seen,
        (Code(0), "rawb'\\x03\\x1a\\x1c\\x04\\r'\n".to_owned())
    );
}

#[test]
fn ctrl_d_ends_the_typed_input() {
    let scene = Scene::new();
    for streams in ["ttt", "t-t", "t--"] {
        let others = || [Stdio::null(), Stdio::null(), Stdio::null()];
        let seen = same(|way| {
            let script = "echo $$ >$SCENE/pid; while read line; do echo $line >>$SCENE/read; done; echo end >>$SCENE/read";
            for name in ["pid", "read"] {
                let _ = fs::remove_file(scene.path(name));
            }
            let mut terminal = Terminal::start_with(&scene.shell(way, script), streams, others());
            pid_in(&scene.path("pid"));
            terminal.types("one\ntwo\n\x04");
            (
                terminal.ends().0,
                fs::read_to_string(scene.path("read")).unwrap(),
            )
        });
        assert_eq!(seen, (Code(0), "one\ntwo\nend\n".to_owned()), "{streams}");
    }
}
