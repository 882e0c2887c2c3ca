//! `vault` as the first process of a container: it reaps orphans, forwards signals, and ends every
//! process.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::facts::{children, wait_for, wait_for_file, wait_until_gone};
use crate::support::machine::left_out;
use crate::support::running::Running;
use crate::support::running::Status::Code;
use crate::support::scene::{Launch, Scene, Way};
use crate::support::terminal::Terminal;

const CONTAINER: [&str; 5] = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// Returns whether this machine lets a test start the first process of a namespace.
fn can_be_first() -> bool {
    let mut command = Command::new(CONTAINER[0]);
    let quiet = command
        .args(&CONTAINER[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status();
    let can = quiet.is_ok_and(|status| status.success());
    if !can {
        left_out("unshare --pid is missing or not allowed here");
    }
    can
}

fn masked(scene: &Scene, script: &str) -> Launch {
    for name in ["pid", "seen"] {
        let _ = fs::remove_file(scene.path(name));
    }
    scene.shell(Way::Masked, script).under(&CONTAINER)
}

/// Returns the process that `unshare` started.
fn first(unshare: Pid) -> Pid {
    wait_for("the first process", || children(unshare).first().copied())
}

#[test]
fn signal_of_the_command_exits_with_128_plus_its_number() {
    if !can_be_first() {
        return;
    }
    let scene = Scene::new();
    for (script, status) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
    ] {
        let end = masked(&scene, &format!("echo $PPID; {script}"))
            .start()
            .end();
        assert_eq!(
            (end.status, end.output.as_str()),
            (Code(status), "1\n"),
            "{}",
            end.said
        );
        let (ended, screen) = Terminal::start(&masked(&scene, script)).ends();
        assert_eq!(ended, Code(status), "{screen}");
    }
}

#[test]
fn signals_reach_the_command_and_its_death_ends_the_container() {
    if !can_be_first() {
        return;
    }
    let scene = Scene::new();
    for signal in [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
    ] {
        let script = "ulimit -c 0; echo >$SCENE/seen ready; exec sleep 1000";
        let mut running = masked(&scene, script).start();
        wait_for_file(&scene.path("seen"));
        kill_process(first(running.pid()), signal).unwrap();
        assert_eq!(running.status(), Code(128 + signal.as_raw()));
    }
}

#[test]
fn ctrl_c_ends_the_command_of_a_container() {
    if !can_be_first() {
        return;
    }
    let scene = Scene::new();
    let script = "trap 'echo got it; exit 5' INT; echo ready; while :; do sleep 0.1; done";
    let mut terminal = Terminal::start(&masked(&scene, script));
    terminal.sees("ready\r\n");
    terminal.types("\x03");
    terminal.sees("got it\r\n");
    assert_eq!(terminal.status(), Code(5));
}

#[test]
fn orphans_are_reaped() {
    if !can_be_first() {
        return;
    }
    let scene = Scene::new();
    // Each `sh` leaves an orphan that ends at once. The last one lives a little longer.
    let script = "
i=0; while [ $i -lt 20 ]; do sh -c 'true & setsid true & exit'; i=$((i+1)); done
sh -c 'sh -c \"while test ! -e $SCENE/go; do :; done\" & exit'
zombies() { grep -l '^PPid:.1$' $(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null) /dev/null; }
touch $SCENE/go
while zombies; do :; done >/dev/null
echo none left; echo ready >$SCENE/seen; read go; exit 3
";
    for at_a_terminal in [false, true] {
        let _ = fs::remove_file(scene.path("go"));
        let launch = masked(&scene, script);
        if at_a_terminal {
            let mut terminal = Terminal::start(&launch);
            terminal.sees("none left\r\n");
            terminal.types("\n");
            assert_eq!(terminal.status(), Code(3));
        } else {
            let mut running = launch.start();
            running.output.sees("none left\n");
            running.write(b"\n");
            assert_eq!(running.status(), Code(3));
        }
    }
}

#[test]
fn end_of_the_command_ends_vault_despite_other_processes() {
    if !can_be_first() {
        return;
    }
    let scene = Scene::new();
    let script = "sleep 1000 </dev/null >/dev/null 2>&1 & exit 7";
    assert_eq!(masked(&scene, script).start().end().status, Code(7));
}

#[test]
fn killed_container_leaves_nothing() {
    if !can_be_first() {
        return;
    }
    let scene = Scene::new();
    let launch = masked(&scene, "echo ready >$SCENE/seen; exec sleep 1000");
    let mut running: Running = launch.start();
    wait_for_file(&scene.path("seen"));
    let first = first(running.pid());
    let command = *children(first).first().unwrap();
    kill_process(first, Signal::KILL).unwrap();
    running.status();
    wait_until_gone(command);
}
