//! The report of one run: reads the vault, checks it, and compares it with an older one.

use super::before::Before;
use super::changes;
use super::check::{self, below};
use super::report::{Item, Level, Report, VaultIdentity};
use crate::fault::Fault;
use crate::session::open::{folder, tree};
use crate::session::past::unmerged_grants;
use crate::vault::config::Config;
use crate::vault::format::{ROOT_PATH, member_path};
use crate::vault::store::{CONFIG_FILE, Place, STORE_FOLDER};
use crate::vault::trust::{Standing, Trust, Unlisted, UnverifiedRoot, Vault};

/// Checks the vault in `place` and, if `before` is given, compares the two.
///
/// # Errors
/// If a file or git cannot be read. A refusal by a check is a finding instead.
pub(crate) fn collect(
    place: &Place,
    trust: &Trust,
    before: Option<&Before>,
) -> Result<Report, Fault> {
    let since = before.map(Before::since);
    let mut report = Report {
        since,
        ..Report::default()
    };
    let vault = read(place, trust, &mut report)?;
    let config = report.take(CONFIG_FILE, Config::read(&place.config()))?;
    let content = vault
        .as_ref()
        .map(|vault| check::check(vault, config.as_ref(), &mut report))
        .transpose()?;
    let now = vault.as_ref().zip(content.as_ref());
    if let Some(before) = before {
        changes::changes(before, now, config.as_ref(), place, &mut report)?;
        if let Some((vault, _)) = now {
            grants(vault, place, &mut report)?;
        }
        changes::merged(before, now, place, &mut report)?;
        if let Some(config) = &config {
            let vault = now.map(|(vault, _)| vault);
            changes::loosened(before, config, vault, place, &mut report)?;
        }
    }
    report.group_by_person(&below(ROOT_PATH));
    Ok(report)
}

/// Reports access that commits of this clone give and the vault does not show.
fn grants(vault: &Vault, place: &Place, report: &mut Report) -> Result<(), Fault> {
    for grant in unmerged_grants(vault, place)? {
        let file = below(&member_path(&grant.member));
        let item = Item::new(Level::Attention, "unmerged-grant", file)
            .detail("member", grant.member.as_str())
            .text("granted in another commit: ")
            .quote(&grant.member);
        let item = match &grant.environment {
            Some(environment) => item
                .detail("environment", environment.as_str())
                .text(" has the key of ")
                .quote(environment)
                .text(" from there, and no such access here"),
            None => item.text(" has the authority from there, and is not an admin here"),
        };
        let item = item.text("; unless that commit will be merged, run ");
        report.items.push(item.command(grant.remedy()));
    }
    Ok(())
}

/// Reads the vault in the working tree and judges whether it is trusted. Returns `None` if its
/// root is not valid.
fn read(place: &Place, trust: &Trust, report: &mut Report) -> Result<Option<Vault>, Fault> {
    let Some(tree) = report.take(STORE_FOLDER, tree(place))? else {
        return Ok(None);
    };
    let file = below(ROOT_PATH);
    let here = folder(place);
    let read = UnverifiedRoot::read_if(tree, |id| trust.check_id(id, &here));
    let Some(presented) = report.take(&file, read)? else {
        return Ok(None);
    };
    let standing = report.take(&file, presented.judge(trust, &here))?;
    let accepted = presented.into_vault();
    let valid = match standing {
        // Its refusal is already a finding.
        None => accepted.ok(),
        Some(_) => report.take(&file, accepted)?,
    };
    let Some(vault) = valid else { return Ok(None) };
    if let Err(fault) = trust.check_asked(&vault) {
        let file = fault.file().unwrap_or(&file).to_owned();
        report.take::<()>(&file, Err(fault))?;
    }
    let root = vault.root();
    let (id, revision, latest) = (root.vault, root.revision, root.latest());
    report.vault = Some(VaultIdentity {
        id,
        revision,
        latest,
    });
    match standing {
        None if matches!(trust.unlisted(root), Some(Unlisted::Seen(_))) => {
            report.hint = Some("see both ways on: `vault id`");
        }
        Some(Standing::Trusted) | None => {}
        Some(Standing::Forked) => {
            report.items.push(
                Item::new(Level::Attention, "forked", file.clone())
                    .quote(file)
                    .text(": differs from the root that was seen before with this revision"),
            );
        }
        Some(Standing::Unknown) => {
            report.hint = Some("name the vault that you expect: `vault verify --id ID`");
            report.items.push(
                Item::new(Level::Finding, "untrusted", file)
                    .text("consistent, not trusted: no one has confirmed that ")
                    .quote(id)
                    .text(" is the right vault"),
            );
        }
    }
    Ok(Some(vault))
}
