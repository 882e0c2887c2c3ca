//! `vault init`: creates a vault, with the caller as its first admin.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::crypto::{Identity, NativeKind, SigningKey, VaultId};
use crate::fault::Fault;
use crate::platform::{Dir, FileAccess};
use crate::session::caller_key::CallerKey;
use crate::session::console::is_interactive;
use crate::session::context::Context;
use crate::session::document::Document;
use crate::session::open::{met, tree};
use crate::session::output::Style;
use crate::session::person::{self, make_identity, own_key};
use crate::session::presence::warn_if_ignored;
use crate::session::prompt::visible;
use crate::vault::format::{MEMBERS, ROOT_PATH};
use crate::vault::model::{Member, Membership, Root};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::signing::{Role, RootSigner};
use crate::vault::store::{CONFIG_FILE, NewFile, Place, STORE_FOLDER, Writer};
use crate::vault::trust::{Met, State, UNRELEASED, UnverifiedRoot, made_by_unreleased};

/// The command line of `init`.
pub(crate) struct Init {
    pub(crate) environments: Vec<EnvironmentName>,
    pub(crate) name: Option<MemberName>,
    pub(crate) recovery: Recovery,
    /// The kind of the keys that it makes.
    pub(crate) kind: NativeKind,
    pub(crate) style: Style,
}

/// Whether `--recovery` was given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    Wanted,
    /// A person at the terminal is asked.
    NotGiven,
}

/// Settings for git: it must never change a line ending, and hosts fold the diffs.
const ATTRIBUTES: &str = "* -text diff=vault linguist-generated\n";
const IGNORED: &str = "/tmp/\n";
const RECOVERY: &str = "recovery";

pub(crate) fn init(context: &Context, key: CallerKey, command: Init) -> Result<(), Fault> {
    let place = Place::new(
        context
            .named_path()?
            .unwrap_or_else(|| context.folder.clone()),
    );
    check_empty(&place)?;
    let environments = environments(command.environments)?;
    let name = person::name(context, command.name)?;
    if name.as_str() == RECOVERY {
        return Err(Fault::usage("the name recovery is for the recovery member")
            .hint("choose another name: `--name NAME`"));
    }
    let identity = identity(context, key, command.kind)?;
    let wants_recovery = wants_recovery(context, command.recovery)?;
    let recovery = wants_recovery.then(|| Identity::generate(command.kind));
    let authority = SigningKey::generate();
    let root_signer = RootSigner::new(&authority);
    let all: BTreeSet<EnvironmentName> = environments.iter().cloned().collect();
    let mut members = BTreeMap::new();
    members.insert(
        name.clone(),
        root_signer.person(identity.recipient(), &all, Role::Admin),
    );
    if let Some(recovery) = &recovery {
        members.insert(
            RECOVERY.parse()?,
            root_signer.person(recovery.recipient(), &all, Role::Admin),
        );
    }
    write(context, &place, &root_signer, &environments, members)?;
    let finished = remember(context, &place, &identity, root_signer.id())
        .map(|()| report(context, &place, &name, root_signer.id()));
    warn_if_ignored(context.console, &place, &[]);
    // Even if something failed after the recovery member was added, this is the only time to show
    // its key.
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
        context
            .console
            .note("the recovery key, shown only once; print it and lock it away:");
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
    let has = |file: &str| place.store().join(file).symlink_metadata().is_ok();
    if !has(ROOT_PATH) && has(UNRELEASED) {
        return Err(made_by_unreleased());
    }
    if !has(ROOT_PATH) {
        return match environment_without_a_root(place)? {
            Some(name) => Err(Fault::refused_file(
                ROOT_PATH,
                format!("is missing, and {name} has entries of its vault"),
            )
            .restore(ROOT_PATH)
            .hint(format!("if no one needs them: `rm -r {STORE_FOLDER}`"))),
            None => Ok(()),
        };
    }
    let folder = place.folder().display();
    let fault = Fault::usage(format!("{folder} already contains a vault"));
    Err(if place.config().is_file() {
        fault
            .hint("set a secret: `vault set NAME`")
            .hint("add an environment: `vault environments add NAME`")
    } else {
        fault.hint("its vault.toml is missing; put it back: `git checkout -- vault.toml`")
    })
}

/// The first environment with entries in a `.vault` whose root is missing. An interrupted `init` leaves
/// none.
fn environment_without_a_root(place: &Place) -> Result<Option<EnvironmentName>, Fault> {
    let found = place.store().symlink_metadata();
    if !found.is_ok_and(|found| found.is_dir()) {
        return Ok(None);
    }
    let tree = tree(place)?;
    for name in tree.names()? {
        let Ok(environment) = name.parse::<EnvironmentName>() else {
            continue;
        };
        let folder = tree.folder(&name).ok().flatten();
        let entries = folder.map(|folder| folder.names(&name)).transpose()?;
        if entries.is_some_and(|entries| !entries.is_empty()) {
            return Ok(Some(environment));
        }
    }
    Ok(None)
}

/// Returns the named environments, or else the two that every project has.
fn environments(named: Vec<EnvironmentName>) -> Result<Vec<EnvironmentName>, Fault> {
    if named.is_empty() {
        return Ok(vec!["development".parse()?, "production".parse()?]);
    }
    Ok(named)
}

/// Returns the caller's identity. If there is none, makes one and keeps it in `identity.txt`.
fn identity(context: &Context, key: CallerKey, kind: NativeKind) -> Result<Identity, Fault> {
    match own_key(context, key, "cannot own a vault")? {
        Some(found) => Ok(found.identity),
        None => make_identity(context, kind),
    }
}

fn wants_recovery(context: &Context, recovery: Recovery) -> Result<bool, Fault> {
    if recovery == Recovery::Wanted || !is_interactive() {
        return Ok(recovery == Recovery::Wanted);
    }
    let question = "Make a recovery key too? It opens everything if yours is lost; you print it and \
                    lock it away. [Y/n] ";
    let answer = visible(context.console, question)?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "" | "y" | "yes"
    ))
}

fn write(
    context: &Context,
    place: &Place,
    root_signer: &RootSigner<'_>,
    environments: &[EnvironmentName],
    members: BTreeMap<MemberName, Member>,
) -> Result<(), Fault> {
    let text = |path: &str, content: &str| NewFile {
        path: path.to_owned(),
        content: content.as_bytes().to_vec(),
    };
    let mut files = vec![
        text(".gitattributes", ATTRIBUTES),
        text(".gitignore", IGNORED),
    ];
    let root = Root {
        vault: root_signer.id(),
        revision: 1,
        revocations: Vec::new(),
        environments: BTreeMap::new(),
        members: BTreeMap::new(),
        former: BTreeMap::new(),
    };
    let mut membership = Membership { root, members };
    for name in environments {
        root_signer.start_epoch(&mut membership, name)?;
    }
    let people = membership.members.iter();
    files.extend(people.map(|(name, member)| root_signer.sign_member(name, member)));
    let writer = Writer::create(place)?;
    // Someone else may have created one while this one was prepared.
    check_empty(place)?;
    // The root makes it a vault, so it comes last: until then, `init` can be repeated.
    write_config(context, place, &environments[0])?;
    remove_members(&writer)?;
    writer.replace(&files)?;
    writer.replace(&[root_signer.sign_root(&membership.root)])
}

/// Removes the members' files that an interrupted `init` left, which no root of a new vault lists.
fn remove_members(writer: &Writer) -> Result<(), Fault> {
    let tree = writer.tree()?;
    let left = tree
        .folder(MEMBERS)?
        .map(|folder| folder.names(MEMBERS))
        .transpose()?;
    for name in left.into_iter().flatten() {
        writer.remove(&format!("{MEMBERS}/{name}"))?;
    }
    Ok(())
}

/// Writes `vault.toml`, unless there is one.
fn write_config(context: &Context, place: &Place, default: &EnvironmentName) -> Result<(), Fault> {
    let failed = |error: io::Error| {
        Fault::failed(format!("could not write {}", place.config().display())).because(error)
    };
    let folder = Dir::open(place.folder())
        .ok()
        .flatten()
        .ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let text = include_str!("init.toml").replace("DEFAULT", default.as_str());
    match folder.create_whole(CONFIG_FILE, text.as_bytes(), FileAccess::Shared) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            context.console.note("kept the existing vault.toml");
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

/// Reads the new files as any other command would, and trusts their id.
fn remember(
    context: &Context,
    place: &Place,
    identity: &Identity,
    id: VaultId,
) -> Result<(), Fault> {
    let vault = UnverifiedRoot::read(tree(place)?)?.into_vault()?;
    if vault.root().vault != id {
        return Err(Fault::refused_file(
            ROOT_PATH,
            "was replaced while this command ran",
        ));
    }
    let Some(state) = context.state_folder() else {
        context
            .console
            .warn("HOME is not set, so the id is not remembered: set VAULT_ID for every command");
        return Ok(());
    };
    let now = Met {
        member: vault
            .member_with(&identity.recipient())?
            .map(|(name, _)| name),
        ..met(&vault, place)
    };
    let entered =
        State::load(&state, &identity.recipient()).and_then(|mut state| state.record(&now));
    if let Err(fault) = entered {
        // The vault exists, and a recovery key must still be shown.
        context.console.warn(format!(
            "{fault:#}; to trust its id later: `vault trust {id}`"
        ));
    }
    Ok(())
}

fn report(context: &Context, place: &Place, name: &MemberName, id: VaultId) {
    let console = context.console;
    console.note(format!(
        "created a vault in {}; you are its admin {name}",
        place.folder().display()
    ));
    console.note(format!("its id, to send to your colleagues: {id}"));
    console.note(format!(
        "next: `git add {CONFIG_FILE} {STORE_FOLDER}`, then `vault set NAME`"
    ));
}
