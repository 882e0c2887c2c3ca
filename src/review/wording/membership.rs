//! Changes of members, their access, and their keys.

use serde_json::{Value, json};

use crate::crypto::{PublicKey, Recipient, base64_encode};
use crate::review::check::below;
use crate::review::compare::{AccessChange, Cause, CredentialChange, Key, Lineage, MemberChange};
use crate::review::report::{Item, Level};
use crate::vault::format::{ROOT_PATH, member_path};
use crate::vault::model::Access;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

pub(in crate::review) fn member(name: &MemberName, change: &MemberChange) -> Item {
    use Level::{Attention, Change, Finding};
    let item = |level, kind| item(name, level, kind);
    match change {
        MemberChange::Access(environment, change) => access(name, environment, change),
        MemberChange::Added { recipient, signer } => added(name, recipient, signer.as_ref()),
        MemberChange::Removed => item(Change, "member-removed")
            .text("member removed: ")
            .quote(name),
        MemberChange::Missing => item(Finding, "member-vanished")
            .text("missing: ")
            .quote(name)
            .text(" is gone without a revocation"),
        MemberChange::NameReused => item(Finding, "member-name-reused")
            .text("name reused: ")
            .quote(name)
            .text(" is the name of a former member"),
        MemberChange::AdminGranted => item(Attention, "admin-granted")
            .text("admin granted: ")
            .quote(name)
            .text(" can now change membership"),
        MemberChange::AdminTaken(Lineage::NewAuthority) => item(Change, "admin-revoked")
            .text("admin taken: ")
            .quote(name),
        MemberChange::AdminTaken(Lineage::SameAuthority) => item(Finding, "authority-exposed")
            .text("admin taken: ")
            .quote(name)
            .text(" knows the authority's key, which was not replaced"),
        MemberChange::Recipient { from, to } => item(Attention, "recipient-changed")
            .detail("from", from.to_string())
            .detail("to", to.to_string())
            .text("recipient changed: ")
            .quote(name)
            .text(": ")
            .quote(from.shown())
            .text(" → ")
            .quote(to.shown()),
        MemberChange::Signer { from, to } => signer(name, from.as_ref(), to.as_ref()),
        MemberChange::Reencrypted(key) => reencrypted(name, *key),
        MemberChange::Credential(change) => credential(name, change),
        MemberChange::WentBack { from, to } => item(Finding, "member-went-back")
            .detail("from", *from)
            .detail("to", *to)
            .text("rolled back: the file of ")
            .quote(name)
            .text(format!(" has revision {to}, and had {from} before")),
        MemberChange::Replaced { revision } => item(Finding, "member-replaced")
            .detail("from", *revision)
            .detail("to", *revision)
            .text("replaced: the file of ")
            .quote(name)
            .text(format!(
                " has different content with the same revision {revision}"
            )),
        MemberChange::NotRotated { environment, epoch } => not_rotated(name, environment, *epoch),
        MemberChange::NotRevoked => item(Finding, "not-revoked")
            .text("taken, not revoked: ")
            .quote(name)
            .text(" lost something, and the files from before still count"),
        MemberChange::NotRecorded { environment } => not_recorded(name, environment),
        MemberChange::NotRetired => item(Finding, "not-retired")
            .text("not retired: the root does not list the former keys of ")
            .quote(name)
            .text(", so they could come back"),
        MemberChange::Revoked => item(Change, "member-revoked")
            .text("revoked: the files of ")
            .quote(name)
            .text(" from before no longer count"),
    }
}

fn item(name: &MemberName, level: Level, kind: &'static str) -> Item {
    Item::new(level, kind, below(&member_path(name))).detail("member", name.as_str())
}

fn added(name: &MemberName, recipient: &Recipient, signer: Option<&PublicKey>) -> Item {
    item(name, Level::Attention, "member-added")
        .detail("recipient", recipient.to_string())
        .detail("signer", public(signer))
        .text("member added: ")
        .quote(name)
        .text(" with recipient ")
        .quote(recipient.shown())
}

fn signer(name: &MemberName, from: Option<&PublicKey>, to: Option<&PublicKey>) -> Item {
    let text = |key: Option<&PublicKey>| match key {
        Some(key) => base64_encode(key.as_bytes()),
        None => "none".to_owned(),
    };
    item(name, Level::Attention, "signer-changed")
        .detail("from", public(from))
        .detail("to", public(to))
        .text("signer changed: ")
        .quote(name)
        .text(": ")
        .quote(text(from))
        .text(" → ")
        .quote(text(to))
}

fn reencrypted(name: &MemberName, key: Key) -> Item {
    let (kind, what) = match key {
        Key::Signing => ("signing-key-resealed", "signing key"),
        Key::Authority => ("authority-resealed", "authority"),
    };
    item(name, Level::Attention, kind)
        .text("sealed again: the ")
        .text(what)
        .text(" of ")
        .quote(name)
        .text(", although it is the same key")
}

fn credential(name: &MemberName, change: &CredentialChange) -> Item {
    let item = |level, kind| item(name, level, kind);
    match change {
        CredentialChange::Replaced { from, to } => item(Level::Change, "credential-replaced")
            .detail("from", from.map(|tag| tag.to_string()))
            .detail("to", to.to_string())
            .text("credential replaced: ")
            .quote(name),
        CredentialChange::Outdated => item(Level::Attention, "credential-outdated")
            .text("older than the latest revocation: the credential of ")
            .quote(name)
            .text(" accepts the files from before it; replace it, or set ")
            .quote("VAULT_ID")
            .text(" with the latest tag"),
        CredentialChange::Newer => item(Level::Attention, "credential-newer")
            .text("newer than this root: the credential of ")
            .quote(name)
            .text(" was made on a branch that is not merged here"),
    }
}

fn not_rotated(name: &MemberName, environment: &EnvironmentName, epoch: u64) -> Item {
    let file = below(ROOT_PATH);
    Item::new(Level::Finding, "not-rotated", file.clone())
        .detail("member", name.as_str())
        .detail("epoch", epoch)
        .detail("environment", environment.as_str())
        .text("not rotated: ")
        .quote(file)
        .text(": ")
        .quote(name)
        .text(" lost access to ")
        .quote(environment)
        .text(format!(
            ", but knows the data key of epoch {epoch}, which is still in use"
        ))
}

fn not_recorded(name: &MemberName, environment: &EnvironmentName) -> Item {
    let file = below(ROOT_PATH);
    Item::new(Level::Finding, "not-recorded", file.clone())
        .detail("member", name.as_str())
        .detail("environment", environment.as_str())
        .text("not recorded: ")
        .quote(file)
        .text(" does not say that ")
        .quote(name)
        .text(" could read ")
        .quote(environment)
}

fn access(name: &MemberName, environment: &EnvironmentName, change: &AccessChange) -> Item {
    let (level, kind, words) = match (change.grants(), change.takes()) {
        (true, false) => (Level::Attention, "access-granted", "access granted: "),
        (false, true) => (Level::Change, "access-revoked", "access taken: "),
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
    Item::new(level, kind, below(&member_path(name)))
        .detail("member", name.as_str())
        .detail("environment", environment.as_str())
        .detail("by", cause)
        .detail("from", typed(from))
        .detail("to", typed(to))
        .text(words)
        .quote(name)
        .text(" in ")
        .quote(environment)
        .text(": ")
        .quote(spelled(from))
        .text(" → ")
        .quote(spelled(to))
        .text(format!(" ({by})"))
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
