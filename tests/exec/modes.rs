//! The modes of a terminal: the command gets the caller's modes, and the caller's are restored.

use std::fs;

use rustix::process::Signal;

use crate::support::facts::{pid_in, wait_for, wait_until_gone};
use crate::support::running::Status::{Code, Signal as Killed};
use crate::support::scene::{Scene, Way, same};
use crate::support::terminal::Terminal;

#[test]
fn terminal_modes_are_restored_after_any_end() {
    let scene = Scene::new();
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let seen = same(|way| {
            let _ = fs::remove_file(scene.path("pid"));
            let script = "ulimit -c 0; echo $$ >$SCENE/pid; read line; exit $line";
            let terminal = Terminal::start(&scene.shell(way, script));
            pid_in(&scene.path("pid"));
            terminal.signal(signal);
            terminal.ends().0
        });
        assert_eq!(seen, Killed(signal.as_raw()));
    }
    for script in ["exit 5", "kill -KILL $$", "kill -SEGV $$"] {
        let script = format!("ulimit -c 0; {script}");
        same(|way| Terminal::start(&scene.shell(way, &script)).ends());
    }
}

#[test]
fn terminal_modes_are_restored_after_vault_is_killed() {
    let scene = Scene::new();
    let script = "echo $$ >$SCENE/pid; exec sleep 1000";
    let mut terminal = Terminal::start(&scene.shell(Way::Masked, script));
    let before = terminal.modes_before().to_owned();
    let command = pid_in(&scene.path("pid"));
    assert!(terminal.modes() != before, "raw meanwhile");
    terminal.signal(Signal::KILL);
    assert_eq!(terminal.status(), Killed(Signal::KILL.as_raw()));
    wait_for("the modes of before", || {
        (terminal.modes() == before).then_some(())
    });
    wait_until_gone(command);
}

#[test]
fn modes_set_by_a_killed_program_are_reset() {
    let scene = Scene::new();
    let script = "stty raw -echo; kill -KILL $$";
    let (status, _) = Terminal::start(&scene.shell(Way::Masked, script)).ends();
    assert_eq!(status, Killed(Signal::KILL.as_raw()));
}

#[test]
fn program_gets_the_terminal_modes_of_the_caller() {
    let scene = Scene::new();
    let set = "saved=$(stty -g); stty intr ^G erase ^H kill ^X -ixon tostop -echoctl; \"$@\"; \
               code=$?; stty $saved; exit $code";
    for by in ["exec \"$@\"", set] {
        let seen = same(|way| Terminal::start(&scene.shell(way, "stty -a").by(by)).ends());
        assert_eq!(seen.0, Code(0));
        assert!(by != set || seen.1.contains("intr = ^G; "), "{}", seen.1);
    }
    // The key that the modes set for interrupts works.
    let script = "echo $$ >$SCENE/pid; exec sleep 1000";
    same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let mut terminal =
            Terminal::start(&scene.shell(way, script).by(&format!("trap : INT; {set}")));
        pid_in(&scene.path("pid"));
        terminal.types("\x07");
        assert_eq!(terminal.ends().0, Code(130));
    });
}

#[test]
fn heavy_output_can_be_interrupted() {
    let scene = Scene::new();
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.launch(way, &["yes"]));
        terminal.sees("y\r\ny\r\n");
        terminal.types("\x03");
        terminal.status()
    });
    assert_eq!(seen, Killed(Signal::INT.as_raw()));
}

#[test]
fn terminal_without_a_session_works() {
    let scene = Scene::new();
    let script = "test -t 0 && test -t 1 && echo terminal; read line; echo got $line; exit 4";
    let seen = same(|way| {
        let launch = scene.shell(way, script).under(&["setsid", "--wait"]);
        let mut terminal = Terminal::start(&launch);
        terminal.sees("terminal\r\n");
        terminal.types("line\n");
        terminal.ends()
    });
    assert_eq!(seen, (Code(4), "terminal\nline\ngot line\n".to_owned()));
}

#[test]
fn nested_terminals_work() {
    let scene = Scene::new();
    let inner = "stty size; read line; echo got $line; exit 9";
    let script = format!("script --quiet --return --command '{inner}' /dev/null");
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.shell(way, &script));
        terminal.sees("24 80\r\n");
        terminal.types("line\n");
        terminal.sees("got line\r\n");
        terminal.ends().0
    });
    assert_eq!(seen, Code(9));
}
