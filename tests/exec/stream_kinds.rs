//! The kinds of streams: sockets, files that are read and written, pipes that do not block, and
//! readers that pause.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::support::facts::{pid_in, wait};
use crate::support::running::Status::{self, Code};
use crate::support::scene::{MASK, Scene, Way, same};

const SCRIPT: &str =
    "i=0; while [ $i -lt 3000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; exit 3";

fn both(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|i| format!("out {i}\nerr {i}\n")).collect();
    lines.concat()
}

#[test]
fn socket_receives_both_outputs_in_order() {
    let scene = Scene::new();
    let seen = same(|way| {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let theirs = OwnedFd::from(theirs);
        let mut command = scene.shell(way, SCRIPT).command_after(&[]);
        command.stdin(Stdio::null());
        command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut text = String::new();
        ours.read_to_string(&mut text).unwrap();
        let status = wait(|| child.try_wait().unwrap()).unwrap();
        (Status::from(status), text)
    });
    assert!(seen == (Code(3), both(3000)));
}

#[test]
fn socket_as_input_is_passed_to_the_command() {
    let scene = Scene::new();
    same(|way| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        std::io::Write::write_all(&mut &ours, b"a line\n").unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        let mut command = scene
            .shell(way, "cat; test -S /dev/stdin")
            .command_after(&[]);
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped());
        let child = command.spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), output.stdout),
            (Some(0), b"a line\n".to_vec())
        );
    });
}

#[test]
fn unread_input_is_left_for_the_next_command() {
    let scene = Scene::new();
    scene.write("lines", "one\ntwo\nthree\n");
    let by = "{ \"$@\"; cat; } <$SCENE/lines";
    let end = same(|way| {
        scene
            .shell(way, "read line; echo got $line")
            .by(by)
            .start()
            .end()
    });
    assert_eq!(end.output, "got one\ntwo\nthree\n");
    let by = "printf 'one\\ntwo\\nthree\\n' | { \"$@\"; cat; }";
    let end = same(|way| {
        scene
            .shell(way, "read line; echo got $line")
            .by(by)
            .start()
            .end()
    });
    assert_eq!(end.output, "got one\ntwo\nthree\n");
}

#[test]
fn nonblocking_pipe_receives_everything() {
    let scene = Scene::new();
    let _ = fs::remove_file(scene.path("pid"));
    let (mut ours, theirs) = std::io::pipe().unwrap();
    let theirs = OwnedFd::from(theirs);
    fcntl_setfl(&theirs, fcntl_getfl(&theirs).unwrap() | OFlags::NONBLOCK).unwrap();
    let script = "seq 1 300000; echo $$ >$SCENE/pid; echo $SECRET";
    let mut command = scene.shell(Way::Masked, script).command_after(&[]);
    command
        .stdin(Stdio::null())
        .stdout(theirs)
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut start = [0; 2];
    ours.read_exact(&mut start).unwrap();
    let mut text = String::new();
    ours.read_to_string(&mut text).unwrap();
    let status = wait(|| child.try_wait().unwrap()).unwrap();
    assert_eq!(Status::from(status), Code(0));
    let lines: Vec<String> = (2..=300_000).map(|number| format!("{number}\n")).collect();
    assert!(
        text == format!("{}{MASK}\n", lines.concat()),
        "{}",
        text.len()
    );
    pid_in(&scene.path("pid"));
}

#[test]
fn files_are_written_at_the_callers_position() {
    let scene = Scene::new();
    for (by, expected) in [
        ("exec \"$@\" >>$SCENE/log", "0123456789out\n"),
        ("exec \"$@\" 1<>$SCENE/log", "out\n456789"),
        (
            "{ printf ab; \"$@\"; printf cd; } 1<>$SCENE/log",
            "about\ncd89",
        ),
    ] {
        same(|way| {
            scene.write("log", "0123456789");
            assert_eq!(
                scene.shell(way, "echo out").by(by).start().end().status,
                Code(0)
            );
            assert_eq!(
                fs::read_to_string(scene.path("log")).unwrap(),
                expected,
                "{by}"
            );
        });
    }
    // The command can open its own output again.
    let end = same(|way| {
        scene
            .shell(way, "echo again >/dev/stdout; echo too >/dev/stderr")
            .start()
            .end()
    });
    assert_eq!(
        (end.output.as_str(), end.said.as_str()),
        ("again\n", "too\n")
    );
}

#[test]
fn null_device_receives_everything() {
    let scene = Scene::new();
    same(|way| {
        let mut command = scene
            .launch(way, &["seq", "1", "100000"])
            .command_after(&[]);
        let null = File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .unwrap();
        command
            .stdin(null.try_clone().unwrap())
            .stdout(null.try_clone().unwrap())
            .stderr(null);
        Status::from(command.status().unwrap())
    });
}
