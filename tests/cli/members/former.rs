//! A former member with the old keys and an old clone: they open the old values and no new ones.

use std::collections::BTreeMap;
use std::fs;

use repovault::crypto::{DataKey, open};
use repovault::secret::Key;
use repovault::vault::format::sealing_context;
use repovault::vault::holder::Holder;
use repovault::vault::model::{Access, Epoch};
use repovault::vault::name::{EnvironmentName, SecretName};
use snapbox::str;

use crate::support::craft::{self, Person};
use crate::support::refusal::stocked;
use crate::support::sandbox::Sandbox;

const URL: &str = "production/DATABASE_URL.toml";

/// Bob wrote in production and has left, and took the old keys along.
struct Former {
    sandbox: Sandbox,
    bob: Person,
    data_key: DataKey,
    epoch: Epoch,
    /// The entry as it was before bob left.
    old: Vec<u8>,
}

fn former() -> Former {
    let sandbox = stocked();
    let bob = craft::enroll(&sandbox, "bob", &[("production", Access::Write)]);
    sandbox.set("production", "DATABASE_URL", b"postgres://as bob saw it");
    sandbox.commit("bob is a member");
    let vault = craft::vault(&sandbox);
    let production = vault.environment(&"production".parse().unwrap()).unwrap();
    let (name, member) = ("bob".parse().unwrap(), craft::member(&sandbox, "bob"));
    let holder = Holder::new(&vault, &name, &member, &bob.identity);
    let epoch = *production.newest();
    let keys = holder.unlock(production, [epoch.commitment]).unwrap();
    let bytes = Key::from_slice(keys.data_key(&epoch).unwrap().expose()).unwrap();
    let data_key = DataKey::new(bytes, &vault.root().vault, "production");
    let old = fs::read(sandbox.store(URL)).unwrap();
    sandbox.quick(&["members", "remove", "bob"]);
    sandbox.set("production", "DATABASE_URL", b"postgres://after bob");
    sandbox.commit("bob has left");
    Former {
        sandbox,
        bob,
        data_key,
        epoch,
        old,
    }
}

fn place() -> (EnvironmentName, SecretName) {
    (
        "production".parse().unwrap(),
        "DATABASE_URL".parse().unwrap(),
    )
}

#[test]
fn former_member_cannot_open_later_values() {
    let former = former();
    let (environment, name) = place();
    let vault = craft::vault(&former.sandbox);
    let members = vault.membership().unwrap().members.into_values();
    let sealed: Vec<Vec<u8>> = members
        .flat_map(|member| member.sealed.into_values())
        .flat_map(BTreeMap::into_values)
        .collect();
    assert!(sealed.len() >= 2, "{}", sealed.len());
    for sealed in sealed {
        assert!(former.bob.identity.unseal(&sealed).is_err());
    }
    let checked = vault.environment(&environment).unwrap();
    let entry = vault.entry(checked, &name).unwrap().unwrap();
    let entry = entry.content();
    let key = former.data_key.entry_key(name.as_str());
    for commitment in [former.epoch.commitment, checked.newest().commitment] {
        let place = sealing_context(&vault.root().vault, &environment, &name, &commitment, entry);
        assert!(open(&key, &place, entry.sealed.as_ref().unwrap()).is_none());
    }
}

#[test]
fn old_entry_of_a_current_member_opens_and_is_reported() {
    let former = former();
    fs::write(former.sandbox.store(URL), &former.old).unwrap();
    let warning = str![
        "warning: production has entries of an older epoch: DATABASE_URL; to re-encrypt them: `vault rotate --finish`"
    ];
    former
        .sandbox
        .vault(&["get", "DATABASE_URL", "-e", "production"])
        .says(&warning)
        .prints("postgres://as bob saw it")
        .check();
    let outcome = former
        .sandbox
        .vault(&["verify", "--since", "HEAD"])
        .outcome();
    assert_eq!(outcome.status, 1);
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(
        output.contains("rolled back: .vault/production/DATABASE_URL.toml"),
        "{output}"
    );
    // Status names the value, too, because bob knows it.
    let known = "bob could read DATABASE_URL in production, and the value has not changed\n";
    let outcome = former.sandbox.vault(&["status"]).outcome();
    let output = String::from_utf8(outcome.output).unwrap();
    assert!(output.contains(known), "{output}");
}
