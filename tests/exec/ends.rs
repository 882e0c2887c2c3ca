//! How a command ends is how `vault exec` ends.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;

use crate::facts::wait_until_gone;
use crate::running::Status::{Code, Signal as Killed};
use crate::scene::{Scene, Way, same};

#[test]
fn the_exit_code_is_the_commands() {
    let scene = Scene::new();
    for code in [0, 1, 2, 42, 121, 122, 125, 128, 137, 255] {
        let end = same(|way| scene.shell(way, &format!("exit {code}")).start().end());
        assert_eq!((end.status, end.output, end.said), (Code(code), String::new(), String::new()));
    }
}

#[test]
fn death_by_a_signal_is_death_by_that_signal() {
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
    ] {
        let number = signal.as_raw();
        let script = format!("ulimit -c 0; echo before; kill -{number} $$; echo after");
        let end = same(|way| scene.shell(way, &script).start().end());
        assert_eq!((end.status, end.output.as_str()), (Killed(number), "before\n"));
    }
}
