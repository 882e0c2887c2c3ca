//! A former member with the old keys and an old clone, who can still write to the repository.

use std::fs;

use repovault::crypto::{DataKey, SigningKey, base64_decode, open, seal};
use repovault::secret::{Key, Secret};
use repovault::vault::format::{read_entry, sealed_place, write_entry};
use repovault::vault::model::{Access, Entry, Epoch};
use repovault::vault::name::{EnvironmentName, SecretName};
use repovault::vault::unlock::Holder;

use crate::craft::{self, Person};
use crate::refusal::{Command, ENTRY, KEYED, refused, stocked};
use crate::sandbox::Sandbox;

const URL: &str = "production/DATABASE_URL.toml";
const FINISH: &[Command] = &[&["rotate", "--finish"], &["rotate", "-e", "production"]];

/// Bob wrote in production and has left; this is what he took along.
struct Former {
    sandbox: Sandbox,
    bob: Person,
    data_key: DataKey,
    epoch: Epoch,
    /// `.vault` from when he was a member.
    old: Vec<(String, Vec<u8>)>,
}

fn former() -> Former {
    let sandbox = stocked();
    let bob = craft::enrol(&sandbox, "bob", &[("production", Access::Write)]);
    sandbox.set("production", "DATABASE_URL", b"postgres://as bob saw it");
    sandbox.commit("bob is a member");
    let vault = craft::vault(&sandbox);
    let production = vault.environment(&"production".parse().unwrap()).unwrap();
    let holder = Holder::find(&vault, &bob.identity).unwrap();
    let keys = holder.unlock(&production, [1]).unwrap();
    let bytes = Key::from_slice(keys.data_key(1).unwrap().expose()).unwrap();
    let data_key = DataKey::new(bytes, &vault.roster().vault, "production");
    let epoch = production.content().newest().clone();
    let file = |path: &str| (path.to_owned(), fs::read(sandbox.store(path)).unwrap());
    let old = ["members.toml", "production.toml", URL].map(file).to_vec();
    sandbox.quick(&["members", "remove", "bob"]);
    sandbox.set("production", "DATABASE_URL", b"postgres://after bob");
    sandbox.commit("bob has left");
    Former { sandbox, bob, data_key, epoch, old }
}

impl Former {
    fn put(&self, path: &str) {
        let (_, file) = self.old.iter().find(|(known, _)| known == path).unwrap();
        fs::write(self.sandbox.store(path), file).unwrap();
    }

    /// An entry as bob would write it: sealed under the data key that he has.
    fn forge(&self, signer: &str, key: &SigningKey) {
        let (environment, name) = place();
        let vault = craft::vault(&self.sandbox).roster().vault;
        let file = fs::read(self.sandbox.store(URL)).unwrap();
        let mut entry: Entry = read_entry(&environment, &name, &file).unwrap().content;
        (entry.epoch, entry.origin, entry.signer) = (1, 1, signer.parse().unwrap());
        entry.revision += 1;
        let commitment = &self.epoch.commitment;
        let sealed = sealed_place(&vault, &environment, &name, commitment, &entry);
        let value = Secret::new(b"postgres://of bob".to_vec());
        entry.sealed = Some(seal(&self.data_key.entry_key(name.as_str()), &sealed, &value));
        let file = write_entry(&vault, &environment, &name, commitment, &entry, key);
        fs::write(self.sandbox.store(URL), file).unwrap();
    }
}

fn place() -> (EnvironmentName, SecretName) {
    ("production".parse().unwrap(), "DATABASE_URL".parse().unwrap())
}

#[test]
fn nothing_that_was_set_after_he_left_opens_with_what_he_took_along() {
    let former = former();
    let text = fs::read_to_string(former.sandbox.store("production.toml")).unwrap();
    let sealed = text.lines().filter_map(|line| line.strip_prefix("sealed.")?.split_once(" = "));
    let sealed: Vec<&str> = sealed.map(|(_, sealed)| sealed.trim_matches('"')).collect();
    assert!(sealed.len() >= 2, "{text}");
    for sealed in sealed {
        let sealed = base64_decode(sealed).unwrap();
        assert!(former.bob.identity.unseal(&sealed).is_err());
    }
    let (environment, name) = place();
    let vault = craft::vault(&former.sandbox);
    let checked = vault.environment(&environment).unwrap();
    let entry = vault.entry(&checked, &name).unwrap().unwrap();
    let entry = entry.content();
    let key = former.data_key.entry_key(name.as_str());
    for commitment in [former.epoch.commitment, checked.content().newest().commitment] {
        let place = sealed_place(&vault.roster().vault, &environment, &name, &commitment, entry);
        assert!(open(&key, &place, entry.sealed.as_ref().unwrap()).is_none());
    }
}

#[test]
fn what_he_signs_is_refused_and_not_sealed_anew() {
    let former = former();
    former.forge("bob", &former.bob.key);
    let said = "error: .vault/production/DATABASE_URL.toml: is signed by bob, who is no longer a member
hint: put back one that a writer signed: git log -p -- .vault/production/DATABASE_URL.toml
hint: or take it over, after a look at who signed it: vault rotate --finish -e production --adopt DATABASE_URL
";
    let shorter: Vec<&str> = said.lines().take(2).collect();
    let shorter = shorter.join("\n") + "\n";
    refused(&former.sandbox, &[&["get", "DATABASE_URL", "-e", "production"]], &shorter);
    refused(&former.sandbox, FINISH, said);
    former.forge("alice", &former.bob.key);
    let said = "error: .vault/production/DATABASE_URL.toml: is not as alice signed it
hint: put back the committed file: git checkout -- .vault/production/DATABASE_URL.toml
";
    refused(&former.sandbox, &ENTRY[..4], said);
    refused(&former.sandbox, FINISH, said);
    let adopt: &[Command] = &[&["rotate", "--finish", "--adopt", "DATABASE_URL", "--yes"]];
    refused(&former.sandbox, adopt, said);
}

#[test]
fn his_old_files_are_refused_alone_and_together() {
    let former = former();
    former.put("production.toml");
    let older = "error: .vault/production.toml: is older than the roster says
hint: put back the committed file: git checkout -- .vault/production.toml
";
    refused(&former.sandbox, &ENTRY[..2], older);
    refused(&former.sandbox, FINISH, older);
    former.put("members.toml");
    former.put(URL);
    let floor = "error: .vault/members.toml: is older than the last loss of access: its floor is 1, known is [..]
hint: take the current one: git pull, or merge the main branch
";
    refused(&former.sandbox, KEYED, floor);
    refused(&former.sandbox, FINISH, floor);
}

#[test]
fn an_old_entry_by_a_member_who_stays_opens_and_is_found() {
    let former = former();
    former.put(URL);
    let warning =
        "warning: production has entries of an older epoch: DATABASE_URL; vault rotate --finish\n";
    former
        .sandbox
        .vault(&["get", "DATABASE_URL", "-e", "production"])
        .says(warning)
        .prints("postgres://as bob saw it")
        .check();
    let outcome = former.sandbox.vault(&["verify", "--since", "HEAD"]).outcome();
    assert_eq!(outcome.status, 1);
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(output.contains("brought back: .vault/production/DATABASE_URL.toml"), "{output}");
    // Bob knows it, and that is told too.
    let known = "bob may know DATABASE_URL in production: not changed since\n";
    let outcome = former.sandbox.vault(&["status"]).outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(output.contains(known), "{output}");
}
