//! `vault init`: a new vault, with the caller as its first admin.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::crypto::{Identity, SigningKey, VaultId};
use crate::fault::Fault;
use crate::platform::{Dir, FileAccess};
use crate::session::caller_key::CallerKey;
use crate::session::console::is_interactive;
use crate::session::context::Context;
use crate::session::document::Document;
use crate::session::open::{record_of, tree};
use crate::session::output::Style;
use crate::session::person::{self, make_identity, own_key};
use crate::session::presence::warn_if_ignored;
use crate::session::prompt::visible;
use crate::vault::format::ROSTER_PATH;
use crate::vault::model::{Member, Roster};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::{Role, RootSigner};
use crate::vault::store::{CONFIG_FILE, NewFile, Place, STORE_FOLDER, Writer};
use crate::vault::trust::{State, UnverifiedRoot};

/// The command line of `init`.
pub(crate) struct Init {
    pub(crate) environments: Vec<EnvironmentName>,
    pub(crate) name: Option<MemberName>,
    pub(crate) recovery: bool,
    pub(crate) style: Style,
}

/// What git must know about the store: no line ending is ever changed, diffs stay folded.
const ATTRIBUTES: &str = "* -text linguist-generated\n";
const IGNORED: &str = "/tmp/\n";
const RECOVERY: &str = "recovery";

pub(crate) fn init(context: &Context, key: CallerKey, command: Init) -> Result<(), Fault> {
    let place = Place::new(context.named_path()?.unwrap_or_else(|| context.folder.clone()));
    check_empty(&place)?;
    let environments = environments(command.environments)?;
    let name = person::name(context, command.name)?;
    if name.as_str() == RECOVERY {
        return Err(
            Fault::usage("the name recovery is for the recovery member").hint("--name NAME")
        );
    }
    let identity = identity(context, key)?;
    let recovery = wants_recovery(context, command.recovery)?.then(Identity::generate);
    let authority = SigningKey::generate();
    let root_signer = RootSigner::new(&authority);
    let all: BTreeSet<EnvironmentName> = environments.iter().cloned().collect();
    let mut members = BTreeMap::new();
    members.insert(name.clone(), root_signer.person(identity.recipient(), &all, Role::Admin));
    if let Some(recovery) = &recovery {
        members
            .insert(RECOVERY.parse()?, root_signer.person(recovery.recipient(), &all, Role::Admin));
    }
    write(&place, &root_signer, &environments, members)?;
    let finished = remember(context, &place, &identity, root_signer.id())
        .and_then(|()| write_config(context, &place, &environments[0]))
        .map(|()| report(context, &place, &name, root_signer.id()));
    warn_if_ignored(context.console, &place, &[]);
    // The recovery member is in the roster: whatever failed since, this is the only time to show
    // the key.
    print(context, root_signer.id(), recovery.as_ref(), command.style)?;
    finished
}

/// Prints the recovery key, and for scripts the vault's id, too.
fn print(
    context: &Context,
    vault: VaultId,
    recovery: Option<&Identity>,
    style: Style,
) -> Result<(), Fault> {
    let key = recovery.map(Identity::to_text);
    if key.is_some() {
        context.console.note("the recovery key, shown this once; print it and lock it away:");
    }
    let document = || Document::new().text("vault", &vault.to_string());
    let text = match (style, key) {
        (Style::Table, None) => return Ok(()),
        (Style::Table, Some(mut key)) => {
            key.extend(b"\n");
            key
        }
        (Style::Json, None) => document().null("recovery_key").finish(),
        (Style::Json, Some(key)) => document().bytes("recovery_key", &key).finish(),
    };
    context.console.reveal(text.expose())
}

fn check_empty(place: &Place) -> Result<(), Fault> {
    if place.store().join(ROSTER_PATH).symlink_metadata().is_err() {
        return Ok(());
    }
    let folder = place.folder().display();
    let fault = Fault::usage(format!("there is a vault in {folder} already"));
    Err(if place.config().is_file() {
        fault
            .hint("set a secret: vault set NAME")
            .hint("one more environment: vault environments add NAME")
    } else {
        fault.hint("its vault.toml is missing; put it back: git checkout -- vault.toml")
    })
}

/// The two that every project has, where none are named.
fn environments(named: Vec<EnvironmentName>) -> Result<Vec<EnvironmentName>, Fault> {
    if named.is_empty() {
        return Ok(vec!["development".parse()?, "production".parse()?]);
    }
    Ok(named)
}

/// The caller's identity; made and kept in `identity.txt` where there is none.
fn identity(context: &Context, key: CallerKey) -> Result<Identity, Fault> {
    match own_key(context, key, "cannot own a vault")? {
        Some(found) => Ok(found.identity),
        None => make_identity(context),
    }
}

fn wants_recovery(context: &Context, asked: bool) -> Result<bool, Fault> {
    if asked || !is_interactive() {
        return Ok(asked);
    }
    let question = "Make a recovery key too? It opens everything if yours is lost; you print it and \
                    lock it away. [Y/n] ";
    let answer = visible(context.console, question)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
}

fn write(
    place: &Place,
    root_signer: &RootSigner<'_>,
    environments: &[EnvironmentName],
    members: BTreeMap<MemberName, Member>,
) -> Result<(), Fault> {
    let text = |path: &str, content: &str| NewFile {
        path: path.to_owned(),
        content: content.as_bytes().to_vec(),
    };
    let mut files = vec![text(".gitattributes", ATTRIBUTES), text(".gitignore", IGNORED)];
    let mut roster = Roster {
        vault: root_signer.id(),
        revision: 1,
        floor: 1,
        environments: BTreeMap::new(),
        members,
        former: BTreeMap::new(),
    };
    for name in environments {
        let (file, listed) = root_signer.environment(name, &roster, roster.revision);
        files.push(file);
        roster.environments.insert(name.clone(), listed);
    }
    let writer = Writer::create(place)?;
    // Somebody else may have made one while this one was prepared.
    check_empty(place)?;
    writer.replace(&files)?;
    writer.replace(&[root_signer.sign_roster(&roster)])
}

/// `vault.toml`, unless somebody has written one already.
fn write_config(context: &Context, place: &Place, default: &EnvironmentName) -> Result<(), Fault> {
    let failed = |error: io::Error| {
        Fault::failed(format!("could not write {}", place.config().display())).because(error)
    };
    let folder = Dir::open(place.folder()).ok().flatten();
    let folder = folder.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let text = include_str!("init.toml").replace("DEFAULT", default.as_str());
    match folder.create(CONFIG_FILE, text.as_bytes(), FileAccess::Shared) {
        Ok(file) => file.sync_all().and_then(|()| folder.sync()).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            context.console.note("kept the vault.toml that is there");
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

/// Reads what was written, as any other command would, and trusts its id.
fn remember(
    context: &Context,
    place: &Place,
    identity: &Identity,
    id: VaultId,
) -> Result<(), Fault> {
    let vault = UnverifiedRoot::read(tree(place)?)?.into_vault()?;
    if vault.roster().vault != id {
        return Err(Fault::refused_file(ROSTER_PATH, "was replaced while this command ran"));
    }
    let Some(state) = context.state_folder() else {
        context.console.warn("HOME is not set: name the vault with every command, VAULT_ID=…");
        return Ok(());
    };
    let now = record_of(&vault, place);
    let entered =
        State::load(&state, &identity.recipient()).and_then(|mut state| state.record(id, &now));
    if let Err(fault) = entered {
        // The vault is there, and a recovery key must still be shown.
        context.console.warn(format!("{fault:#}; enter its id later: vault trust {id}"));
    }
    Ok(())
}

fn report(context: &Context, place: &Place, name: &MemberName, id: VaultId) {
    let console = context.console;
    console.note(format!("made a vault in {}; you are its admin {name}", place.folder().display()));
    console.note(format!("its id, to tell your colleagues: {id}"));
    console.note(format!("next: git add {CONFIG_FILE} {STORE_FOLDER}, then vault set NAME"));
}
