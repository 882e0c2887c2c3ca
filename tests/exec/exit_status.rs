//! `vault exec` ends in the same way as its command.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::support::running::Status::{Code, Signal as Killed};
use crate::support::scene::{Scene, Way, same};
use crate::support::terminal::Terminal;

#[test]
fn exit_code_comes_from_the_command() {
    let scene = Scene::new();
    for code in [0, 1, 2, 42, 121, 122, 125, 128, 137, 255] {
        let script = format!("echo printed; echo said >&2; exit {code}");
        let end = same(|way| scene.shell(way, &script).start().end());
        assert_eq!(end.status, Code(code));
        assert_eq!(
            (end.output.as_str(), end.said.as_str()),
            ("printed\n", "said\n")
        );
        let end = same(|way| Terminal::start(&scene.shell(way, &script)).ends());
        assert_eq!(end, (Code(code), "printed\nsaid\n".to_owned()));
    }
}

#[test]
fn command_killed_by_a_signal_ends_vault_by_the_same_signal() {
    let scene = Scene::new();
    for signal in [
        Signal::KILL,
        Signal::TERM,
        Signal::INT,
        Signal::SEGV,
        Signal::ABORT,
        Signal::HUP,
        Signal::QUIT,
        Signal::PIPE,
        Signal::USR1,
        Signal::ALARM,
        Signal::XFSZ,
    ] {
        let number = signal.as_raw();
        let script = format!("ulimit -c 0; echo before; kill -{number} $$; echo after");
        let end = same(|way| scene.shell(way, &script).start().end());
        assert_eq!(
            (end.status, end.output.as_str()),
            (Killed(number), "before\n")
        );
        let end = same(|way| Terminal::start(&scene.shell(way, &script)).ends());
        assert_eq!(end, (Killed(number), "before\n".to_owned()));
    }
}

#[test]
fn ignored_or_blocked_signal_ends_vault_like_the_command() {
    let scene = Scene::new();
    // The command resets both, and then kills itself.
    let program = "
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
os.kill(os.getpid(), signal.SIGTERM)
";
    for option in ["--ignore-signal=TERM", "--block-signal=TERM"] {
        let end = same(|way| {
            scene
                .python(way, program)
                .under(&["env", option])
                .start()
                .end()
        });
        assert_eq!(end.status, Killed(Signal::TERM.as_raw()), "{option}");
    }
}

#[test]
fn exit_code_is_kept_with_ignored_or_blocked_signals() {
    let scene = Scene::new();
    for option in ["--ignore-signal", "--block-signal", "--ignore-signal=CHLD"] {
        let launch = |way| {
            scene
                .shell(way, "echo printed; exit 42")
                .under(&["env", option])
        };
        let end = same(|way| launch(way).start().end());
        assert_eq!(
            (end.status, end.output.as_str()),
            (Code(42), "printed\n"),
            "{option}"
        );
        let end = same(|way| Terminal::start(&launch(way)).ends());
        assert_eq!(end, (Code(42), "printed\n".to_owned()), "{option}");
    }
}

#[test]
fn unexecutable_file_exits_126_and_missing_file_127() {
    let scene = Scene::new();
    let repo = scene.sandbox().repo();
    for (name, content, mode) in [
        ("text", "not a program", 0o755),
        ("plain", "#!/bin/sh\n", 0o644),
        ("orphan", "#!/nowhere/sh\n", 0o755),
    ] {
        fs::write(repo.join(name), content).unwrap();
        fs::set_permissions(repo.join(name), Permissions::from_mode(mode)).unwrap();
    }
    for (command, status) in [
        ("./text", 126),
        ("./plain", 126),
        ("./orphan", 126),
        ("/", 126),
        ("./missing", 127),
        ("no-such-command", 127),
        ("", 127),
    ] {
        let [unmasked, masked] = [Way::Unmasked, Way::Masked]
            .map(|way| scene.launch(way, &[command, "argument"]).start().end());
        assert_eq!(
            (unmasked.status, unmasked.output.as_str()),
            (Code(status), "")
        );
        let shown = if command.is_empty() { "''" } else { command };
        assert!(
            unmasked.said.starts_with(&format!("error: {shown}: ")),
            "{}",
            unmasked.said
        );
        assert_eq!(masked, unmasked);
        let [unmasked, masked] = [Way::Unmasked, Way::Masked]
            .map(|way| Terminal::start(&scene.launch(way, &[command])).ends());
        assert_eq!((unmasked.0, &masked), (Code(status), &unmasked));
    }
}
