//! What an admin does after a merge: lets members read who cannot yet, re-encrypts entries of older
//! epochs, and takes over entries whose signers left.

use super::model::State;
use super::world::World;

impl World {
    /// Checks a merged state that is committed, and usually finishes what it left. `all` always does.
    pub(super) fn settle(&mut self, all: bool) {
        let state = self.present();
        self.check_verify(&state);
        self.check_someone(&state);
        let is_broken = !state.orphans.is_empty() || !state.strays.is_empty();
        let is_unfinished = !state.late.is_empty() || !state.stale.is_empty() || is_broken;
        let is_wanted = all || is_broken || !self.random.once_in(3);
        let Some(by) = self.random.one(&state.full_admins()) else {
            return;
        };
        if !is_unfinished || !is_wanted {
            return;
        }
        let mut after = state.clone();
        for env in state.places.keys() {
            let own = state.orphans.iter().filter(|(place, _)| place == env);
            let names: Vec<String> = own.map(|(_, name)| format!("--adopt {name}")).collect();
            if !names.is_empty() {
                let line = format!("rotate --finish -e {env} {} --yes -q", names.join(" "));
                self.type_line(&state, &by, &line);
            }
        }
        for env in &state.strays {
            self.git(&["rm", "--quiet", "-r", &format!(".vault/{env}")]);
        }
        if !state.late.is_empty() {
            self.type_line(&state, &by, "members sync --yes -q");
        }
        after.late.clear();
        if !state.stale.is_empty() || !state.orphans.is_empty() {
            self.type_line(&state, &by, "rotate --finish -q");
        }
        self.commit("finished");
        self.observe(&mut after, false);
        let is_left = !after.stale.is_empty() || !after.orphans.is_empty();
        if is_left {
            self.fail(&format!(
                "not finished: {:?} {:?}",
                after.stale, after.orphans
            ));
        }
        self.check_verify(&after);
        self.keep(after);
    }

    pub(super) fn type_line(&mut self, state: &State, by: &str, line: &str) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        self.run_well(state, by, &words, "");
    }
}
