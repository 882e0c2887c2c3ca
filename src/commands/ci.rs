//! `vault ci add`: adds a machine, and prints the one string that its platform keeps.

mod wrapped;

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::crypto::{Identity, NativeKind};
use crate::fault::Fault;
use crate::keys::{Credential, Pinned};
use crate::secret::Secret;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::document::Document;
use crate::session::grant::{check_free, grant};
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::past::check_unused;
use crate::vault::config::Config;
use crate::vault::model::{Access, Member};
use crate::vault::name::{EnvironmentName, MemberName, SecretName, StepName};

/// The command line of `ci add`.
pub(crate) struct Add {
    pub(crate) name: MemberName,
    pub(crate) environments: Vec<EnvironmentName>,
    pub(crate) only: Vec<SecretName>,
    pub(crate) step: Option<StepName>,
    /// The command that gets the credential, and whose output takes its place.
    pub(crate) wrap: Option<OsString>,
    pub(crate) kind: NativeKind,
    pub(crate) style: Style,
}

pub(crate) fn add(context: &Context, key: CallerKey, command: &Add) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let mut access = BTreeMap::new();
    for environment in &command.environments {
        session.vault.environment(environment)?;
        access.insert(
            environment.clone(),
            granted(&session.config, command, environment)?,
        );
    }
    let mut admin = Admin::start(context, &mut session)?;
    let mut membership = admin.membership()?;
    check_free(&membership, &command.name)?;
    let identity = Identity::generate(command.kind);
    check_unused(admin.session, &command.name, &identity.recipient())?;
    let (vault, tag) = (membership.root.vault, membership.root.latest());
    let machine = Member {
        credential: Some(tag),
        ..Member::new(identity.recipient())
    };
    membership.members.insert(command.name.clone(), machine);
    let environments = access.keys().map(ToString::to_string).collect();
    let credential = Credential {
        identity,
        pinned: Pinned {
            vault,
            tag,
            member: command.name.to_string(),
            environments,
        },
    };
    // Before anything is written: without this text, the member would be of no use.
    let text = match &command.wrap {
        None => credential.to_text(),
        Some(wrap) => wrapped::wrap(context, wrap, &credential)?,
    };
    let grants = BTreeMap::from([(command.name.clone(), access.clone())]);
    grant(context, &mut admin, membership, &grants)?;
    admin.finish(context)?;
    report(context, command, &access);
    let line = match command.style {
        Style::Table => shown(text, command),
        Style::Json => {
            let document = Document::new().text("member", command.name.as_str());
            let field = command.wrap.as_ref().map_or("credential", |_| "wrapped");
            document.bytes(field, &text).finish()
        }
    };
    context.console.reveal(line.expose())
}

/// The credential as a line, or the output of the command, byte for byte.
fn shown(mut text: Secret, command: &Add) -> Secret {
    if command.wrap.is_none() {
        text.extend(b"\n");
    }
    text
}

/// Returns the access of the machine to `environment`: everything, or the secrets that `--only` or
/// `--step` needs.
fn granted(config: &Config, command: &Add, environment: &EnvironmentName) -> Result<Access, Fault> {
    let wanted = match &command.step {
        None if command.only.is_empty() => return Ok(Access::Read),
        None => &command.only,
        Some(step) => &config.step(step)?.names,
    };
    Ok(Access::Names(config.secrets_behind(environment, wanted)?))
}

fn report(context: &Context, command: &Add, access: &BTreeMap<EnvironmentName, Access>) {
    let console = context.console;
    for (environment, access) in access {
        let what = match access {
            Access::Names(names) => {
                let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
                format!("only {}", names.join(", "))
            }
            Access::Read | Access::Write => "every secret".to_owned(),
        };
        console.note(format!("{} can read {what} in {environment}", command.name));
    }
    if command.wrap.is_some() {
        console
            .note("commit .vault, and this with it if you like: only the command that undoes the");
        console.note("wrapping makes it a credential again; name that in VAULT_KEY_COMMAND:");
        return;
    }
    console.note("commit .vault, then store this line as the secret VAULT_KEY of the CI platform");
    console.note("(it is shown only once):");
}
