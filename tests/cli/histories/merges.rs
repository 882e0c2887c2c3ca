//! Merges, rebases, picks, squashes, and reverts with real git.

use super::model::State;
use super::union::Ending;
use super::world::World;

/// The commits of a merge, in git's words.
struct Sides {
    base: State,
    ours: State,
    theirs: State,
}

impl World {
    /// Brings two branches together in one of git's ways.
    pub(super) fn bring_together(&mut self) {
        let branches: Vec<String> = self.heads.keys().cloned().collect();
        let into = self.random.one(&branches).unwrap();
        self.switch(&into);
        let others: Vec<String> = branches
            .into_iter()
            .filter(|other| *other != into)
            .collect();
        let Some(from) = self.random.one(&others) else {
            return;
        };
        match self.random.below(10) {
            0..=3 => self.merge(&from),
            4 | 5 => self.press_the_button(&from),
            6 => self.rebase(&from),
            7 => self.pick(&from),
            8 => self.squash(&from),
            _ => self.revert(),
        }
    }

    /// The states of a merge of `from`; `None` if there is nothing to merge, or the model has not seen
    /// the common commit.
    fn sides(&mut self, from: &str) -> Option<Sides> {
        let (ours, theirs) = (self.present(), self.heads[from].clone());
        let found = self.try_git(&["merge-base", "--all", "HEAD", from]);
        let bases = String::from_utf8(found.stdout).unwrap();
        let bases: Vec<&str> = bases.lines().collect();
        let base = if let [one] = bases[..] {
            one.to_owned()
        } else {
            // What git makes of several bases without a conflict is beyond the model.
            let merged = self.try_git(&["merge-tree", "--write-tree", "HEAD", from]);
            if merged.status.success() {
                return None;
            }
            self.git(&[&["merge-base", "--octopus"], &bases[..]].concat())
        };
        let head = self.head();
        let theirs_head = self.git(&["rev-parse", from]);
        if base == theirs_head || ours.authority != theirs.authority {
            return None;
        }
        if base == head {
            self.git(&["merge", "--quiet", "--ff-only", from]);
            self.keep(theirs);
            return None;
        }
        let base = self.commits.get(&base)?.clone();
        Some(Sides { base, ours, theirs })
    }

    pub(super) fn merge(&mut self, from: &str) {
        let Some(sides) = self.sides(from) else {
            return;
        };
        let merged = self.try_git(&["merge", "--quiet", "--no-edit", from]);
        let state = if merged.status.success() {
            self.clean(&sides)
        } else {
            let state = self.end_conflict(&sides);
            self.commit("merged");
            state
        };
        self.arrive(state);
    }

    /// The merge button of a host: git merges there without a working tree, or not at all.
    fn press_the_button(&mut self, from: &str) {
        let Some(sides) = self.sides(from) else {
            return;
        };
        let into = self.branch.clone();
        let merged = self.try_git(&["merge-tree", "--write-tree", &into, from]);
        if !merged.status.success() {
            return;
        }
        let tree = String::from_utf8(merged.stdout).unwrap().trim().to_owned();
        let id = self.git(&[
            "commit-tree",
            &tree,
            "-p",
            &into,
            "-p",
            from,
            "-m",
            "button",
        ]);
        self.git(&["reset", "--quiet", "--hard", &id]);
        let state = self.clean(&sides);
        self.arrive(state);
    }

    fn squash(&mut self, from: &str) {
        let Some(sides) = self.sides(from) else {
            return;
        };
        let merged = self.try_git(&["merge", "--quiet", "--squash", from]);
        let state = if merged.status.success() {
            self.clean(&sides)
        } else {
            self.end_conflict(&sides)
        };
        self.commit("squashed");
        self.arrive(state);
    }

    /// Picks one commit of another branch, if everything that it builds on is here.
    fn pick(&mut self, from: &str) {
        let listed = self.git(&[
            "rev-list",
            "--no-merges",
            "--max-count=4",
            &format!("HEAD..{from}"),
        ]);
        let commits: Vec<String> = listed.lines().map(str::to_owned).collect();
        let Some((commit, sides)) = self
            .random
            .one(&commits)
            .and_then(|id| self.applied(&id, false))
        else {
            return;
        };
        let is_built_on = sides.base.tags.is_subset(&sides.ours.tags)
            && sides.base.places.iter().all(|(env, place)| {
                sides
                    .ours
                    .places
                    .get(env)
                    .is_some_and(|own| !own.made.is_disjoint(&place.made))
            });
        if is_built_on {
            self.apply_commit("cherry-pick", &commit, &sides);
        }
    }

    /// Takes back one of the last commits, if it revoked nothing.
    fn revert(&mut self) {
        let listed = self.git(&[
            "rev-list",
            "--no-merges",
            "--first-parent",
            "--max-count=3",
            "HEAD",
        ]);
        let commits: Vec<String> = listed.lines().map(str::to_owned).collect();
        let Some((commit, sides)) = self
            .random
            .one(&commits)
            .and_then(|id| self.applied(&id, true))
        else {
            return;
        };
        if sides.base.root == sides.theirs.root {
            self.apply_commit("revert", &commit, &sides);
        }
    }

    /// The sides of a commit that is applied to the present branch, or taken back.
    fn applied(&mut self, commit: &str, is_reverted: bool) -> Option<(String, Sides)> {
        let parent = self.try_git(&["rev-parse", "--verify", "--quiet", &format!("{commit}^")]);
        let parent = String::from_utf8(parent.stdout).unwrap();
        let old = self.commits.get(parent.trim())?.clone();
        let (new, ours) = (self.commits.get(commit)?.clone(), self.present());
        if old.authority != ours.authority || new.authority != ours.authority {
            return None;
        }
        let (base, theirs) = if is_reverted { (new, old) } else { (old, new) };
        Some((commit.to_owned(), Sides { base, ours, theirs }))
    }

    fn apply_commit(&mut self, command: &str, commit: &str, sides: &Sides) {
        let mut words = vec![command, commit];
        words.extend((command == "revert").then_some("--no-edit"));
        let applied = self.try_git(&words);
        let state = if applied.status.success() {
            self.clean(sides)
        } else if self.is_unmerged() {
            let state = self.end_conflict(sides);
            self.go_on(command);
            state
        } else {
            // It changes nothing here. Git may have ended it already.
            self.try_git(&[command, "--skip"]);
            self.git(&["diff", "--quiet", "HEAD"]);
            return;
        };
        self.arrive(state);
    }

    /// Puts the present branch's commits on top of another one.
    fn rebase(&mut self, onto: &str) {
        let range = format!("{onto}..HEAD");
        if !self.git(&["rev-list", "--merges", &range]).is_empty() {
            return;
        }
        let options = ["rev-list", "--reverse", "--cherry-pick", "--right-only"];
        let listed = self.git(&[&options[..], &[&format!("{onto}...HEAD")]].concat());
        let mut sides = Vec::new();
        for commit in listed.lines() {
            let Some(applied) = self.applied(commit, false) else {
                return;
            };
            sides.push(applied);
        }
        if sides.is_empty() || self.sides(onto).is_none() {
            return;
        }
        let mut state = self.heads[onto].clone();
        let mut output = self.try_git(&["rebase", "--quiet", onto]);
        for (commit, own) in sides {
            let own = Sides { ours: state, ..own };
            let stopped = self.try_git(&["rev-parse", "--verify", "--quiet", "REBASE_HEAD"]);
            let stopped = String::from_utf8(stopped.stdout).unwrap();
            let is_here = !output.status.success() && stopped.trim() == commit;
            state = if is_here {
                let state = self.end_conflict(&own);
                self.git(&["add", "--all"]);
                output = self.try_git(&["rebase", "--continue"]);
                state
            } else {
                self.clean(&own)
            };
        }
        if !output.status.success() {
            self.fail(&format!("the rebase goes on: {output:?}"));
        }
        self.arrive(state);
    }

    fn is_unmerged(&mut self) -> bool {
        !self.git(&["ls-files", "--unmerged"]).is_empty()
    }

    /// Commits a resolved pick or revert, unless nothing is left of it.
    fn go_on(&mut self, command: &str) {
        self.git(&["add", "--all"]);
        let is_empty = self
            .try_git(&["diff", "--cached", "--quiet"])
            .status
            .success();
        let option = if is_empty { "--skip" } else { "--continue" };
        self.git(&[command, option]);
    }

    fn clean(&mut self, sides: &Sides) -> State {
        self.unite(&sides.base, &sides.ours, &sides.theirs, Ending::Clean)
    }

    /// Ends the conflict in the working tree.
    fn end_conflict(&mut self, sides: &Sides) -> State {
        let mut state = self.resolve(&sides.base, &sides.ours, &sides.theirs);
        self.observe(&mut state, true);
        state
    }

    /// Looks at a merge that is committed.
    fn arrive(&mut self, mut state: State) {
        self.observe(&mut state, true);
        self.keep(state);
        self.settle(false);
    }
}
