//! The report of one run: reads the vault, checks it, and compares it with an older one.

use super::before::Before;
use super::changes;
use super::check::{self, below};
use super::report::{Item, Level, Report, VaultIdentity};
use crate::fault::Fault;
use crate::session::open::{folder, tree};
use crate::vault::config::Config;
use crate::vault::format::ROSTER_PATH;
use crate::vault::store::{CONFIG_FILE, Place, STORE_FOLDER};
use crate::vault::trust::{Standing, Trust, UnverifiedRoot, Vault};

/// Checks the vault in `place` and, if `before` is given, compares the two.
///
/// # Errors
/// If a file or git cannot be read. What a check refuses is a finding instead.
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
        if let Some(config) = &config {
            let vault = now.map(|(vault, _)| vault);
            changes::loosened(before, config, vault, place, &mut report)?;
        }
    }
    Ok(report)
}

/// Reads the vault in the working tree and judges whether it is trusted. Returns `None` if its
/// roster is not valid.
fn read(place: &Place, trust: &Trust, report: &mut Report) -> Result<Option<Vault>, Fault> {
    let Some(tree) = report.take(STORE_FOLDER, tree(place))? else {
        return Ok(None);
    };
    let file = below(ROSTER_PATH);
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
    let roster = vault.roster();
    let (id, revision, floor) = (roster.vault, roster.revision, roster.floor);
    report.vault = Some(VaultIdentity {
        id,
        revision,
        floor,
    });
    match standing {
        Some(Standing::Trusted) | None => {}
        Some(Standing::Forked) => {
            report.items.push(
                Item::new(Level::Finding, "forked", file.clone())
                    .quote(file)
                    .text(": differs from the roster that was seen before with this revision"),
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
