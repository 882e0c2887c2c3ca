//! The cost of resolving a conflict: a merge of two branches that both re-encrypted every entry.

use std::cell::RefCell;

use anyhow::Context as _;

use crate::measure::{alternate, run};
use crate::store::{Caller, Store};
use crate::table;

/// Measures `resolve` against reading and checking the same store once.
pub(crate) fn measure() -> anyhow::Result<()> {
    let used = RefCell::new(Vec::new());
    let series = alternate(
        5,
        &mut [
            &mut |_| {
                let store = Store::new(1000)?;
                let cost = run(&mut store.command(Caller::Person, &["verify"]));
                used.borrow_mut().push(store);
                cost
            },
            &mut |_| {
                let store = conflict(1000)?;
                let cost = run(&mut store.command(Caller::Person, &["resolve", "--yes"]));
                used.borrow_mut().push(store);
                cost
            },
        ],
    )?;
    table::block("a merge of two rotations with 1,000 entries", "ratio");
    table::base("verify of one side", &series[0]);
    table::ratio("resolve", &series[1], &series[0], "<= 2000 ms");
    Ok(())
}

/// A store of this size in the middle of a merge in which every entry is in conflict.
fn conflict(count: usize) -> anyhow::Result<Store> {
    let store = Store::new(count)?;
    let git = |arguments: &[&str]| -> anyhow::Result<bool> {
        let settings = ["git", "-c", "user.name=b", "-c", "user.email=b@example.com"];
        let words = [&settings[..], arguments].concat();
        let output = store.bare(&words).output()?;
        Ok(output.status.success())
    };
    let rotate = || -> anyhow::Result<()> {
        // A revocation seen on one branch would refuse the other branch.
        let root = std::fs::read_to_string(store.vault().join("root.toml"))?;
        let id = root
            .lines()
            .find_map(|line| line.strip_prefix("vault = \"bech32:"));
        let id = id.context("the root names no id")?.trim_end_matches('"');
        let mut command = store.command(Caller::Person, &["rotate", "--quiet"]);
        command
            .env("VAULT_ID", id)
            .env("XDG_STATE_HOME", "/nonexistent");
        let output = command.output()?;
        anyhow::ensure!(output.status.success(), "rotate: {output:?}");
        anyhow::ensure!(
            git(&["add", "--all"])? && git(&["commit", "--quiet", "--message", "rotated"])?
        );
        Ok(())
    };
    let is_begun = git(&["init", "--quiet", "--initial-branch=main"])?
        && git(&["add", "--all"])?
        && git(&["commit", "--quiet", "--message", "a vault"])?
        && git(&["checkout", "--quiet", "-b", "theirs"])?;
    anyhow::ensure!(is_begun, "git failed");
    rotate()?;
    anyhow::ensure!(git(&["checkout", "--quiet", "main"])?, "git failed");
    rotate()?;
    anyhow::ensure!(
        !git(&["merge", "--quiet", "theirs"])?,
        "the merge did not conflict"
    );
    rustix::fs::sync();
    Ok(store)
}
