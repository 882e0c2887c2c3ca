//! Trouble around a command: stops and signals after its end, terminals that belong to another
//! process or are gone, and shells that are not notified.

use std::fs;
use std::io::Write;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::facts::{
    children, pid_in, wait_for, wait_for_file, wait_for_state, wait_until_gone,
};
use crate::support::running::Status::Code;
use crate::support::scene::{Scene, Way, same};
use crate::support::terminal::Terminal;

const PROMPT: &str = "\r\n<prompt> ";
/// Prints more than a pipe holds, but less than the pipe and `vault` hold together. So the command
/// ends although no one reads its output.
const MUCH: &str = "head -c 100000 /dev/zero";

/// Starts an interactive bash. Its function `run` starts the command.
fn shell(scene: &Scene, words: &[String]) -> Terminal {
    let settings = format!("PS1='\\n<prompt> '\nrun() {{ {}; }}\n", quoted(words));
    let profile = scene.write("profile", &settings).display().to_string();
    let bash = [
        "bash",
        "--noprofile",
        "--rcfile",
        &profile,
        "--noediting",
        "-i",
    ];
    let mut terminal = Terminal::start(&scene.launch(Way::Bare, &bash));
    terminal.sees(PROMPT);
    terminal
}

fn quoted(words: &[String]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    quoted.join(" ")
}

#[test]
fn ctrl_z_stops_vault_after_the_end_of_the_command() {
    let scene = Scene::new();
    let mut go = scene.fifo("go");
    let script = format!("{MUCH}; echo $$ >$SCENE/pid");
    let words = scene.shell(Way::Masked, &script).words();
    let mut shell = shell(&scene, &words);
    shell.types("run | sh -c 'echo $$ >$SCENE/reader; read go <$SCENE/go; exec wc -c'\n");
    pid_in(&scene.path("reader"));
    wait_until_gone(pid_in(&scene.path("pid")));
    shell.types("\x1a");
    shell.sees("Stopped");
    shell.sees(PROMPT);
    shell.types("fg\n");
    go.write_all(b"go\n").unwrap();
    shell.sees("100000\r\n");
    shell.sees(PROMPT);
}

#[test]
fn vault_ended_with_pending_output_fails() {
    let scene = Scene::new();
    let mut go = scene.fifo("go");
    let script = format!("echo $SECRET; {MUCH}; echo ended >$SCENE/ended");
    let launch = scene
        .shell(Way::Masked, &script)
        .options(&["--fail-on-leak"]);
    let by = "\"$@\" | sh -c 'read go <$SCENE/go'; exit ${PIPESTATUS[0]}";
    let launch = launch.under(&["bash", "-c", by, "bash"]);
    let mut running = launch.start();
    wait_for_file(&scene.path("ended"));
    let vault = wait_for("vault", || {
        let found = children(running.pid());
        let ours = env!("CARGO_BIN_EXE_vault").as_bytes();
        found.into_iter().find(|pid| {
            let path = format!("/proc/{}/cmdline", pid.as_raw_nonzero());
            fs::read(path).is_ok_and(|line| line.starts_with(ours))
        })
    });
    wait_for("the end of the command", || {
        children(vault).is_empty().then_some(())
    });
    kill_process(vault, Signal::TERM).unwrap();
    wait_until_gone(vault);
    go.write_all(b"go\n").unwrap();
    assert_eq!(running.status(), Code(143));
}

/// Returns the `vault` process that a shell has started.
fn vault_of(shell: &Terminal) -> Pid {
    wait_for("vault", || children(shell.pid()).first().copied())
}

#[test]
fn vault_stopped_by_sigstop_reclaims_or_leaves_the_terminal() {
    let scene = Scene::new();
    let script = "echo $$ >$SCENE/pid; while read line; do echo got $line; done";
    let words = scene.shell(Way::Masked, script).words();
    let mut shell = shell(&scene, &words);
    let cooked = shell.modes();
    shell.types("run\n");
    pid_in(&scene.path("pid"));
    let vault = vault_of(&shell);
    wait_for("raw", || (shell.modes() != cooked).then_some(()));
    let raw = shell.modes();
    kill_process(vault, Signal::STOP).unwrap();
    shell.sees("Stopped");
    shell.sees(PROMPT);
    shell.types("fg\n");
    wait_for("raw again", || (shell.modes() == raw).then_some(()));
    shell.types("one\n");
    shell.sees("\r\none\r\ngot one\r\n");
    kill_process(vault, Signal::STOP).unwrap();
    shell.sees("Stopped");
    shell.sees(PROMPT);
    shell.types("bg\n");
    shell.sees(PROMPT);
    wait_for_state(vault, 'S');
    // The shell gets the keys, and the terminal keeps the modes that the shell set.
    shell.types("stty -a; echo two$((1+1))\n");
    shell.sees(" icanon ");
    shell.sees("two2\r\n");
    shell.types("kill %1; wait %1; echo three$((1+1))\n");
    shell.sees("three2\r\n");
    shell.sees(PROMPT);
    shell.types("stty -a; exit 5\n");
    shell.sees(" icanon ");
    assert_eq!(shell.status(), Code(5));
}

#[test]
fn command_reopening_its_terminal_is_shown() {
    let scene = Scene::new();
    let script = "exec <&- >&- 2>&-; sleep 0.1; echo one >/dev/tty; sleep 0.1; echo two >/dev/tty";
    let seen = same(|way| Terminal::start(&scene.shell(way, script)).ends());
    assert_eq!(seen, (Code(0), "one\ntwo\n".to_owned()));
}

#[test]
fn command_in_another_session_leaves_the_terminal() {
    let scene = Scene::new();
    let script = "echo $$ >$SCENE/pid; exec sleep 1000";
    let words = scene.shell(Way::Masked, script).under(&["setsid"]).words();
    let mut shell = shell(&scene, &words);
    shell.types("run &\n");
    let command = pid_in(&scene.path("pid"));
    shell.sees(PROMPT);
    shell.types("stty -a; echo one$((1+1))\n");
    shell.sees(" icanon ");
    shell.sees("one2\r\n");
    kill_process(command, Signal::KILL).unwrap();
    shell.sees(PROMPT);
    shell.types("exit 4\n");
    assert_eq!(shell.status(), Code(4));
}

#[test]
fn only_vault_reaps_its_children() {
    let scene = Scene::new();
    let program = "
import ctypes, os, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
print('ended', subprocess.call(sys.argv[1:]))
try:
    print('left', os.wait())
except ChildProcessError:
    print('nothing left')
";
    for (words, status) in [(["true"], 0), (["/nowhere/at-all"], 127)] {
        let launch = scene
            .launch(Way::Masked, &words)
            .under(&["python", "-c", program]);
        let (_, screen) = Terminal::start(&launch).ends();
        assert!(
            screen.ends_with(&format!("ended {status}\nnothing left\n")),
            "{screen}"
        );
    }
}

#[test]
fn writer_gets_sigpipe_after_the_command_stops_reading() {
    let scene = Scene::new();
    same(|way| {
        let _ = fs::remove_file(scene.path("ended"));
        let script = "exec <&-; until test -e $SCENE/ended; do sleep 0.01; done; echo ended";
        let by = "{ yes; echo $? >$SCENE/ended; } | \"$@\"";
        let end = scene
            .shell(way, script)
            .under(&["sh", "-c", by, "sh"])
            .start()
            .end();
        (end.output, wait_for_file(&scene.path("ended")))
    });
}
