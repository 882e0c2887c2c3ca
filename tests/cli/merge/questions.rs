//! The questions about revocations and names at a terminal.

use crate::support::branches::Branches;
use crate::support::refusal::stocked;
use crate::support::terminal::Terminal;

fn both_rotated() -> Branches {
    let branches = Branches::of(stocked());
    let rotate = |own: &Branches| drop(own.quick(&["rotate", "-e", "production"]));
    branches.conflict(rotate, |own| {
        own.quick(&["ci", "add", "robot", "-q", "-e", "production"]);
        own.quick(&["members", "remove", "robot", "-y", "-q"]);
    });
    branches
}

const LISTED: &str = "ours: 1 revocation since the common commit: production was rotated\n\
    theirs: 1 revocation since the common commit: robot was removed, development was rotated, \
    production was rotated\n\
    put these revocations into effect together? [y/N] ";

#[test]
fn revocations_are_listed_before_the_question() {
    let branches = both_rotated();
    let mut terminal = Terminal::start(branches.vault(&["resolve"]));
    terminal.sees(LISTED);
    terminal.types("y\n");
    terminal.ends(0);
    branches.commits();
    assert_eq!(branches.epoch().0, 3);
}

#[test]
fn refused_question_changes_nothing() {
    let branches = both_rotated();
    let before = branches.store();
    let mut terminal = Terminal::start(branches.vault(&["resolve"]));
    terminal.sees(LISTED);
    terminal.types("n\n");
    let screen = terminal.ends(4);
    assert!(
        screen.contains("not done: the answer was not yes"),
        "{screen}"
    );
    assert!(screen.contains("git restore --source=HEAD"), "{screen}");
    assert!(before == branches.store());
}

#[test]
fn name_is_confirmed_at_a_terminal() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| drop(own.quick(&["environments", "remove", "production", "--yes"])),
        |own| own.set("OTHER", "theirs"),
    );
    let mut terminal = Terminal::start(branches.vault(&["resolve", "--yes"]));
    terminal.sees("Remove it? [y/N] ");
    terminal.types("y\n");
    terminal.ends(0);
    assert!(!branches.sandbox.store("production").exists());
}
