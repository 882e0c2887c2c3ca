//! `vault verify`: everything but the values, with no key, and what changed since a revision.
//!
//! Goes on after a finding, so that one run names all of them, and exits 1 if there was any. Reads
//! first, then compares, then tells: [`check`] and [`before`] read, [`compare`] is pure, [`tell`]
//! finds the words, [`since`] puts them together, [`mod@format`] writes them.

mod before;
mod check;
mod compare;
mod format;
mod report;
mod since;
mod tell;

use self::before::Before;
use self::check::below;
pub(crate) use self::format::Format;
use self::report::{Identified, Item, Level, Report};
use super::list::keyless_trust;
use crate::fault::{Fault, Kind};
use crate::session::context::Context;
use crate::session::open::{folder, tree};
use crate::vault::config::Config;
use crate::vault::format::ROSTER_PATH;
use crate::vault::store::{CONFIG_FILE, Place, STORE_FOLDER};
use crate::vault::trust::{Pin, Presented, Standing, Trust, Vault};

/// The command line of `verify`.
pub(crate) struct Verify {
    pub(crate) id: Option<Pin>,
    pub(crate) since: Option<String>,
    pub(crate) format: Format,
}

pub(crate) fn verify(context: &mut Context, command: &Verify) -> Result<(), Fault> {
    let place = match command.id {
        Some(_) => context.place_for_id(),
        None => context.place(),
    }?;
    let (mut trust, _) = keyless_trust(context)?;
    trust.pins.extend(command.id);
    let before = command.since.as_ref().map(|revision| Before::read(&place, revision));
    let before = before.transpose()?;
    // Who names another id than the revision's says that there is a new authority.
    let named = |pin: &Pin| command.id.is_none_or(|id| id.vault == pin.vault);
    trust.pins.extend(before.as_ref().and_then(Before::pin).filter(named));
    let since = before.as_ref().map(Before::since);
    let mut report = Report { since, ..Report::default() };
    let vault = read(&place, &trust, &mut report)?;
    let config = report.take(CONFIG_FILE, Config::read(&place.config()))?;
    let side = vault.as_ref().map(|vault| check::check(vault, config.as_ref(), &mut report));
    let side = side.transpose()?;
    let now = vault.as_ref().zip(side.as_ref());
    if let Some(before) = &before {
        since::changes(before, now, config.as_ref(), &place, &mut report)?;
        if let Some(config) = &config {
            since::loosened(before, config, now.map(|(vault, _)| vault), &place, &mut report)?;
        }
    }
    format::show(context.console, &report, command.format, &place)?;
    finish(&report)
}

/// The vault in the working tree, judged; nothing where its roster does not hold.
fn read(place: &Place, trust: &Trust, report: &mut Report) -> Result<Option<Vault>, Fault> {
    let Some(tree) = report.take(STORE_FOLDER, tree(place))? else { return Ok(None) };
    let file = below(ROSTER_PATH);
    let here = folder(place);
    let presented = Presented::read_if(tree, |id| trust.check_id(id, &here));
    let Some(presented) = report.take(&file, presented)? else { return Ok(None) };
    let standing = report.take(&file, presented.judge(trust, &here))?;
    let accepted = presented.accept();
    // What is refused here was said before, unless nobody has judged it.
    let vault = match standing {
        None => accepted.ok(),
        Some(_) => report.take(&file, accepted)?,
    };
    let Some(vault) = vault else { return Ok(None) };
    let roster = vault.roster();
    let (id, revision, floor) = (roster.vault, roster.revision, roster.floor);
    report.vault = Some(Identified { id, revision, floor });
    match standing {
        Some(Standing::Trusted) | None => {}
        Some(Standing::Forked) => {
            let item = Item::new(Level::Finding, "forked", file.clone()).quote(file);
            let item = item.say(": another roster of this revision was seen before");
            report.items.push(item);
        }
        Some(Standing::Unknown) => {
            report.hint = Some("say which vault it must be: vault verify --id ID");
            let item = Item::new(Level::Finding, "untrusted", file);
            let item = item.say("consistent, not trusted: nobody has said that ").quote(id);
            report.items.push(item.say(" is the right vault"));
        }
    }
    Ok(Some(vault))
}

fn finish(report: &Report) -> Result<(), Fault> {
    let count = report.findings();
    if count == 0 {
        return Ok(());
    }
    let fault = Fault::new(Kind::Found, format!("findings: {count}"));
    Err(match report.hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    })
}
