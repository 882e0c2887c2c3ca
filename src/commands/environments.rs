//! `vault environments`: lists, adds, and removes environments.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::json;

use crate::crypto::Tag;
use crate::fault::{Fault, plural};
use crate::platform;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::grant::no_member;
use crate::session::keyless;
use crate::session::open::Session;
use crate::session::output::{Style, access_json, plain_table};
use crate::vault::config::{Config, without_environment};
use crate::vault::model::{Access, Member};
use crate::vault::name::{EnvironmentName, MemberName};

pub(crate) fn list(context: &Context, mut key: CallerKey, style: Style) -> Result<(), Fault> {
    let place = context.place(&mut key)?;
    let config = Context::config(&place)?;
    let (vault, _) = keyless::open(context, &place, key.credential(context.console)?)?;
    let mut rows = Vec::new();
    for (name, environment) in &vault.root().environments {
        let entries = vault.entries(environment)?;
        let secrets = entries
            .iter()
            .filter(|entry| entry.content().sealed.is_some())
            .count();
        rows.push((
            name,
            secrets,
            environment.newest().number,
            members(&vault.members()?.counting, name),
        ));
    }
    let is_default = |name: &EnvironmentName| config.default.as_ref() == Some(name);
    if style == Style::Json {
        let rows = rows.iter().map(|(name, secrets, epoch, members)| {
            let access = |(member, access): &(&MemberName, &Access)| {
                (member.to_string(), access_json(access))
            };
            json!({
                "environment": name.as_str(),
                "default": is_default(name),
                "secrets": secrets,
                "epoch": epoch,
                "members": members.iter().map(access).collect::<serde_json::Map<_, _>>(),
            })
        });
        let listed: Vec<_> = rows.collect();
        return context.console.json(json!({ "environments": listed }));
    }
    let mut table = plain_table(&["ENVIRONMENT", "SECRETS", "EPOCH", "MEMBERS"]);
    for (name, secrets, epoch, members) in &rows {
        let who: Vec<String> = members.iter().map(shown).collect();
        let mark = if is_default(name) { " (default)" } else { "" };
        table.add_row([
            format!("{name}{mark}"),
            secrets.to_string(),
            epoch.to_string(),
            who.join(", "),
        ]);
    }
    context.console.line(table.trim_fmt())
}

fn members<'a>(
    members: &'a BTreeMap<MemberName, Member>,
    name: &EnvironmentName,
) -> Vec<(&'a MemberName, &'a Access)> {
    members
        .iter()
        .filter_map(|(member, record)| Some((member, record.access.get(name)?)))
        .collect()
}

/// `alice (write)`
fn shown((member, access): &(&MemberName, &Access)) -> String {
    let access = match access {
        Access::Write => "write",
        Access::Read => "read",
        Access::Names(_) => "some names",
    };
    format!("{member} ({access})")
}

/// Adds an environment with this access; if it is empty, every admin gets write access.
pub(crate) fn add(
    context: &Context,
    key: CallerKey,
    name: &EnvironmentName,
    access: &BTreeMap<MemberName, Access>,
) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let mut admin = Admin::start(context, &mut session)?;
    let before = admin.membership()?;
    let mut after = before.clone();
    if after.root.environments.contains_key(name) {
        return Err(Fault::usage(format!(
            "the environment {name} already exists"
        )));
    }
    if !admin.session.vault.entry_names(name)?.is_empty() {
        return Err(Fault::refused(format!(
            ".vault/{name} contains entries that belong to no environment"
        ))
        .hint(format!("remove them first: `git rm -r .vault/{name}`")));
    }
    for (member, record) in &mut after.members {
        let default = (record.is_admin() && access.is_empty()).then_some(Access::Write);
        let own = access.get(member).cloned().or(default);
        if own == Some(Access::Write) && record.signing.is_none() {
            return Err(Fault::usage(format!(
                "{member} cannot write without a signing key"
            )));
        }
        record.access.extend(own.map(|own| (name.clone(), own)));
    }
    if let Some(unknown) = access
        .keys()
        .find(|member| !after.members.contains_key(member))
    {
        return Err(no_member(&after, unknown));
    }
    if !after
        .members
        .values()
        .any(|member| member.access.get(name) == Some(&Access::Write))
    {
        return Err(
            Fault::usage(format!("no one could write in {name}")).hint(format!(
                "give one member write access: `--access {}=write`",
                admin.session.holder().name()
            )),
        );
    }
    admin.authority().start_epoch(&mut after, name)?;
    let files = admin.member_files(&before, &mut after);
    after.root.revision += 1;
    let root = admin.authority().sign_root(&after.root);
    admin.remember(context)?;
    // The members first: their keys count once the root lists the environment.
    let files: Vec<_> = files
        .into_iter()
        .map(|(_, file)| file)
        .chain([root])
        .collect();
    admin.writer.replace(&files)?;
    admin.finish(context)?;
    let members = members(&session.vault.members()?.counting, name);
    let who: Vec<String> = members.iter().map(shown).collect();
    context.console.note(format!(
        "added the environment {name} with access for {}",
        who.join(", ")
    ));
    Ok(())
}

/// Removes an environment with all its entries and its section of `vault.toml`.
pub(crate) fn remove(
    context: &Context,
    key: CallerKey,
    name: &EnvironmentName,
    answer: Answer,
) -> anyhow::Result<()> {
    let mut session = Session::open(context, key)?;
    session.vault.environment(name)?;
    check_unused(&session.config, name)?;
    let entries = plural(session.vault.entry_names(name)?.len(), "entry", "entries");
    let question = format!("remove the environment {name} with its {entries}?");
    confirm(context.console, &question, answer)?;
    let mut admin = Admin::start(context, &mut session)?;
    let entries = admin.session.vault.entry_names(name)?;
    let before = admin.membership()?;
    let mut after = before.clone();
    after.root.environments.remove(name);
    // Everyone who had access loses it. Older roots must not count, or someone could restore one and
    // have values set with a data key that former members know.
    after.record_removed(&before, name);
    after.root.revocations.push(Tag::random());
    after.root.revision += 1;
    admin.remember(context)?;
    // The root first: an unlisted folder is not an environment, whatever files remain.
    let root = admin.authority().sign_root(&after.root);
    let files = std::iter::once(root).chain(admin.cleaned_files(&after));
    admin.writer.replace(&files.collect::<Vec<_>>())?;
    for entry in &entries {
        admin.writer.remove(&format!("{name}/{}", entry.file()))?;
    }
    admin.writer.remove(name.as_str())?;
    admin.finish(context)?;
    forget(&session, name)?;
    context.console.note(format!(
        "removed the environment {name}; its files remain in git history"
    ));
    Ok(())
}

/// Checks that nothing else in `vault.toml` needs the environment.
fn check_unused(config: &Config, name: &EnvironmentName) -> Result<(), Fault> {
    if config.default.as_ref() == Some(name) {
        return Err(Fault::usage(format!("{name} is the default environment"))
            .hint("change `default` in vault.toml first"));
    }
    let mut environments = config.environments.iter();
    if let Some((child, _)) = environments.find(|(_, own)| own.inherits.as_ref() == Some(name)) {
        return Err(
            Fault::usage(format!("{child} inherits from {name} in vault.toml"))
                .hint(format!("change `inherits` of [environments.{child}] first")),
        );
    }
    Ok(())
}

fn forget(session: &Session, name: &EnvironmentName) -> anyhow::Result<()> {
    if !session.config.environments.contains_key(name) {
        return Ok(());
    }
    let path = session.place.config();
    let could_not_edit = || format!("could not edit {}", path.display());
    let before = std::fs::read_to_string(&path).with_context(could_not_edit)?;
    let after = without_environment(&before, name)?;
    platform::replace_text(&path, &after).with_context(could_not_edit)
}
