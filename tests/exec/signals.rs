//! Signals sent to `vault` reach the command once, and have the same effect there.

use rustix::process::{Signal, kill_process};

use crate::support::facts::{pid_in, wait_for_lines, wait_for_state, wait_until_gone};
use crate::support::running::Status::{Code, Signal as Killed};
use crate::support::scene::{Launch, Scene, Way, same};
use crate::support::terminal::Terminal;

const COUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/counts.py");
const JOB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/job.py");
/// The signals that a command can handle. The last one ends [`COUNTS`].
const NOTICED: [(&str, Signal); 18] = [
    ("SIGHUP", Signal::HUP),
    ("SIGINT", Signal::INT),
    ("SIGQUIT", Signal::QUIT),
    ("SIGUSR1", Signal::USR1),
    ("SIGUSR2", Signal::USR2),
    ("SIGTTIN", Signal::TTIN),
    ("SIGTTOU", Signal::TTOU),
    ("SIGWINCH", Signal::WINCH),
    ("SIGCONT", Signal::CONT),
    ("SIGTSTP", Signal::TSTP),
    ("SIGABRT", Signal::ABORT),
    ("SIGALRM", Signal::ALARM),
    ("SIGVTALRM", Signal::VTALARM),
    ("SIGPROF", Signal::PROF),
    ("SIGIO", Signal::IO),
    ("SIGPWR", Signal::POWER),
    ("SIGXCPU", Signal::XCPU),
    ("SIGTERM", Signal::TERM),
];

/// Returns a command that writes each signal into the file `log`.
fn counting(scene: &Scene, way: Way) -> Launch {
    let _ = std::fs::remove_file(scene.path("log"));
    let log = scene.path("log").display().to_string();
    scene.launch(way, &["python", "-I", "-S", COUNTS, &log])
}

/// Waits until the file `log` has `count` signals, and returns them.
#[track_caller]
fn counted(scene: &Scene, count: usize) -> Vec<String> {
    wait_for_lines(&scene.path("log"), count + 1).split_off(1)
}

#[test]
fn each_signal_reaches_the_command() {
    let scene = Scene::new();
    let names: Vec<&str> = NOTICED.iter().map(|(name, _)| *name).collect();
    let seen = same(|way| {
        let mut running = counting(&scene, way).start();
        for (count, (_, signal)) in NOTICED.iter().enumerate() {
            counted(&scene, count);
            running.signal(*signal);
        }
        (running.status(), counted(&scene, NOTICED.len()))
    });
    assert_eq!(
        seen,
        (Code(7), names.iter().map(|&name| name.to_owned()).collect())
    );
    let seen_at_a_terminal = same(|way| {
        let terminal = Terminal::start(&counting(&scene, way));
        for (count, (_, signal)) in NOTICED.iter().enumerate() {
            counted(&scene, count);
            terminal.signal(*signal);
        }
        (terminal.ends().0, counted(&scene, NOTICED.len()))
    });
    assert_eq!(seen_at_a_terminal, seen);
}

#[test]
fn deadly_signal_ends_the_command_and_vault() {
    let scene = Scene::new();
    let script = "ulimit -c 0; echo $$ >$SCENE/pid; exec sleep 1000";
    for signal in [
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::TERM,
        Signal::USR1,
        Signal::USR2,
        Signal::ABORT,
        Signal::ALARM,
        Signal::XCPU,
        Signal::KILL,
    ] {
        let deadly = |way, at_a_terminal| {
            let _ = std::fs::remove_file(scene.path("pid"));
            let launch = scene.shell(way, script);
            let (command, status) = if at_a_terminal {
                let mut terminal = Terminal::start(&launch);
                let command = pid_in(&scene.path("pid"));
                terminal.signal(signal);
                (command, terminal.status())
            } else {
                let mut running = launch.start();
                let command = pid_in(&scene.path("pid"));
                running.signal(signal);
                (command, running.status())
            };
            wait_until_gone(command);
            status
        };
        let number = signal.as_raw();
        assert_eq!(same(|way| deadly(way, false)), Killed(number), "{signal:?}");
        assert_eq!(
            same(|way| deadly(way, true)),
            Killed(number),
            "{signal:?} at a terminal"
        );
    }
}

#[test]
fn timer_of_the_caller_ends_the_command() {
    let scene = Scene::new();
    let program = "
import os, signal, sys
signal.setitimer(signal.ITIMER_REAL, 0.3)
os.execvp(sys.argv[1], sys.argv[1:])
";
    let launch = |way| {
        scene
            .launch(way, &["sleep", "1000"])
            .under(&["python", "-c", program])
    };
    let number = Signal::ALARM.as_raw();
    assert_eq!(same(|way| launch(way).start().end().status), Killed(number));
    assert_eq!(
        same(|way| Terminal::start(&launch(way)).ends().0),
        Killed(number)
    );
}

#[test]
fn command_gets_sigterm_if_its_parent_is_killed() {
    let scene = Scene::new();
    let mut running = counting(&scene, Way::Masked).start();
    counted(&scene, 0);
    running.signal(Signal::KILL);
    assert_eq!(running.status(), Killed(Signal::KILL.as_raw()));
    assert_eq!(counted(&scene, 1), ["SIGTERM"]);
    let mut terminal = Terminal::start(&counting(&scene, Way::Masked));
    counted(&scene, 0);
    terminal.signal(Signal::KILL);
    assert_eq!(terminal.status(), Killed(Signal::KILL.as_raw()));
    // The end of the terminal may also send SIGHUP.
    crate::support::facts::wait_for("SIGTERM", || {
        counted(&scene, 1)
            .contains(&"SIGTERM".to_owned())
            .then_some(())
    });
}

#[test]
fn stop_and_continue_apply_to_command_and_vault() {
    let scene = Scene::new();
    let script = "echo $$ >$SCENE/pid; read line; echo got $line; exit 3";
    for (name, signal) in [
        ("SIGTSTP", Signal::TSTP),
        ("SIGTTIN", Signal::TTIN),
        ("SIGTTOU", Signal::TTOU),
    ] {
        let seen = same(|way| {
            for name in ["pid", "job"] {
                let _ = std::fs::remove_file(scene.path(name));
            }
            let job = scene.path("job");
            let launch = scene.shell(way, script).under(&["python", "-I", "-S", JOB]);
            let mut running = launch.variable("JOB", &job.display().to_string()).start();
            let command = pid_in(&scene.path("pid"));
            let number = wait_for_lines(&job, 1)[0].parse().unwrap();
            let vault = rustix::process::Pid::from_raw(number).unwrap();
            kill_process(vault, signal).unwrap();
            wait_for_lines(&job, 2);
            wait_for_state(command, 'T');
            wait_for_state(vault, 'T');
            running.write(b"line\n");
            kill_process(vault, Signal::CONT).unwrap();
            running.output.sees("got line\n");
            running.status();
            wait_for_lines(&job, 3).split_off(1)
        });
        assert_eq!(seen, [format!("stopped {name}"), "code 3".to_owned()]);
    }
}

#[test]
fn command_ignoring_a_stop_continues() {
    let scene = Scene::new();
    let script = "trap '' TSTP TTOU; echo $$ >$SCENE/pid; read line; echo got $line; exit 3";
    let seen = same(|way| {
        for name in ["pid", "job"] {
            let _ = std::fs::remove_file(scene.path(name));
        }
        let job = scene.path("job");
        let launch = scene.shell(way, script).under(&["python", "-I", "-S", JOB]);
        let mut running = launch.variable("JOB", &job.display().to_string()).start();
        pid_in(&scene.path("pid"));
        let vault = wait_for_lines(&job, 1)[0].parse().unwrap();
        for signal in [Signal::TSTP, Signal::TTOU] {
            kill_process(rustix::process::Pid::from_raw(vault).unwrap(), signal).unwrap();
        }
        running.write(b"line\n");
        running.output.sees("got line\n");
        running.status();
        wait_for_lines(&job, 2).split_off(1)
    });
    assert_eq!(seen, ["code 3"]);
}

#[test]
fn command_stopping_itself_stops_vault() {
    let scene = Scene::new();
    for signal in ["STOP", "TSTP", "TTIN"] {
        let script = format!("echo $$ >$SCENE/pid; kill -{signal} $$; echo on; exit 4");
        let seen = same(|way| {
            for name in ["pid", "job"] {
                let _ = std::fs::remove_file(scene.path(name));
            }
            let job = scene.path("job");
            let launch = scene
                .shell(way, &script)
                .under(&["python", "-I", "-S", JOB]);
            let mut running = launch.variable("JOB", &job.display().to_string()).start();
            let vault = wait_for_lines(&job, 1)[0].parse().unwrap();
            wait_for_lines(&job, 2);
            wait_for_state(pid_in(&scene.path("pid")), 'T');
            kill_process(rustix::process::Pid::from_raw(vault).unwrap(), Signal::CONT).unwrap();
            running.status();
            running.output.sees("on\n");
            wait_for_lines(&job, 3).split_off(1)
        });
        assert_eq!(seen, [format!("stopped SIG{signal}"), "code 4".to_owned()]);
    }
}

#[test]
fn ignored_signal_stays_ignored() {
    let scene = Scene::new();
    for ignored in [Signal::HUP, Signal::QUIT, Signal::USR1] {
        let name = NOTICED
            .iter()
            .find(|(_, signal)| *signal == ignored)
            .unwrap()
            .0;
        let wrapper = format!("--ignore-signal={}", name.trim_start_matches("SIG"));
        let play = |way, at_a_terminal| {
            let launch = counting(&scene, way).under(&["env", &wrapper]);
            if at_a_terminal {
                let terminal = Terminal::start(&launch);
                counted(&scene, 0);
                for signal in [ignored, Signal::USR2, Signal::TERM] {
                    terminal.signal(signal);
                }
                (
                    terminal.ends().0,
                    counted(&scene, 1).contains(&name.to_owned()),
                )
            } else {
                let mut running = launch.start();
                counted(&scene, 0);
                for signal in [ignored, Signal::USR2, Signal::TERM] {
                    running.signal(signal);
                }
                (
                    running.status(),
                    counted(&scene, 1).contains(&name.to_owned()),
                )
            }
        };
        assert_eq!(same(|way| play(way, false)), (Code(7), false), "{name}");
        assert_eq!(
            same(|way| play(way, true)),
            (Code(7), false),
            "{name} at a terminal"
        );
    }
}

#[test]
fn command_under_nohup_survives_a_hangup() {
    let scene = Scene::new();
    let script = "echo $$ >$SCENE/pid; read line; echo got $line";
    let seen = same(|way| {
        let _ = std::fs::remove_file(scene.path("pid"));
        let mut running = scene.shell(way, script).under(&["nohup"]).start();
        pid_in(&scene.path("pid"));
        running.signal(Signal::HUP);
        running.write(b"line\n");
        let end = running.end();
        (end.status, end.output)
    });
    assert_eq!(seen, (Code(0), "got line\n".to_owned()));
}
