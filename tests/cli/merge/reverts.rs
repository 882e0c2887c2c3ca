//! Members who are taken back with `git revert`, which is not a revocation.

use repovault::vault::model::Access;
use snapbox::str;

use crate::support::branches::Branches;
use crate::support::craft;
use crate::support::refusal::stocked;

const ADOPT: [&str; 8] = [
    "rotate",
    "--finish",
    "-e",
    "production",
    "--adopt",
    "NEW",
    "--yes",
    "-q",
];

/// The entry that a member set stays when their addition is reverted. Someone takes it over by name, and
/// does so again if that is reverted, too. Then the branch can be merged.
#[test]
fn entry_of_a_reverted_addition_can_be_adopted_and_merged() {
    let sandbox = stocked();
    let dave = craft::enroll(&sandbox, "dave", &[("production", Access::Write)]);
    let branches = Branches::of(sandbox);
    let key = branches.key_file(&dave);
    branches.on("theirs", |own| {
        let set = ["set", "NEW", "-e", "production", "-q"];
        let outcome = own.vault_as(&key, &set).input("of dave").outcome();
        assert_eq!(outcome.status, 0, "{}", outcome.said);
    });
    let git = |words: &[&str]| branches.sandbox.git(words);
    git(&["revert", "--no-edit", "main"]);
    let get = ["get", "NEW", "-e", "production"];
    branches
        .vault(&get)
        .fails(4)
        .says(str![[r#"
error: .vault/production/NEW.toml: is signed by dave, who is not a member
hint: put back one that a writer signed: `git log -p -- .vault/production/NEW.toml`
"#]])
        .check();
    branches.quick(&ADOPT);
    branches.is_sound(&["HEAD"]);
    branches.sandbox.commit("adopted");
    git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(branches.vault(&get).outcome().status, 4);
    branches.quick(&ADOPT);
    branches.sandbox.commit("adopted again");
    branches.on("main", |own| {
        own.quick(&["members", "set", "dave", "--admin"]);
    });
    branches.stops(&["merge", "--quiet", "theirs"]);
    branches.refuses(&[], 4, &["dave"]);
    branches.resolves_only(&["dave", "--yes"]);
    branches.sandbox.commit("merged");
    branches.quick(&["verify"]);
    assert_eq!(branches.value("NEW"), "of dave");
    let outcome = branches.vault_as(&key, &get).outcome();
    assert_eq!(outcome.status, 3, "{}", outcome.said);
}
