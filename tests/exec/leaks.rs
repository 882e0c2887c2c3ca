//! `--report-leaks` and `--fail-on-leak`. They report masked secrets by name, form, count, and
//! stream.

use std::fs;

use crate::support::running::Status::{Code, Signal};
use crate::support::scene::{SECRET, Scene, Way};
use crate::support::terminal::Terminal;

#[test]
fn report_lists_masked_secrets() {
    let scene = Scene::new();
    scene
        .sandbox()
        .set("development", "OTHER", b"another long value");
    let script =
        "echo $SECRET $SECRET; printf %s \"$SECRET\" | base64 -w0; echo $OTHER >&2; exit 3";
    let launch = scene
        .shell(Way::Masked, script)
        .options(&["--report-leaks"]);
    let end = launch.start().end();
    assert_eq!((end.status, end.output.as_str()), (Code(3), "*** ***\n***"));
    let said = end.said.strip_prefix("***\n").unwrap();
    for words in [
        ["SECRET", "raw", "2 times", "standard output"],
        ["SECRET", "base64", "once", "standard output"],
        ["OTHER", "raw", "once", "standard error"],
    ] {
        let is_told = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(said.lines().any(is_told), "{words:?} in {said}");
    }
    // Neither values nor secrets that were not printed are reported.
    assert!(
        !said.contains(SECRET) && !said.contains("another"),
        "{said}"
    );
    let launch = scene
        .shell(Way::Masked, "echo nothing")
        .options(&["--report-leaks"]);
    assert_eq!(launch.start().end().output, "nothing\n");
}

#[test]
fn leak_fails_a_successful_command() {
    let scene = Scene::new();
    let fails = |script: &str| {
        let end = scene
            .shell(Way::Masked, script)
            .options(&["--fail-on-leak"])
            .start()
            .end();
        (end.status, end.said)
    };
    let (status, said) = fails("echo $SECRET");
    assert_eq!(status, Code(124));
    assert!(said.contains("SECRET") && !said.contains(SECRET), "{said}");
    assert_eq!(fails("echo nothing"), (Code(0), String::new()));
    // The command's own failure takes precedence.
    assert_eq!(fails("echo $SECRET; exit 7").0, Code(7));
    assert_eq!(fails("echo $SECRET; kill -KILL $$").0, Signal(9));
    assert_eq!(fails("echo $SECRET >&2").0, Code(124));
    // The status is the same at a terminal.
    let launch = scene
        .shell(Way::Masked, "echo $SECRET")
        .options(&["--fail-on-leak"]);
    let (status, screen) = Terminal::start(&launch).ends();
    assert_eq!(status, Code(124));
    assert!(
        screen.starts_with("***\n") && screen.contains("SECRET"),
        "{screen}"
    );
}

#[test]
fn step_can_require_the_leak_check() {
    let scene = Scene::new();
    let config = scene.sandbox().repo().join("vault.toml");
    let mut text = fs::read_to_string(&config).unwrap();
    text.push_str(
        "
[steps.strict]
names = [\"SECRET\"]
fail_on_leak = true

[steps.loose]
names = [\"SECRET\"]
",
    );
    fs::write(&config, text).unwrap();
    for (step, status) in [("strict", 124), ("loose", 0)] {
        let launch = scene
            .shell(Way::Masked, "echo $SECRET")
            .options(&["--step", step]);
        let end = launch.start().end();
        assert_eq!(
            (end.status, end.output.as_str()),
            (Code(status), "***\n"),
            "{}",
            end.said
        );
    }
}
