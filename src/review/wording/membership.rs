//! Members, their access and their keys.

use serde_json::{Value, json};

use crate::crypto::{PublicKey, base64_encode};
use crate::review::check::below;
use crate::review::compare::{AccessChange, Cause, Key, Lineage, MemberChange};
use crate::review::report::{Item, Level};
use crate::vault::format::{ROSTER_PATH, environment_path};
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

pub(in crate::review) fn member(name: &MemberName, change: &MemberChange) -> Item {
    use Level::{Attention, Change, Finding};
    let item = |level, kind| item(name, level, kind);
    match change {
        MemberChange::Access(environment, change) => access(name, environment, change),
        MemberChange::Added { recipient, signer } => {
            let item = item(Attention, "member-added").detail("recipient", recipient.to_string());
            let item = item.detail("signer", public(signer.as_ref()));
            item.say("member added: ").quote(name).say(" with recipient ").quote(recipient)
        }
        MemberChange::Removed => item(Change, "member-removed").say("member removed: ").quote(name),
        MemberChange::Vanished => {
            let item = item(Finding, "member-vanished").say("vanished: ").quote(name);
            item.say(" is listed neither as a member nor as a former one")
        }
        MemberChange::NameUsedAgain => {
            let item = item(Finding, "name-used-again").say("used again: ").quote(name);
            item.say(" is the name of a former member")
        }
        MemberChange::AdminGranted => {
            let item = item(Attention, "admin-granted").say("admin granted: ").quote(name);
            item.say(" changes membership from now on")
        }
        MemberChange::AdminTaken(Lineage::NewAuthority) => {
            item(Change, "admin-taken").say("admin taken: ").quote(name)
        }
        MemberChange::AdminTaken(Lineage::SameAuthority) => {
            let item = item(Finding, "authority-known").say("admin taken: ").quote(name);
            item.say(" knows the authority's key, which is still the same")
        }
        MemberChange::Recipient { from, to } => {
            let item = item(Attention, "recipient-changed").detail("from", from.to_string());
            let item = item.detail("to", to.to_string()).say("recipient changed: ").quote(name);
            item.say(": ").quote(from).say(" → ").quote(to)
        }
        MemberChange::Signer { from, to } => signer(name, from.as_ref(), to.as_ref()),
        MemberChange::SealedAnew(key) => sealed_anew(name, *key),
        MemberChange::CredentialFloor { from, to } => {
            let item = item(Change, "credential-floor").detail("from", *from).detail("to", *to);
            let from = from.map_or("none".to_owned(), |from| from.to_string());
            let item = item.say("credential made anew: ").quote(name);
            item.say(format!(" (floor {from} → {to})"))
        }
        MemberChange::BelowFloor { credential, floor } => below_floor(name, *credential, *floor),
        MemberChange::NotRotated { environment, epoch } => not_rotated(name, environment, *epoch),
        MemberChange::FloorNotRaised { floor } => {
            let item = item(Finding, "floor-not-raised").detail("floor", *floor);
            let item = item.say("floor not raised: ").quote(name).say(" lost something, and ");
            item.say(format!("rosters from before still count: the floor is {floor}"))
        }
    }
}

fn item(name: &MemberName, level: Level, kind: &'static str) -> Item {
    Item::new(level, kind, below(ROSTER_PATH)).detail("member", name.as_str())
}

fn signer(name: &MemberName, from: Option<&PublicKey>, to: Option<&PublicKey>) -> Item {
    let text = |key: Option<&PublicKey>| match key {
        Some(key) => base64_encode(key.as_bytes()),
        None => "none".to_owned(),
    };
    let item = item(name, Level::Attention, "signer-changed").detail("from", public(from));
    let item = item.detail("to", public(to)).say("signer changed: ").quote(name).say(": ");
    item.quote(text(from)).say(" → ").quote(text(to))
}

fn sealed_anew(name: &MemberName, key: Key) -> Item {
    let (kind, what) = match key {
        Key::Signing => ("signing-key-sealed-anew", "signing key"),
        Key::Authority => ("authority-sealed-anew", "authority"),
    };
    let item = item(name, Level::Attention, kind).say("sealed anew: the ").say(what);
    item.say(" of ").quote(name).say(", though it is the same key")
}

fn below_floor(name: &MemberName, credential: u64, floor: u64) -> Item {
    let item = item(name, Level::Attention, "credential-below-floor");
    let item = item.detail("from", credential).detail("to", floor);
    let item = item.say("below the floor: the credential of ").quote(name);
    let item = item.say(format!(" accepts rosters of floor {credential}, and it is {floor} now"));
    item.say("; make it anew, or set ").quote("VAULT_ID").say(" with the floor beside it")
}

fn not_rotated(name: &MemberName, environment: &EnvironmentName, epoch: u64) -> Item {
    let file = below(&environment_path(environment));
    let item = Item::new(Level::Finding, "not-rotated", file.clone());
    let item = item.detail("member", name.as_str()).detail("epoch", epoch);
    let item = item.detail("environment", environment.as_str()).say("not rotated: ");
    let item = item.quote(file).say(": ").quote(name).say(" lost access, and knows the data key ");
    item.say(format!("of epoch {epoch}, which is still in use"))
}

fn access(name: &MemberName, environment: &EnvironmentName, change: &AccessChange) -> Item {
    let (level, kind, words) = match (change.grants(), change.takes()) {
        (true, false) => (Level::Attention, "access-granted", "access granted: "),
        (false, true) => (Level::Change, "access-taken", "access taken: "),
        (_, _) => (Level::Attention, "access-changed", "access changed: "),
    };
    let (cause, by) = match change.cause {
        Cause::MemberAdded => ("member-added", "member added"),
        Cause::MemberRemoved => ("member-removed", "member removed"),
        Cause::EnvironmentAdded => ("environment-added", "environment added"),
        Cause::EnvironmentRemoved => ("environment-removed", "environment removed"),
        Cause::AccessChanged => ("access-changed", "access changed"),
    };
    let (from, to) = (change.from.as_ref(), change.to.as_ref());
    let item = Item::new(level, kind, below(ROSTER_PATH)).detail("member", name.as_str());
    let item = item.detail("environment", environment.as_str()).detail("by", cause);
    let item = item.detail("from", typed(from)).detail("to", typed(to));
    let item = item.say(words).quote(name).say(" in ").quote(environment).say(": ");
    item.quote(spelled(from)).say(" → ").quote(spelled(to)).say(format!(" ({by})"))
}

fn typed(access: Option<&Access>) -> Value {
    match access {
        None => Value::Null,
        Some(Access::Write) => json!("write"),
        Some(Access::Read) => json!("read"),
        Some(Access::Names(names)) => names.iter().map(|name| json!(name.as_str())).collect(),
    }
}

fn spelled(access: Option<&Access>) -> String {
    match access {
        None => "none".to_owned(),
        Some(Access::Write) => "write".to_owned(),
        Some(Access::Read) => "read".to_owned(),
        Some(Access::Names(names)) if names.is_empty() => "read no names".to_owned(),
        Some(Access::Names(names)) => {
            let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
            format!("read {}", names.join(", "))
        }
    }
}

fn public(key: Option<&PublicKey>) -> Value {
    key.map_or(Value::Null, |key| json!(base64_encode(key.as_bytes())))
}
