//! `vault verify`: everything but the values, with no key, and what changed since a revision.
//!
//! Goes on after a finding, so that one run names all of them, and exits 1 if there was any. Reads
//! first, then compares, then tells: [`check`] and [`before`] read, [`compare`] is pure, [`tell`]
//! finds the words, [`mod@format`] writes them.

mod before;
mod check;
mod compare;
mod format;
mod report;
mod tell;

use self::before::{Before, Past};
use self::check::{Side, below};
use self::compare::{EnvironmentChange, Lineage, Lives, RosterChange};
pub(crate) use self::format::Format;
use self::report::{Identified, Item, Level, Report};
use super::list::keyless_trust;
use crate::fault::{Fault, Kind};
use crate::session::context::Context;
use crate::session::open::{folder, tree};
use crate::vault::config::Config;
use crate::vault::format::ROSTER_PATH;
use crate::vault::model::Roster;
use crate::vault::name::EnvironmentName;
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
        since_then(before, now, &mut report)?;
        if let Some(config) = &config {
            loosened(before, config, now.map(|(vault, _)| vault), &mut report)?;
        }
    }
    format::show(context.console, &report, command.format, &place)?;
    finish(&report)
}

/// The vault in the working tree, judged; nothing where its roster does not hold.
fn read(place: &Place, trust: &Trust, report: &mut Report) -> Result<Option<Vault>, Fault> {
    let Some(tree) = report.take(STORE_FOLDER, tree(place))? else { return Ok(None) };
    let file = below(ROSTER_PATH);
    let Some(presented) = report.take(&file, Presented::read(tree))? else { return Ok(None) };
    let standing = report.take(&file, presented.judge(trust, &folder(place)))?;
    let vault = presented.accept();
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

/// What members did since, and what nobody of them can have done.
fn since_then(
    before: &Before,
    now: Option<(&Vault, &Side)>,
    report: &mut Report,
) -> Result<(), Fault> {
    let Some((vault, side)) = now else { return Ok(()) };
    let (mut old, mut lineage) = (Side::default(), Lineage::SameAuthority);
    let mut lives = Lives::default();
    if let Some(old_vault) = &before.vault {
        let rosters = (old_vault.roster(), vault.roster());
        lineage = compare::lineage(rosters.0, rosters.1);
        if lineage == Lineage::NewAuthority && report.has_refused(&below(ROSTER_PATH)) {
            // The pin has said so; the entries of two vaults have nothing to do with each other.
            return Ok(());
        }
        old = check::side(old_vault)?;
        lives = memberships(rosters, (&old, side), report);
        git_files(old_vault, vault, report)?;
    }
    let is_new = |place| !old.contents.entries.contains_key(place);
    // All of git's history is walked for it.
    let has_new = side.contents.entries.keys().any(is_new);
    let past = if has_new { before.past()? } else { Past::default() };
    let contents = (&old.contents, &side.contents);
    let entries = compare::entries(contents, lineage, &lives, |place| past.of(place));
    report.items.extend(tell::entries(&entries));
    Ok(())
}

/// Rosters, environments, members and requests; gives which environments ended and began.
fn memberships(
    rosters: (&Roster, &Roster),
    (old, now): (&Side, &Side),
    report: &mut Report,
) -> Lives {
    let files = (&old.environments, &now.environments);
    let changes = compare::roster(rosters.0, rosters.1);
    report.items.extend(changes.iter().map(tell::roster));
    let environments = compare::environments(rosters, files);
    let lost = |name: &EnvironmentName| {
        old.contents.entries.keys().filter(|(environment, _)| environment == name).count()
    };
    let told =
        environments.iter().map(|(name, change)| tell::environment(name, change, lost(name)));
    report.items.extend(told);
    // Whoever is not in an older roster has not lost anything by any rule.
    if !changes.iter().any(|change| matches!(change, RosterChange::WentBack { .. })) {
        let members = compare::members(rosters, files);
        let told = members.iter().filter_map(|(name, change)| tell::member(name, change));
        report.items.extend(told);
        let requests = compare::requests((&old.requests, &now.requests), rosters.1);
        report.items.extend(requests.iter().map(|(name, change)| tell::request(name, *change)));
    }
    let mut lives = Lives::default();
    for (name, change) in environments {
        match change {
            EnvironmentChange::Removed => drop(lives.ended.insert(name)),
            EnvironmentChange::Added | EnvironmentChange::MadeAnew => {
                lives.begun.insert(name);
            }
            _ => {}
        }
    }
    lives
}

/// What git is told to do with the files below `.vault`: hide them, change them, leave them out.
fn git_files(before: &Vault, now: &Vault, report: &mut Report) -> Result<(), Fault> {
    for name in [".gitattributes", ".gitignore"] {
        let file = below(name);
        // Where it cannot be read, the check has said so, or says so here.
        let Some(read) = report.take(&file, now.tree().read(name))? else { continue };
        if before.tree().read(name)? != read {
            let item = Item::new(Level::Attention, "git-file-changed", file.clone()).quote(file);
            report.items.push(item.say(": is another one; vault does not change it"));
        }
    }
    Ok(())
}

/// What `vault.toml` protects less.
fn loosened(
    before: &Before,
    now: &Config,
    vault: Option<&Vault>,
    report: &mut Report,
) -> Result<(), Fault> {
    let at = format!("at {}", before.since().revision);
    let old = before.config().map_err(|fault| fault.within(&at));
    let Some(old) = report.take(CONFIG_FILE, old)? else { return Ok(()) };
    // Of both: a roster that is not the right one must not hide anything.
    let vaults = [vault, before.vault.as_ref()].into_iter().flatten();
    let environments = vaults.flat_map(|vault| vault.roster().environments.keys().cloned());
    let found = compare::loosened(&old, now, &environments.collect());
    report.items.extend(found.iter().map(tell::loosened));
    Ok(())
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
