//! Access to the vault: trust, membership, and whether a command would get its secrets.

use super::{Exec, Findings};
use crate::crypto::{Tag, VaultId};
use crate::fault::plural;
use crate::keys::Found;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::injection::rehearse;
use crate::session::new_vault::untrusted;
use crate::session::open::{FORKED, Session, UnconfirmedSession, folder, tree};
use crate::session::reach::{Above, Reach};
use crate::session::strength::strengths;
use crate::vault::model::{Access, Member};
use crate::vault::name::EnvironmentName;
use crate::vault::store::Place;
use crate::vault::trust::{Standing, State, UnverifiedRoot};

pub(super) fn look(context: &Context, mut key: CallerKey, findings: &mut Findings) -> Exec {
    let place = context.place(&mut key).ok();
    // It was read before, and a failure is already reported.
    let key = key.read(context.console).ok().flatten();
    let here = place.as_ref().map(folder);
    pins(context, key.as_ref(), findings);
    states(context, key.as_ref(), here.as_deref(), findings);
    if let Some(place) = &place {
        root(place, findings);
    }
    if let Some(key) = &key {
        reach(&Reach::look(context, key), context, findings);
    }
    let works = key
        .zip(place)
        .and_then(|(key, place)| open(context, place, key, findings));
    if works.is_none() {
        findings.note("exec", "would not start a command here");
    }
    works.map_or(Exec::Fails, |()| Exec::Works)
}

/// Reports the ways in which a command could get the key.
fn reach(reach: &Reach, context: &Context, findings: &mut Findings) {
    match (&reach.above, reach.notice(context)) {
        (Above::NotLookedAt, _) => {}
        (Above::NotKnown, _) => {
            findings.note(
                "key",
                "unknown whether a process above this one also has it",
            );
        }
        (Above::Holding(_), None) => {
            findings.fine("key", "no process above this one has it in its environment");
        }
        (Above::Holding(_), Some(notice)) => findings.note("key", notice),
    }
    if !reach.identity.is_empty() {
        let names: Vec<_> = reach
            .identity
            .iter()
            .map(|name| name.to_string_lossy())
            .collect();
        let text = format!(
            "exec withholds {}, which can fetch the key again",
            names.join(", ")
        );
        findings.note("key", text);
    }
}

/// Reports the pins of the credential and of `VAULT_ID`.
fn pins(context: &Context, key: Option<&Found>, findings: &mut Findings) {
    if let Some(credential) = key.and_then(|key| key.credential.as_ref()) {
        let pin = pin(&credential.vault, credential.tag);
        findings.note("trust", format!("the credential trusts {pin}"));
    }
    match findings.take("trust", context.pin()) {
        Some(Some(pin)) => {
            let text = format!("VAULT_ID trusts {}", self::pin(&pin.vault, pin.tag));
            findings.note("trust", text);
        }
        Some(None) => findings.note("trust", "VAULT_ID is not set"),
        None => {}
    }
}

/// Reports what was seen before on this machine with this key or, without a key, with any.
fn states(context: &Context, key: Option<&Found>, here: Option<&str>, findings: &mut Findings) {
    let Some(folder) = context.state_folder() else {
        return findings.note("trust", "HOME is not set, so nothing is remembered");
    };
    let states = match key {
        Some(key) if key.credential.is_some() => {
            return findings.note("trust", "a credential needs no state on this machine");
        }
        Some(key) => State::load(&folder, &key.identity.recipient()).map(|state| vec![state]),
        None => State::load_all(&folder),
    };
    for state in findings.take("trust", states).unwrap_or_default() {
        let file = state.path();
        let path = file.display();
        if state.all().next().is_none() {
            findings.note("trust", format!("{path}: no vault is trusted yet"));
        }
        for (vault, seen) in state.all() {
            let root = seen.root.map_or_else(
                || "no root seen yet".to_owned(),
                |(revision, _)| format!("newest root seen has revision {revision}"),
            );
            let is_here = here.is_some_and(|here| seen.folders.iter().any(|known| known == here));
            let place = if is_here { ", seen in this folder" } else { "" };
            let pins: Vec<String> = seen.tags.iter().map(|tag| pin(vault, *tag)).collect();
            let pins = if pins.is_empty() {
                vault.to_string()
            } else {
                pins.join(" or ")
            };
            findings.note("trust", format!("{path}: {pins}, {root}{place}"));
        }
    }
}

/// A pin as it is typed.
fn pin(vault: &VaultId, tag: Tag) -> String {
    if tag.is_none() {
        vault.to_string()
    } else {
        format!("{vault}@{tag}")
    }
}

/// Reports the vault that is here, trusted or not.
fn root(place: &Place, findings: &mut Findings) {
    let vault = tree(place)
        .and_then(UnverifiedRoot::read)
        .and_then(UnverifiedRoot::into_vault);
    let Some(vault) = findings.take("vault", vault) else {
        return;
    };
    let root = vault.root();
    findings.fine(
        "vault",
        format!(
            "{}, revision {} of the root, {}",
            root.vault,
            root.revision,
            plural(root.revocations.len(), "revocation", "revocations")
        ),
    );
}

/// Does everything that `exec` does before it starts a command. Returns `None` if that fails.
fn open(context: &Context, place: Place, key: Found, findings: &mut Findings) -> Option<()> {
    let config = Context::config(&place).ok()?;
    let unconfirmed = UnconfirmedSession::open(context, place, config, key);
    let unconfirmed = findings.take("trust", unconfirmed)?;
    let is_trusted = match unconfirmed.standing {
        Standing::Trusted => {
            findings.fine("trust", "the vault here is trusted");
            Some(())
        }
        Standing::Forked => {
            findings.problem("trust", FORKED, "merge the other branch: `git pull`");
            Some(())
        }
        Standing::Unknown => {
            findings.take("trust", Err(untrusted(&unconfirmed.vault.root().vault)))
        }
    };
    let chosen = unconfirmed.environment(context);
    let member = member(unconfirmed, findings);
    let environment = findings.take("environment", chosen)?;
    findings.fine("environment", format!("{environment}, if none is named"));
    let mut session = is_trusted.and(member)?;
    let count = findings.take("exec", rehearse(context, &mut session, &environment))?;
    findings.fine("exec", format!("would give a command {count} variables"));
    let confirms = |own: &crate::vault::config::EnvironmentConfig| own.confirm;
    if session
        .config
        .environments
        .get(&environment)
        .is_some_and(confirms)
        && session.key.credential.is_none()
    {
        findings.note(
            "exec",
            "asks a person at the terminal first, and is refused without one",
        );
    }
    Some(())
}

fn member(vault: UnconfirmedSession, findings: &mut Findings) -> Option<Session> {
    let session = findings.take("member", vault.into_session())?;
    let holder = session.holder();
    findings.fine(
        "member",
        format!("you are {}: {}", holder.name(), access(holder.member())),
    );
    if !session.key.others.is_empty() {
        let recipient = session.key.identity.recipient();
        let text = format!("of your keys, the one for {} is used", recipient.shown());
        findings.note("member", text);
    }
    for strength in findings
        .take("member", strengths(&session.vault))
        .into_iter()
        .flatten()
    {
        if strength.classic.is_empty() {
            findings.fine("member", strength.to_string());
        } else {
            findings.note("member", strength.to_string());
        }
    }
    Some(session)
}

fn access(member: &Member) -> String {
    let one = |(environment, access): (&EnvironmentName, &Access)| {
        let access = match access {
            Access::Write => "write".to_owned(),
            Access::Read => "read".to_owned(),
            Access::Names(names) => plural(names.len(), "name", "names"),
        };
        format!("{environment} ({access})")
    };
    let mut words: Vec<String> = member.access.iter().map(one).collect();
    if member.is_admin() {
        words.push("admin".to_owned());
    }
    if words.is_empty() {
        "no access".to_owned()
    } else {
        words.join(", ")
    }
}
