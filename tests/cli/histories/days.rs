//! Many histories, each from a number.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::changes::Change;
use super::world::{Start, World};
use crate::support::machine::all_is_wanted;

/// Which histories: the one of `VAULT_HISTORY`, or those of `VAULT_HISTORIES`, a number or a range.
fn seeds() -> Vec<u64> {
    let text = |name| std::env::var(name).ok();
    let number = |text: &str| text.parse::<u64>().unwrap();
    if let Some(seed) = text("VAULT_HISTORY") {
        return vec![number(&seed)];
    }
    let usual = if all_is_wanted() { "200" } else { "50" };
    let wanted = text("VAULT_HISTORIES").unwrap_or_else(|| usual.to_owned());
    let (first, last) = wanted.split_once('-').unwrap_or(("1", &wanted));
    (number(first)..=number(last)).collect()
}

#[test]
fn ordinary_days_with_git_keep_every_promise() {
    let (start, seeds, next) = (Start::new(), seeds(), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    let live = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            // The others go on, so that one run shows all that fail.
            let ended = catch_unwind(AssertUnwindSafe(|| World::new(&start, *seed).live()));
            if ended.is_err() {
                failed.lock().unwrap().push(*seed);
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(live);
        scope.spawn(live);
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    assert!(
        failed.is_empty(),
        "one alone: VAULT_HISTORY=N; these fail: {failed:?}"
    );
}

impl World {
    fn live(mut self) {
        let steps = 7 + self.random.below(5);
        for _ in 0..steps {
            match self.random.below(10) {
                0 if self.random.once_in(4) => self.start_again(),
                0..=5 => self.work(),
                6 if self.heads.len() < 3 => self.fork(),
                _ if self.heads.len() < 2 => self.fork(),
                _ => self.bring_together(),
            }
        }
        self.gather();
        let state = self.present();
        self.check_everyone(&state);
        let leaks = self.knowledge.leaks(&self.people);
        if !leaks.is_empty() {
            self.fail(&format!("values are known: {leaks:#?}"));
        }
    }

    /// Someone changes something on some branch.
    fn work(&mut self) {
        let branches: Vec<String> = self.heads.keys().cloned().collect();
        let branch = self.random.one(&branches).unwrap();
        self.switch(&branch);
        for _ in 0..5 {
            if let Some(change) = self.change() {
                self.apply(change);
                return;
            }
        }
    }

    fn apply(&mut self, change: Change) {
        let before = self.present();
        let is_interrupted = change.is_long && self.random.once_in(4);
        if is_interrupted {
            self.interrupt(&before, &change);
        } else {
            let printed = self.run_well(&before, &change.by, &change.words, &change.input);
            if change.words[0] == "ci" {
                let name = &change.words[2];
                let env = *change.after.members[name].access.keys().next().unwrap();
                self.machine(name, env, &printed, before.authority);
            }
        }
        self.commit(&change.words.join(" "));
        let mut after = change.after;
        // The end of an interrupted revocation starts every epoch again.
        self.observe(&mut after, is_interrupted);
        self.keep(after);
    }

    fn fork(&mut self) {
        let branches: Vec<String> = self.heads.keys().cloned().collect();
        let from = self.random.one(&branches).unwrap();
        self.switch(&from);
        let (state, name) = (self.present(), format!("branch-{}", self.heads.len()));
        self.git(&["switch", "--quiet", "-c", &name]);
        self.copy_memories(&from, &name);
        self.branch = name;
        self.keep(state);
    }

    /// Merges all branches into the main one.
    pub(super) fn gather(&mut self) {
        self.switch("main");
        for branch in self.heads.keys().cloned().collect::<Vec<_>>() {
            if branch != "main" {
                self.merge(&branch);
            }
        }
        self.settle(true);
    }

    /// A change for which all branches must be merged before, and which they start from afterward.
    fn start_again(&mut self) {
        self.gather();
        if let Some(change) = self.rare_change() {
            self.apply(change);
            self.follow_authority();
        }
        for branch in self.heads.keys().cloned().collect::<Vec<_>>() {
            if branch != "main" {
                self.git(&["branch", "--quiet", "--force", &branch, "main"]);
                self.copy_memories("main", &branch);
                self.heads.insert(branch, self.present());
            }
        }
    }

    /// After a new authority, everyone is sent the new id.
    fn follow_authority(&mut self) {
        let id = self.sandbox.id();
        if id != self.id {
            self.id = id;
            for person in &self.people {
                let memory = person.state(&self.sandbox, &self.branch);
                let _ = std::fs::remove_dir_all(memory);
            }
        }
    }
}
