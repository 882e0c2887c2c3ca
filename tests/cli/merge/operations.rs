//! Everything in git that ends in a conflict.

use repovault::vault::model::Access;

use crate::support::branches::Branches;
use crate::support::craft;
use crate::support::refusal::stocked;

fn both_set() -> Branches {
    let branches = Branches::of(stocked());
    branches.on("theirs", |own| own.set("OTHER", "of theirs"));
    branches.on("main", |own| own.set("OTHER", "of main"));
    branches
}

#[track_caller]
fn goes_on(branches: &Branches, said: &str, arguments: &[&str]) {
    let command = format!("then `git {}`", arguments.join(" "));
    assert!(said.contains(&command), "{said}");
    branches.sandbox.git(&["add", ".vault"]);
    let output = branches.git(arguments);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn rebase_swaps_the_sides_as_git_does() {
    for (option, value) in [("--ours", "of theirs"), ("--theirs", "of main")] {
        let branches = both_set();
        branches.stops(&["rebase", "theirs"]);
        let said = branches.resolves_only(&[option]);
        goes_on(&branches, &said, &["rebase", "--continue"]);
        assert_eq!(branches.value("OTHER"), value);
        branches.is_sound(&["theirs"]);
    }
}

#[test]
fn rebase_of_several_commits_resolves_each() {
    let branches = both_set();
    branches.on("main", |own| own.set("DATABASE_URL", "second commit"));
    branches.on("main", |own| {
        own.quick(&["rotate", "-e", "production"]);
    });
    branches.stops(&["rebase", "theirs"]);
    let said = branches.resolves_only(&["--theirs"]);
    branches.sandbox.git(&["add", ".vault"]);
    assert!(said.contains("git rebase --continue"), "{said}");
    branches.stops(&["rebase", "--continue"]);
    let said = branches.resolves_only(&["--yes"]);
    goes_on(&branches, &said, &["rebase", "--continue"]);
    assert_eq!(branches.value("OTHER"), "of main");
    assert_eq!(branches.value("DATABASE_URL"), "second commit");
    branches.is_sound(&["theirs"]);
}

/// Each commit that stops meets a vault in which the other branch has taken access.
#[test]
fn rebase_onto_a_loss_resolves_each_change_of_members() {
    let sandbox = stocked();
    let access = [("development", Access::Write), ("production", Access::Read)];
    craft::enroll(&sandbox, "carol", &access);
    let ci = sandbox.credential("ci", &["-e", "production", "--only", "OTHER"]);
    let branches = Branches::of(sandbox);
    branches.on("theirs", |own| {
        own.quick(&["members", "set", "carol", "-e", "development=none", "--yes"]);
        own.set("OTHER", "of theirs");
    });
    let commits: [&[&str]; 3] = [
        &["members", "set", "carol", "--admin"],
        &["members", "set", "ci", "-e", "production=none", "--yes"],
        &["members", "set", "ci", "-e", "development=read"],
    ];
    for words in commits {
        branches.on("main", |own| drop(own.quick(words)));
    }
    branches.on("main", |own| {
        own.set_in("development", "DATABASE_URL", "of main");
    });
    branches.stops(&["rebase", "theirs"]);
    for is_last in [false, false, true] {
        branches.refuses(&[], 4, &["--yes"]);
        let said = branches.resolves_only(&["--yes"]);
        if is_last {
            goes_on(&branches, &said, &["rebase", "--continue"]);
        } else {
            branches.sandbox.git(&["add", ".vault"]);
            branches.stops(&["rebase", "--continue"]);
        }
    }
    branches.quick(&["members", "sync", "--yes"]);
    branches.is_sound(&["theirs"]);
    assert_eq!(branches.access("carol", "development"), None);
    assert_eq!(branches.access("carol", "production"), Some(Access::Read));
    assert_eq!(branches.value("OTHER"), "of theirs");
    assert_eq!(branches.access("ci", "development"), Some(Access::Read));
    assert_eq!(branches.access("ci", "production"), None);
    assert!(!branches.reads(&ci, "production", "OTHER"));
}

#[test]
fn cherry_pick_is_resolved() {
    let branches = both_set();
    branches.stops(&["cherry-pick", "theirs"]);
    let said = branches.resolves_only(&["--theirs"]);
    goes_on(&branches, &said, &["cherry-pick", "--continue"]);
    assert_eq!(branches.value("OTHER"), "of theirs");
    branches.is_sound(&["HEAD^"]);
}

#[test]
fn cherry_pick_within_a_rebase_is_resolved() {
    let branches = both_set();
    branches.sandbox.git(&["branch", "third", "main~1"]);
    branches.on("third", |own| {
        for value in ["first", "second", "of third"] {
            own.set("OTHER", value);
        }
    });
    branches.sandbox.git(&["checkout", "--quiet", "main"]);
    branches.stops(&["rebase", "theirs"]);
    branches.resolves_only(&["--theirs"]);
    branches.sandbox.git(&["add", ".vault"]);
    branches
        .sandbox
        .git(&["commit", "--quiet", "--message", "within"]);
    branches.stops(&["cherry-pick", "third"]);
    let said = branches.resolves_only(&["--theirs"]);
    assert!(said.contains("git cherry-pick --continue"), "{said}");
    assert_eq!(branches.value("OTHER"), "of third");
}

#[test]
fn cherry_pick_of_a_merge_uses_the_parent_of_git() {
    let branches = Branches::of(stocked());
    branches.on("theirs", |own| own.set("OTHER", "of theirs"));
    branches
        .sandbox
        .git(&["checkout", "--quiet", "-b", "side", "main"]);
    branches.on("side", |own| own.set("DATABASE_URL", "of side"));
    branches
        .sandbox
        .git(&["merge", "--quiet", "--no-edit", "theirs"]);
    branches.on("main", |own| own.set("DATABASE_URL", "of main"));
    branches.stops(&["cherry-pick", "-m", "2", "side"]);
    // The branch picked from has a newer one, which is not picked.
    branches.refuses(&["--theirs"], 4, &["ours has an older OTHER in production"]);
    let said = branches.resolves_only(&["--theirs", "--yes", "OTHER", "DATABASE_URL"]);
    goes_on(&branches, &said, &["cherry-pick", "--continue"]);
    assert_eq!(branches.value("DATABASE_URL"), "of side");
    assert_eq!(branches.value("OTHER"), "other");
}

#[test]
fn squash_is_resolved() {
    let branches = both_set();
    branches.stops(&["merge", "--squash", "theirs"]);
    let said = branches.resolves_only(&["--theirs"]);
    goes_on(&branches, &said, &["commit"]);
    assert_eq!(branches.value("OTHER"), "of theirs");
    branches.is_sound(&["HEAD^", "theirs"]);
}

#[test]
fn revert_goes_back_only_by_name() {
    let branches = both_set();
    branches.on("main", |own| own.set("OTHER", "newer"));
    branches.stops(&["revert", "--no-edit", "HEAD^"]);
    branches.refuses(
        &["--theirs"],
        4,
        &["theirs has an older OTHER in production"],
    );
    let said = branches.resolves_only(&["OTHER", "--yes"]);
    assert!(said.contains("git revert --continue"), "{said}");
    // The higher revision stays.
    assert_eq!(branches.value("OTHER"), "newer");
}

#[test]
fn sides_without_a_common_commit_are_refused() {
    let branches = both_set();
    branches
        .sandbox
        .git(&["checkout", "--quiet", "--orphan", "alone"]);
    branches
        .sandbox
        .git(&["commit", "--quiet", "--message", "alone"]);
    branches.stops(&["merge", "--allow-unrelated-histories", "theirs"]);
    branches.refuses(&["--ours"], 4, &["have no commit in common"]);
}

/// Both branches merge the other's first commit, so that they have two common commits.
fn criss_cross(main: impl FnOnce(&Branches), theirs: impl FnOnce(&Branches)) -> Branches {
    let sandbox = stocked();
    craft::enroll(&sandbox, "bob", &[("development", Access::Read)]);
    let branches = Branches::of(sandbox);
    branches.on("theirs", theirs);
    branches.on("main", main);
    branches.sandbox.git(&["branch", "first"]);
    branches
        .sandbox
        .git(&["merge", "--quiet", "--no-edit", "theirs"]);
    branches.sandbox.git(&["checkout", "--quiet", "theirs"]);
    branches
        .sandbox
        .git(&["merge", "--quiet", "--no-edit", "first"]);
    let bases = branches
        .sandbox
        .git(&["merge-base", "--all", "main", "theirs"]);
    assert_eq!(bases.lines().count(), 2);
    branches
}

#[test]
fn criss_cross_of_secrets_is_resolved() {
    let branches = criss_cross(
        |own| own.set("OTHER", "one"),
        |own| own.set("DATABASE_URL", "two"),
    );
    branches.conflict(
        |own| {
            own.set("OTHER", "ours");
            own.set("DATABASE_URL", "ours");
        },
        |own| own.set("OTHER", "theirs"),
    );
    branches.resolves(&["--theirs"]);
    assert_eq!(branches.value("OTHER"), "theirs");
    assert_eq!(branches.value("DATABASE_URL"), "ours");
}

#[test]
fn criss_cross_does_not_give_back_lost_access() {
    let set = |own: &Branches, access: &str| {
        own.quick(&["members", "set", "bob", "-y", "-q", "-e", access]);
    };
    let branches = criss_cross(
        |own| set(own, "production=read"),
        |own| own.set("DATABASE_URL", "two"),
    );
    branches.conflict(
        |own| set(own, "development=OTHER,DATABASE_URL"),
        |own| set(own, "production=none"),
    );
    branches.resolves(&["--yes"]);
    assert_eq!(branches.access("bob", "production"), None);
}

#[test]
fn criss_cross_does_not_bring_back_an_environment() {
    let branches = criss_cross(
        |own| drop(own.quick(&["environments", "add", "staging"])),
        |own| own.set("DATABASE_URL", "two"),
    );
    branches.conflict(
        |own| {
            own.quick(&["environments", "remove", "staging", "--yes"]);
            own.set("OTHER", "ours");
        },
        |own| {
            own.quick(&["rotate", "-e", "production"]);
            own.set("OTHER", "theirs");
        },
    );
    branches.resolves(&["--yes", "--ours"]);
    let root = branches.membership().root;
    assert!(!root.environments.contains_key(&"staging".parse().unwrap()));
}

#[test]
fn criss_cross_keeps_the_later_tag_of_a_member() {
    let set = |own: &Branches, access: &str| {
        own.quick(&["members", "set", "bob", "-y", "-q", "-e", access]);
    };
    let branches = criss_cross(
        |own| {
            set(own, "production=read");
            set(own, "production=none");
            set(own, "production=read");
        },
        |own| own.set_in("development", "DATABASE_URL", "two"),
    );
    let tag = std::cell::Cell::new(None);
    let bob = "bob".parse().unwrap();
    branches.conflict(
        |own| {
            set(own, "production=none");
            set(own, "production=read");
            tag.set(own.membership().root.tag_of(&bob));
        },
        |own| set(own, "development=write"),
    );
    branches.resolves(&["--yes"]);
    let root = branches.membership().root;
    assert!(tag.get().is_some());
    assert_eq!(root.tag_of(&bob), tag.get());
}
