//! A panic: a bug of ours, which must not show what it was about.

use std::panic::{PanicHookInfo, set_hook};

use super::console::{Color, Console, Notices};
use crate::fault::Fault;

/// From now on a panic names its place in the source, and nothing else: its text could quote a
/// value, such as the string that was cut in the middle of a character.
pub(crate) fn hide_panics() {
    set_hook(Box::new(|panic| {
        let fault = fault(panic);
        Console::new(Notices::Shown, Color::Auto).error(&fault, fault.hints());
    }));
}

fn fault(panic: &PanicHookInfo<'_>) -> Fault {
    let place = panic
        .location()
        .map_or_else(String::new, |place| format!(": {place}"));
    Fault::failed(format!("vault has a bug and stops here{place}"))
        .hint("report this line and what you typed, without values")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const TEST: &str = "session::panic::tests::panic_shows_its_location_without_its_text";

    /// Runs itself again as the process that panics.
    #[test]
    fn panic_shows_its_location_without_its_text() {
        if std::env::var_os("PANIC_HERE").is_some() {
            hide_panics();
            panic!("hunter2");
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture"])
            .env("PANIC_HERE", "1")
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stderr);
        assert!(
            said.contains("error: vault has a bug and stops here: src/session/panic.rs:"),
            "{said}"
        );
        assert!(
            !child.status.success() && !said.contains("hunter2"),
            "{said}"
        );
    }
}
