//! The bytes of the streams arrive completely, unchanged, in order, and without delay. Also:
//! readers that stop reading, and writes that fail.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;

use rustix::process::Signal;

use crate::support::facts::{pid_in, state, wait_for, wait_for_state, wait_until_gone};
use crate::support::machine::all_is_wanted;
use crate::support::running::Status::{Code, Signal as Killed};
use crate::support::scene::{SECRET, Scene, Way, same};

/// Returns bytes without a pattern, the same ones each time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(count).collect()
}

#[test]
fn binary_passes_through_stdin_and_stdout_unchanged() {
    let scene = Scene::new();
    let sent = noise(if all_is_wanted() {
        100_000_000
    } else {
        3_000_001
    });
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let mut running = scene.launch(way, &["cat"]).start();
        running.write(&sent);
        running.close_input();
        assert_eq!(running.status(), Code(0));
        assert!(running.output.all() == sent, "{way:?}");
    }
}

#[test]
fn binary_passes_between_files_unchanged() {
    let scene = Scene::new();
    let sent = noise(1_000_000);
    fs::write(scene.path("in"), &sent).unwrap();
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        fs::write(scene.path("out"), "before\n").unwrap();
        let by = "exec \"$@\" <$SCENE/in >>$SCENE/out";
        let end = scene.shell(way, "cat; cat $SCENE/in >&2").by(by).start();
        let errors = end.errors.all();
        assert_eq!(end.end().status, Code(0));
        let written = fs::read(scene.path("out")).unwrap();
        assert!(
            written == [&b"before\n"[..], &sent].concat() && errors == sent,
            "{way:?}"
        );
    }
}

#[test]
fn output_of_eight_threads_is_complete_and_unmixed() {
    let scene = Scene::new();
    let program = "
import os, threading
def write(thread):
    for line in range(1000):
        os.write(1 + thread % 2, b'thread %d line %d\\n' % (thread, line))
threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let end = scene.python(way, program).start().end();
        assert_eq!(end.status, Code(0));
        assert_eq!(end.output.lines().count() + end.said.lines().count(), 8000);
        for thread in 0..8 {
            let text = if thread % 2 == 0 {
                &end.output
            } else {
                &end.said
            };
            let prefix = format!("thread {thread} ");
            let lines: Vec<&str> = text
                .lines()
                .filter_map(|line| line.strip_prefix(&prefix))
                .collect();
            let expected: Vec<String> = (0..1000).map(|line| format!("line {line}")).collect();
            assert_eq!(lines, expected, "{way:?} {thread}");
        }
    }
}

#[test]
fn stdout_and_stderr_in_one_file_keep_their_order() {
    let scene = Scene::new();
    let script = "
i=0; while [ $i -lt 2000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; printf end";
    let lines: Vec<String> = (0..2000).map(|i| format!("out {i}\nerr {i}\n")).collect();
    let expected = lines.concat();
    for by in ["exec \"$@\" 2>&1", "exec \"$@\" >&2", "\"$@\" 2>&1 | cat"] {
        let end = same(|way| scene.shell(way, script).by(by).start().end());
        assert_eq!(end.output + &end.said, format!("{expected}end"), "{by}");
    }
    for by in [
        "exec \"$@\" >$SCENE/log 2>&1",
        "exec \"$@\" >>$SCENE/log 2>>$SCENE/log",
    ] {
        same(|way| {
            let _ = fs::remove_file(scene.path("log"));
            assert_eq!(
                scene.shell(way, script).by(by).start().end().status,
                Code(0)
            );
            let written = fs::read_to_string(scene.path("log")).unwrap();
            assert_eq!(written, format!("{expected}end"), "{by}");
        });
    }
}

#[test]
fn stdout_and_stderr_overwrite_each_other_as_usual() {
    let scene = Scene::new();
    let by = "exec \"$@\" >$SCENE/log 2>$SCENE/log";
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let end = scene
            .shell(way, "echo printed; echo said >&2")
            .by(by)
            .start()
            .end();
        assert_eq!(end.status, Code(0));
        let written = fs::read_to_string(scene.path("log")).unwrap();
        // Either stream may write last.
        assert!(
            ["said\ned\n", "printed\n"].contains(&written.as_str()),
            "{way:?} {written:?}"
        );
    }
}

#[test]
fn closed_reader_ends_the_command_by_sigpipe() {
    let scene = Scene::new();
    let by = "\"$@\" | head -n 1; echo ${PIPESTATUS[*]}";
    let bash = |way, words: &[&str]| scene.launch(way, words).under(&["bash", "-c", by, "bash"]);
    let end = same(|way| bash(way, &["yes"]).start().end());
    assert_eq!(end.output, "y\n141 0\n");
    // The reader of the last command in a pipeline can disappear too.
    let seen = same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let (mut output, printed) = std::io::pipe().unwrap();
        let script = "echo $$ >$SCENE/pid; exec yes";
        let mut command = scene.shell(way, script).command_after(&[]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(printed)
            .spawn()
            .unwrap();
        drop(command);
        let mut start = [0; 4];
        output.read_exact(&mut start).unwrap();
        drop(output);
        let status = wait_for("the end", || child.try_wait().unwrap());
        wait_until_gone(pid_in(&scene.path("pid")));
        (start, crate::support::running::Status::from(status))
    });
    assert_eq!(seen, (*b"y\ny\n", Killed(Signal::PIPE.as_raw())));
    // If the caller ignores the signal, the command's write fails with an error.
    let ignoring = |way| {
        bash(way, &["sh", "-c", "yes 2>$SCENE/said; exit 3"]).under(&[
            "env",
            "--ignore-signal=PIPE",
            "bash",
            "-c",
            by,
            "bash",
        ])
    };
    let seen = same(|way| {
        let end = ignoring(way).start().end();
        (end.output, fs::read_to_string(scene.path("said")).unwrap())
    });
    let said = "yes: standard output: Broken pipe\n";
    assert_eq!(seen, ("y\n3 0\n".to_owned(), said.to_owned()));
}

#[test]
fn closed_reader_does_not_end_a_silent_command() {
    let scene = Scene::new();
    let script = "echo line; read go; echo $$ >$SCENE/after; exit 6";
    let seen = same(|way| {
        let _ = fs::remove_file(scene.path("after"));
        let mut command = scene.shell(way, script).command_after(&[]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0; 5];
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut line).unwrap();
        drop(output);
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
        let status = wait_for("the end", || child.try_wait().unwrap());
        pid_in(&scene.path("after"));
        crate::support::running::Status::from(status)
    });
    assert_eq!(seen, Code(6));
}

#[test]
fn failed_write_is_an_error_of_vault() {
    let scene = Scene::new();
    for by in [
        "exec \"$@\" >/dev/full",
        "exec \"$@\" 3>&1 >/dev/full 2>&1 2>&3",
    ] {
        let end = scene
            .shell(Way::Masked, "echo line; exit 0")
            .by(by)
            .start()
            .end();
        assert_eq!(end.status, Code(125), "{end:?}");
        let said = format!("{}{}", end.output, end.said);
        assert!(
            said.contains("error: ") && said.contains("No space left"),
            "{said}"
        );
        assert!(!said.contains("panic"), "{said}");
    }
    // No message can be written, but the status shows the failure.
    let end = scene
        .shell(Way::Masked, "echo line >&2")
        .by("exec \"$@\" 2>/dev/full")
        .start()
        .end();
    assert_eq!(end.status, Code(125), "{end:?}");
    // With `--no-mask`, `vault` becomes the command, so the status is the command's own.
    let end = scene
        .launch(Way::Unmasked, &["echo"])
        .by("exec \"$@\" >/dev/full")
        .start()
        .end();
    assert_eq!(end.status, Code(1));
}

#[test]
fn output_before_the_death_of_the_command_arrives() {
    let scene = Scene::new();
    let program = "
import os
for number in range(1000):
    os.write(1, b'%059d\\n' % number)
    os.write(2, b'%019d\\n' % number)
os.kill(os.getpid(), 9)
";
    let end = same(|way| scene.python(way, program).start().end());
    assert_eq!(end.status, Killed(9));
    assert!(
        end.output.len() == 60_000 && end.output.ends_with("0999\n"),
        "{}",
        end.output.len()
    );
    assert!(
        end.said.len() == 20_000 && end.said.ends_with("0999\n"),
        "{}",
        end.said.len()
    );
}

#[test]
fn partial_secret_at_the_end_is_masked_by_length() {
    let scene = Scene::new();
    // A long beginning reveals too much of the secret to be shown.
    for (length, shown) in [
        (5, &SECRET[..5]),
        (7, &SECRET[..7]),
        (12, "***"),
        (20, "***"),
    ] {
        for end in ["exit 0", "kill -KILL $$"] {
            let script = format!("printf '>%s' '{}'; {end}", &SECRET[..length]);
            let end = scene.shell(Way::Masked, &script).start().end();
            assert_eq!(end.output, format!(">{shown}"), "{script}");
        }
    }
}

#[test]
fn paused_reader_delays_neither_signals_nor_the_end() {
    let scene = Scene::new();
    let seen = same(|way| {
        let _ = fs::remove_file(scene.path("pid"));
        let (mut output, printed) = std::io::pipe().unwrap();
        let script = "echo $$ >$SCENE/pid; exec yes";
        let mut command = scene.shell(way, script).command_after(&[]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(printed)
            .spawn()
            .unwrap();
        drop(command);
        let command = pid_in(&scene.path("pid"));
        // No one reads, so `yes` must wait after a while.
        wait_for("a full pipe", || {
            let path = format!("/proc/{}/wchan", command.as_raw_nonzero());
            let place = fs::read_to_string(path).unwrap_or_default();
            // If the kernel does not report the place, it is enough that `yes` waits.
            let is_known = !["", "0"].contains(&place.as_str());
            let waits = if is_known {
                place.contains("pipe_w")
            } else {
                state(command) == Some('S')
            };
            waits.then_some(())
        });
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        wait_until_gone(command);
        // The bytes that it has written can still be read.
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            output.read_to_end(&mut bytes).unwrap();
            assert!(bytes.len() >= 1 << 16 && bytes.starts_with(b"y\ny\n"));
        });
        let status = wait_for("the end", || child.try_wait().unwrap());
        reader.join().unwrap();
        crate::support::running::Status::from(status)
    });
    assert_eq!(seen, Killed(Signal::TERM.as_raw()));
}

#[test]
fn grandchild_holding_the_pipe_delays_the_end_briefly() {
    let scene = Scene::new();
    let script = "sleep 1000 & echo $! >$SCENE/pid; echo done; exit 9";
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let _ = fs::remove_file(scene.path("pid"));
        let mut running = scene.shell(way, script).start();
        running.output.sees("done\n");
        // `vault` waits for much less time than the grandchild takes.
        assert_eq!(running.status(), Code(9), "{way:?}");
        let grandchild = pid_in(&scene.path("pid"));
        wait_for_state(grandchild, 'S');
        rustix::process::kill_process(grandchild, Signal::KILL).unwrap();
    }
}

#[test]
fn grandchild_with_its_own_streams_keeps_running() {
    let scene = Scene::new();
    let script = "setsid sh -c 'echo $$ >$SCENE/pid; read go <$SCENE/fifo; echo on >$SCENE/on' \
                  <&- >&- 2>&- & while ! test -e $SCENE/pid; do :; done; exit 0";
    same(|way| {
        for name in ["pid", "on"] {
            let _ = fs::remove_file(scene.path(name));
        }
        let mut fifo = scene.fifo("fifo");
        assert_eq!(scene.shell(way, script).start().end().status, Code(0));
        fifo.write_all(b"go\n").unwrap();
        assert_eq!(
            crate::support::facts::wait_for_file(&scene.path("on")),
            "on\n"
        );
    });
}
