//! Processes that outlive a command and still hold its output.

use std::fs;

use rustix::process::{Signal, kill_process};

use crate::support::facts::{pid_in, wait_until_gone};
use crate::support::running::Status::Code;
use crate::support::scene::{Launch, Scene, Way};
use crate::support::terminal::Terminal;

const NOTE: &str =
    "vault: a process that the command started is still running; its further output is lost\n";

/// Returns a command that exits with 9 and leaves `process` running.
fn leaving(scene: &Scene, process: &str) -> Launch {
    let _ = fs::remove_file(scene.path("pid"));
    let script = format!("{process} & echo $! >$SCENE/pid; echo started $SECRET; exit 9");
    scene.shell(Way::Masked, &script)
}

fn end_left_process(scene: &Scene) {
    let pid = pid_in(&scene.path("pid"));
    // A process that prints has perhaps ended already.
    let _ = kill_process(pid, Signal::KILL);
    wait_until_gone(pid);
}

#[test]
fn silent_lingering_process_is_mentioned_once() {
    let scene = Scene::new();
    // The process keeps both outputs open, or one of them.
    for process in [
        "sleep 1000",
        "sleep 1000 2>/dev/null",
        "sleep 1000 >/dev/null",
    ] {
        let end = leaving(&scene, process).start().end();
        assert_eq!(
            (end.status, end.output.as_str()),
            (Code(9), "started ***\n"),
            "{process}"
        );
        assert_eq!(end.said, NOTE, "{process}");
        end_left_process(&scene);
    }
}

#[test]
fn lingering_process_loses_its_later_output() {
    let scene = Scene::new();
    let end = leaving(&scene, "while printf 'x'; do :; done 2>/dev/null")
        .start()
        .end();
    assert_eq!((end.status, end.said.as_str()), (Code(9), NOTE));
    let printed = end.output.replace('x', "");
    assert_eq!(printed, "started ***\n");
    // SIGPIPE ends the process, or its shell gets an error.
    wait_until_gone(pid_in(&scene.path("pid")));
}

#[test]
fn lingering_process_at_a_terminal_is_mentioned_once() {
    let scene = Scene::new();
    // Without `setsid`, the end of the session would end it with SIGHUP.
    let silent = "setsid sleep 1000";
    let printing = "setsid sh -c 'while printf x; do :; done 2>/dev/null'";
    for process in [silent, printing] {
        let (status, screen) = Terminal::start(&leaving(&scene, process)).ends();
        assert_eq!(
            (status, screen.replace('x', "")),
            (Code(9), format!("started ***\n{NOTE}"))
        );
        end_left_process(&scene);
    }
}

#[test]
fn quiet_exec_does_not_mention_a_lingering_process() {
    let scene = Scene::new();
    let end = leaving(&scene, "sleep 1000").options(&["-q"]).start().end();
    assert_eq!((end.status, end.said.as_str()), (Code(9), ""));
    end_left_process(&scene);
    let launch = leaving(&scene, "setsid sleep 1000").options(&["-q"]);
    assert_eq!(
        Terminal::start(&launch).ends(),
        (Code(9), "started ***\n".to_owned())
    );
    end_left_process(&scene);
}

#[test]
fn process_with_its_own_streams_is_not_mentioned() {
    let scene = Scene::new();
    let end = leaving(&scene, "sleep 1000 >/dev/null 2>&1").start().end();
    assert_eq!((end.status, end.said.as_str()), (Code(9), ""));
    end_left_process(&scene);
}

#[test]
fn output_of_the_command_precedes_the_note() {
    let scene = Scene::new();
    let _ = fs::remove_file(scene.path("pid"));
    let script = "sleep 1000 & echo $! >$SCENE/pid; seq 200000; echo $SECRET; exit 0";
    let launch = scene.shell(Way::Masked, script).by("exec \"$@\" 2>&1");
    let end = launch.start().end();
    assert_eq!(end.status, Code(0));
    assert!(end.output.starts_with("1\n2\n") && end.output.ends_with(&format!("***\n{NOTE}")));
    assert_eq!(end.output.lines().count(), 200_002);
    end_left_process(&scene);
}
