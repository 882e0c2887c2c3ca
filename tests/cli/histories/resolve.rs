//! The end of a conflict with `vault resolve`, by someone who follows its hints.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::model::State;
use super::union::{Ending, Side, Union};
use super::world::World;
use crate::support::sandbox::Outcome;

/// What a person typed after `vault resolve`, hint after hint.
#[derive(Default)]
struct Answers {
    confirmed: BTreeSet<String>,
    adopted: BTreeSet<String>,
    take: BTreeMap<String, Side>,
    has_side: bool,
    has_yes: bool,
}

impl Answers {
    fn words(&self, side: Side) -> Vec<String> {
        let mut words = vec!["resolve".to_owned()];
        words.extend(self.confirmed.iter().cloned());
        words.extend(self.has_side.then(|| side.option()));
        words.extend(self.has_yes.then(|| "--yes".to_owned()));
        for name in &self.adopted {
            words.extend(["--adopt".to_owned(), name.clone()]);
        }
        for (name, side) in &self.take {
            words.extend(["--take".to_owned(), format!("{name}={}", side.word())]);
        }
        words
    }
}

/// The words in backticks after `start`.
fn hint<'a>(said: &'a str, start: &str) -> Option<Vec<&'a str>> {
    let (_, rest) = said.split_once(&format!("`{start}"))?;
    let (command, _) = rest.split_once('`')?;
    Some(command.split_whitespace().collect())
}

impl World {
    /// Ends the conflict of `ours` and `theirs` in the working tree. Returns the state of it.
    pub(super) fn resolve(&mut self, base: &State, ours: &State, theirs: &State) -> State {
        let side = self.random.one(&[Side::Ours, Side::Theirs]).unwrap();
        let mut answers = Answers::default();
        let mut callers = self.callers(ours, theirs);
        for _ in 0..15 {
            let by = callers.last().unwrap().clone();
            let home = if ours.members.contains_key(&by) {
                ours
            } else {
                theirs
            };
            let outcome = self.run(home, &by, &answers.words(side), "");
            match outcome.status {
                0 => {
                    let take = answers.take;
                    let ending = Ending::Resolved {
                        by: &by,
                        side,
                        take: &take,
                    };
                    return self.unite(base, ours, theirs, ending);
                }
                // Someone with other keys on the other side suspects an attack, rightly.
                status
                    if callers.len() > 1 && (status == 3 || outcome.said.contains("asked for")) =>
                {
                    // Someone else may be asked about other things.
                    callers.pop();
                    answers = Answers::default();
                }
                _ => self.answer(&mut answers, side, &outcome),
            }
        }
        self.fail("resolve does not end");
    }

    /// Who may try, the last one first: someone at random, then admins of both sides.
    fn callers(&mut self, ours: &State, theirs: &State) -> Vec<String> {
        let (here, there) = (ours.full_admins(), theirs.full_admins());
        let mut callers: Vec<String> = here
            .into_iter()
            .filter(|name| there.contains(name))
            .collect();
        if callers.is_empty() {
            self.fail("no admin of both sides is left");
        }
        if self.random.once_in(4) {
            let anyone = ours.names_of(|member| self.people[member.key].credential.is_none());
            callers.extend(self.random.one(&anyone));
        }
        callers
    }

    /// Adds what the hints of a refusal ask for.
    fn answer(&mut self, answers: &mut Answers, side: Side, outcome: &Outcome) {
        let said = &outcome.said;
        let before = answers.words(side);
        if let Some(words) = hint(said, "vault resolve --take ") {
            let (name, word) = words[0].split_once('=').unwrap();
            let mut side = self.random.one(&[Side::Ours, Side::Theirs]).unwrap();
            if said.contains("to keep ") {
                side = if word == "ours" {
                    Side::Ours
                } else {
                    Side::Theirs
                };
            }
            if said.contains("to keep ") && self.random.once_in(2) {
                answers.confirmed.insert(name.to_owned());
                answers.has_yes = true;
            } else {
                answers.take.insert(name.to_owned(), side);
            }
        } else if let Some(words) = hint(said, "vault resolve --adopt ") {
            answers.adopted.insert(words[0].to_owned());
        } else if let Some(words) = hint(said, "vault resolve ") {
            answers.confirmed.insert(words[0].to_owned());
            if words[1] == "--yes" {
                answers.has_yes = true;
            } else {
                answers.has_side = true;
            }
        } else if said.contains("pass `--yes`") {
            answers.has_yes = true;
        }
        if answers.words(side) == before {
            self.fail(&format!("resolve shows no way on: {said}"));
        }
    }

    /// The model's merge.
    pub(super) fn unite(
        &mut self,
        base: &State,
        ours: &State,
        theirs: &State,
        ending: Ending<'_>,
    ) -> State {
        let mut number = self.number();
        let mut next = || {
            number += 1;
            number
        };
        let mut union = Union {
            base,
            ours,
            theirs,
            ending,
            next: &mut next,
        };
        let united = catch_unwind(AssertUnwindSafe(|| union.state()));
        self.skip_to(number);
        united.unwrap_or_else(|_| self.fail("git merges more than the model"))
    }
}
