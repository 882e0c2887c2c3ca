//! Commands as jobs of an interactive shell: stopped, continued, in the background, in pipelines.

use std::fs;
use std::ops::{Deref, DerefMut};

use rustix::process::Pid;

use crate::support::facts::{pid_in, wait_for_state, wait_until_gone};
use crate::support::running::Status::Code;
use crate::support::scene::{Scene, Way, same};
use crate::support::terminal::Terminal;

/// A program that answers lines, reports when it is continued, and prints a line when the file
/// `write` appears.
const ANSWERS: &str = "
import os, signal, sys, threading, time
scene = os.environ['SCENE']
def go_on():
    while signal.sigwait([signal.SIGCONT]):
        os.write(1, b'continued\\n')
def write():
    while not os.path.exists(scene + '/write'):
        time.sleep(0.005)
    os.write(1, b'written\\n')
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT])
for task in [go_on, write]:
    threading.Thread(target=task, daemon=True).start()
if 'default' in sys.argv:
    # Python would handle the signal, and then exit.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
with open(scene + '/pid', 'w') as file:
    print(os.getpid(), file=file)
while not os.path.exists(scene + '/end'):
    if 'quiet' in sys.argv:
        time.sleep(0.005)
        continue
    line = os.read(0, 4096)
    if not line:
        break
    os.write(1, b''.join(b'got ' + one for one in line.splitlines(True)))
os._exit(3)
";
/// A prompt that is not part of a typed line, because the terminal shows that too.
const PROMPT: &str = "\r\n<prompt> ";

/// A bash with job control at a terminal. Its alias `run` starts the command.
struct Shell {
    terminal: Terminal,
}

impl Shell {
    fn start(scene: &Scene, way: Way) -> Self {
        for name in ["pid", "write", "end"] {
            let _ = fs::remove_file(scene.path(name));
        }
        let program = scene.write("program", ANSWERS);
        let words = scene
            .launch(way, &["python", program.to_str().unwrap()])
            .words();
        let unset = if way == Way::Bare {
            ""
        } else {
            "unset SECRET\n"
        };
        let prompt = "PS1='\\n<prompt> '";
        let alias = format!("{prompt}\nalias run='{}'\n{unset}", words.join(" "));
        let profile_path = scene.write("profile", &alias);
        let profile = profile_path.to_str().unwrap();
        let bash = [
            "bash",
            "--noprofile",
            "--rcfile",
            profile,
            "--noediting",
            "-i",
        ];
        let launch = scene.launch(Way::Bare, &bash);
        let mut terminal = Terminal::start(&launch);
        terminal.sees(PROMPT);
        Self { terminal }
    }

    /// Types a line, and waits for the next prompt.
    fn does(&mut self, line: &str) {
        self.types(&format!("{line}\n"));
        self.sees(PROMPT);
    }

    /// Waits until the job has stopped and the shell shows its prompt.
    fn is_back(&mut self, command: Pid) {
        self.sees("Stopped");
        self.sees(PROMPT);
        wait_for_state(command, 'T');
    }

    /// Waits until the job has stopped in the background, and the shell knows.
    fn knows_of_the_stop(&mut self, command: Pid) {
        self.types("until jobs | grep -q Stopped; do :; done; echo stopped $?\n");
        self.sees("stopped 0\r\n");
        wait_for_state(command, 'T');
    }

    fn leaves(mut self) {
        self.types("exit 0\n");
        assert_eq!(self.terminal.status(), Code(0));
    }
}

impl Deref for Shell {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl DerefMut for Shell {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}

#[test]
fn ctrl_z_and_fg_work_repeatedly() {
    let scene = Scene::new();
    same(|way| {
        let mut shell = Shell::start(&scene, way);
        let mut modes = vec![shell.modes()];
        shell.types("run\n");
        let command = pid_in(&scene.path("pid"));
        for round in ["one", "two", "three"] {
            shell.types(&format!("{round}\n"));
            shell.sees(&format!("got {round}\r\n"));
            shell.types("\x1a");
            shell.is_back(command);
            modes.push(shell.modes());
            shell.types("echo status $?\n");
            shell.sees("status 148\r\n");
            shell.types("fg\n");
            shell.sees("continued\r\n");
        }
        shell.types("\x04");
        shell.sees(PROMPT);
        shell.types("echo status $?\n");
        shell.sees("status 3\r\n");
        modes.push(shell.modes());
        shell.leaves();
        modes
    });
}

#[test]
fn ctrl_c_and_ctrl_backslash_end_the_job() {
    let scene = Scene::new();
    for (key, status) in [("\x03", "status 130\r\n"), ("\x1c", "status 131\r\n")] {
        same(|way| {
            let mut shell = Shell::start(&scene, way);
            shell.does("ulimit -c 0");
            let modes = shell.modes();
            shell.types("run default\n");
            let command = pid_in(&scene.path("pid"));
            shell.types(key);
            shell.sees(PROMPT);
            wait_until_gone(command);
            let after = shell.modes();
            shell.types("echo status $?\n");
            shell.sees(status);
            shell.leaves();
            (modes, after)
        });
    }
}

#[test]
fn job_continued_in_the_background_writes_and_ends() {
    let scene = Scene::new();
    same(|way| {
        let mut shell = Shell::start(&scene, way);
        shell.types("run quiet\n");
        let command = pid_in(&scene.path("pid"));
        shell.types("\x1a");
        shell.is_back(command);
        shell.types("bg\n");
        shell.sees("continued\r\n");
        scene.write("write", "");
        shell.sees("written\r\n");
        let modes = shell.modes();
        scene.write("end", "");
        wait_until_gone(command);
        shell.does("wait %1; echo status $?");
        assert!(
            shell.screen.text().contains("status 3\n"),
            "{}",
            shell.screen.text()
        );
        shell.leaves();
        modes
    });
}

#[test]
fn background_job_is_stopped_when_it_reads() {
    let scene = Scene::new();
    same(|way| {
        let mut shell = Shell::start(&scene, way);
        shell.types("run &\n");
        let command = pid_in(&scene.path("pid"));
        shell.knows_of_the_stop(command);
        shell.types("fg\n");
        shell.sees("continued\r\n");
        shell.types("line\n");
        shell.sees("got line\r\n");
        shell.types("\x1a");
        shell.is_back(command);
        shell.types("bg\n");
        shell.knows_of_the_stop(command);
        shell.types("fg\n");
        shell.sees("continued\r\n");
        shell.types("more\n");
        shell.sees("got more\r\n");
        shell.types("\x04");
        shell.sees(PROMPT);
        shell.types("echo status $?\n");
        shell.sees("status 3\r\n");
        shell.leaves();
    });
}

#[test]
fn background_job_writes_and_can_be_killed() {
    let scene = Scene::new();
    same(|way| {
        let mut shell = Shell::start(&scene, way);
        shell.types("run quiet &\n");
        let command = pid_in(&scene.path("pid"));
        scene.write("write", "");
        shell.sees("written\r\n");
        let modes = shell.modes();
        shell.types("kill %1; wait %1; echo status $?\n");
        shell.sees("status 143\r\n");
        wait_until_gone(command);
        shell.leaves();
        modes
    });
}

#[test]
fn tostop_terminal_stops_a_background_writer() {
    let scene = Scene::new();
    same(|way| {
        let mut shell = Shell::start(&scene, way);
        shell.does("stty tostop");
        shell.types("run quiet &\n");
        let command = pid_in(&scene.path("pid"));
        scene.write("write", "");
        shell.knows_of_the_stop(command);
        shell.types("fg\n");
        shell.sees("written\r\n");
        scene.write("end", "");
        shell.sees(PROMPT);
        shell.leaves();
    });
}

#[test]
fn pipeline_at_a_terminal_ends_on_ctrl_c() {
    let scene = Scene::new();
    same(|way| {
        let mut shell = Shell::start(&scene, way);
        let _ = fs::remove_file(scene.path("pid"));
        shell.types("printf 'a\\nb\\n' | run | cat\n");
        shell.sees("got a\r\ngot b\r\n");
        shell.sees(PROMPT);
        shell.types("printf 'a\\n' | run | run | run; echo status ${PIPESTATUS[*]}\n");
        shell.sees("got got got a\r\n");
        shell.sees("status 0 3 3 3\r\n");
        shell.sees(PROMPT);
        let _ = fs::remove_file(scene.path("pid"));
        shell.types("run quiet | cat\n");
        let command = pid_in(&scene.path("pid"));
        shell.types("\x1a");
        shell.is_back(command);
        shell.types("fg\n");
        shell.sees("continued\r\n");
        let modes = shell.modes();
        shell.types("\x03");
        shell.sees(PROMPT);
        wait_until_gone(command);
        shell.leaves();
        modes
    });
}
