//! Secrets that both sides changed.

use crate::support::branches::Branches;
use crate::support::refusal::stocked;
use crate::support::terminal::Terminal;

/// Both branches set `DATABASE_URL` of production.
fn both_set() -> Branches {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("DATABASE_URL", "our value"),
        |own| own.set("DATABASE_URL", "their value"),
    );
    branches
}

#[test]
fn chosen_side_keeps_its_value_with_the_next_revision() {
    for (option, value) in [("--ours", "our value"), ("--theirs", "their value")] {
        let branches = both_set();
        let said = branches.resolves(&[option]);
        assert_eq!(branches.value("DATABASE_URL"), value);
        assert_eq!(branches.revision("DATABASE_URL"), 3);
        assert!(
            said.contains("next: `git add .vault`, then `git merge --continue`"),
            "{said}"
        );
        assert_eq!(branches.value("OTHER"), "other");
    }
}

#[test]
fn each_secret_can_have_its_own_side() {
    let branches = Branches::of(stocked());
    let set = |own: &Branches, value: &str| {
        own.set("DATABASE_URL", value);
        own.set("OTHER", value);
        own.set_in("development", "DATABASE_URL", value);
    };
    branches.conflict(|own| set(own, "ours"), |own| set(own, "theirs"));
    // A name without a side is still asked about.
    branches.refuses(
        &["OTHER", "--ours"],
        4,
        &["DATABASE_URL in development was changed"],
    );
    branches.resolves(&[
        "--take",
        "production/DATABASE_URL=theirs",
        "--take",
        "OTHER=ours",
        "DATABASE_URL",
        "--ours",
    ]);
    assert_eq!(branches.value("DATABASE_URL"), "theirs");
    assert_eq!(branches.value("OTHER"), "ours");
    assert_eq!(branches.value_in("development", "DATABASE_URL"), "ours");
}

#[test]
fn name_without_a_conflict_is_refused() {
    let branches = both_set();
    for arguments in [
        &["--ours", "--take", "OTHER=ours"][..],
        &["--ours", "DATABASE_URL", "OTHER"],
        &["--ours", "--adopt", "OTHER"],
    ] {
        branches.refuses(arguments, 2, &["there is nothing to decide about OTHER"]);
    }
}

#[test]
fn terminal_shows_values_only_on_request() {
    let branches = both_set();
    let mut terminal = Terminal::start(branches.vault(&["resolve"]));
    terminal
        .sees("DATABASE_URL in production was changed on both sides:\n  --ours: set by alice at 2");
    terminal.sees("revision 2\n  --theirs: set by alice at 2");
    terminal.sees("Keep which? [ours/theirs/show values] ");
    assert!(
        !terminal.screen().contains("value\n"),
        "{}",
        terminal.screen()
    );
    terminal.types("show values\n");
    terminal.sees("  ours: our value\n  theirs: their value\nKeep which? [ours/theirs] ");
    terminal.types("theirs\n");
    terminal.ends(0);
    branches.commits();
    assert_eq!(branches.value("DATABASE_URL"), "their value");
}

#[test]
fn unclear_answer_changes_nothing() {
    let branches = both_set();
    let before = branches.store();
    let mut terminal = Terminal::start(branches.vault(&["resolve"]));
    terminal.sees("Keep which? ");
    terminal.types("both\n");
    let screen = terminal.ends(4);
    assert!(screen.contains("git restore --source=HEAD"), "{screen}");
    assert!(before == branches.store());
}

#[test]
fn question_without_a_terminal_changes_nothing() {
    let said = both_set().refuses(
        &[],
        4,
        &[
            "was changed on both sides",
            "`vault resolve DATABASE_URL --ours`",
        ],
    );
    assert!(
        !said.contains("our value") && !said.contains("their value"),
        "{said}"
    );
}

#[test]
fn higher_revision_wins_without_a_question() {
    for is_ours_higher in [true, false] {
        let branches = Branches::of(stocked());
        let twice = |own: &Branches| {
            own.set("OTHER", "first");
            own.set("OTHER", "second");
        };
        let once = |own: &Branches| own.set("OTHER", "only");
        if is_ours_higher {
            branches.conflict(twice, once);
        } else {
            branches.conflict(once, twice);
        }
        branches.resolves(&[]);
        assert_eq!(branches.value("OTHER"), "second");
        assert_eq!(branches.revision("OTHER"), 3);
    }
}

#[test]
fn tombstone_wins_over_a_lower_revision() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "again"),
        |own| {
            own.set("OTHER", "before");
            own.quick(&["remove", "OTHER", "-e", "production"]);
        },
    );
    branches.resolves(&[]);
    let outcome = branches
        .vault(&["get", "OTHER", "-e", "production"])
        .outcome();
    assert_eq!(outcome.status, 2, "{}", outcome.said);
    assert_eq!(branches.revision("OTHER"), 3);
}

#[test]
fn tombstone_of_the_same_revision_is_asked_about() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "again"),
        |own| drop(own.quick(&["remove", "OTHER", "-e", "production"])),
    );
    branches.refuses(&[], 4, &["--theirs: removed by alice at "]);
    branches.resolves(&["--theirs"]);
    assert_eq!(
        branches
            .vault(&["get", "OTHER", "-e", "production"])
            .outcome()
            .status,
        2
    );
    assert_eq!(branches.revision("OTHER"), 3);
}

#[test]
fn deleted_file_needs_its_name() {
    let branches = Branches::of(stocked());
    branches.conflict(
        |own| own.set("OTHER", "ours"),
        |own| {
            own.sandbox
                .git(&["rm", "--quiet", ".vault/production/OTHER.toml"]);
        },
    );
    branches.refuses(
        &["--ours", "--yes"],
        4,
        &["theirs has no OTHER in production, not even removed"],
    );
    branches.resolves_only(&["OTHER", "--ours", "--yes"]);
    assert_eq!(branches.value("OTHER"), "ours");
}

#[test]
fn equal_changes_are_not_asked_about() {
    let branches = Branches::of(stocked());
    branches.sandbox.git(&["branch", "once"]);
    branches.on("once", |own| own.set("OTHER", "one change"));
    let bring = |own: &Branches| {
        // The same entry, encrypted again: each side rotates.
        own.sandbox.git(&["checkout", "once", "--", ".vault"]);
        own.quick(&["rotate", "-e", "production"]);
    };
    branches.conflict(bring, bring);
    let said = branches.resolves(&["--yes"]);
    assert_eq!(branches.value("OTHER"), "one change");
    assert_eq!(branches.revision("OTHER"), 2);
    assert!(
        said.contains("production has epoch 3: 2 entries re-encrypted"),
        "{said}"
    );
}

#[test]
fn different_values_of_one_revision_are_asked_after_rotations() {
    let branches = Branches::of(stocked());
    let change = |own: &Branches, value: &str| {
        own.set("OTHER", value);
        own.quick(&["rotate", "-e", "production"]);
    };
    branches.conflict(|own| change(own, "ours"), |own| change(own, "theirs"));
    branches.refuses(
        &["--yes"],
        4,
        &["OTHER in production was changed on both sides"],
    );
    branches.resolves(&["--yes", "--theirs"]);
    assert_eq!(branches.value("OTHER"), "theirs");
    assert_eq!(branches.value("DATABASE_URL"), "postgres://production");
}
