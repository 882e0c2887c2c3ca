//! pytest, npm, and make.

use std::fs;

use crate::support::facts::{pid_in, wait_until_gone};
use crate::support::machine::{all_is_wanted, has};
use crate::support::running::Status::{Code, Signal as Killed};
use crate::support::scene::{Way, same};
use crate::support::site::Site;
use crate::support::terminal::Terminal;

#[test]
fn pytest_with_two_workers_runs_and_hides_the_secret() {
    let site = Site::new();
    let words = [
        "python",
        "-m",
        "pytest",
        "-n",
        "2",
        "-rP",
        "-p",
        "no:cacheprovider",
    ];
    let end = site.launch(Way::Masked, &words).start().end();
    assert_eq!((end.status, end.said.as_str()), (Code(1), ""));
    assert!(end.output.contains("1 failed, 6 passed"), "{}", end.output);
    assert!(end.output.contains("{'password': '***'}"), "{}", end.output);
    assert_eq!(
        end.output.matches("\nprinted ***\n").count(),
        6,
        "{}",
        end.output
    );
    assert!(!end.output.contains("canary"), "{}", end.output);
    // At a terminal, the output has colors.
    let words = [
        "python",
        "-m",
        "pytest",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "-k",
        "passes",
    ];
    let (status, screen) = Terminal::start(&site.launch(Way::Masked, &words)).ends();
    assert_eq!(status, Code(0), "{screen}");
    assert!(
        screen.contains("\x1b[32m6 passed\x1b[0m") || screen.contains("6 passed"),
        "{screen}"
    );
    assert!(screen.contains("\x1b[32m"), "{screen}");
}

#[test]
fn npm_runs_scripts_and_fails_with_their_code() {
    if !all_is_wanted() || !has("npm", "npm") {
        return;
    }
    let site = Site::new();
    let npm = |way, script: &str| site.launch(way, &["npm", "run", "--silent", script]);
    let end = npm(Way::Masked, "show").start().end();
    assert_eq!(
        (end.status, end.output.as_str(), end.said.as_str()),
        (Code(0), "shown ***\n", "")
    );
    let end = npm(Way::Masked, "fail").start().end();
    assert_eq!(
        (end.status, end.said.as_str()),
        (Code(7), "failing with ***\n")
    );
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let _ = fs::remove_file(site.scene().path("pid"));
        let mut terminal = Terminal::start(&npm(way, "serve"));
        terminal.sees("serving\r\n");
        let script = pid_in(&site.scene().path("pid"));
        terminal.types("\x03");
        let (status, screen) = terminal.ends();
        wait_until_gone(script);
        // npm returns the status of its script, unless it ends first.
        assert!(
            [Code(0), Killed(2)].contains(&status),
            "{way:?} {status:?} {screen}"
        );
    }
}

#[test]
fn make_runs_two_jobs_in_parallel() {
    if !has("make", "make") {
        return;
    }
    let site = Site::new();
    let end = same(|way| {
        for name in ["one", "two"] {
            let _ = fs::remove_file(site.scene().path(name));
        }
        let end = site.launch(way, &["make", "-j2"]).start().end();
        let mut lines: Vec<String> = end.output.lines().map(str::to_owned).collect();
        lines.sort();
        let hidden: Vec<String> = lines
            .iter()
            .map(|line| line.replace(crate::support::scene::SECRET, "***"))
            .collect();
        assert!(way != Way::Masked || lines == hidden);
        (end.status, hidden, end.said)
    });
    let made = [
        "made one",
        "made two",
        "making one with ***",
        "making two with ***",
    ];
    assert_eq!(
        end,
        (Code(0), made.map(str::to_owned).to_vec(), String::new())
    );
    let end = site
        .launch(Way::Masked, &["make", "-j2", "fail"])
        .start()
        .end();
    assert_eq!(
        (end.status, end.output.as_str()),
        (Code(2), "failing with ***\n")
    );
    assert!(end.said.contains("Error 7"), "{}", end.said);
    for way in [Way::Bare, Way::Unmasked, Way::Masked] {
        let _ = fs::remove_file(site.scene().path("pid"));
        let mut terminal = Terminal::start(&site.launch(way, &["make", "-j2", "wait"]));
        let recipe = pid_in(&site.scene().path("pid"));
        terminal.types("\x03");
        let (status, screen) = terminal.ends();
        wait_until_gone(recipe);
        // The status depends on which of make and its recipe notices the signal first.
        assert!(
            [Code(2), Killed(2)].contains(&status),
            "{way:?} {status:?} {screen}"
        );
    }
}
