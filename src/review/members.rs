//! The checks of the members' files: which count, which do not, and who knows a data key.

use std::collections::BTreeMap;

use super::check::below;
use super::report::{Item, Level, Report};
use crate::fault::{Fault, plural};
use crate::session::given::unaccounted;
use crate::vault::format::{MEMBERS, ROOT_PATH, member_path};
use crate::vault::model::Member;
use crate::vault::name::MemberName;
use crate::vault::trust::{Members, Remarks, Vault, not_counting};

/// Reports files that do not count, parts of files that do not, and members who cannot read yet.
pub(super) fn check_members(vault: &Vault, report: &mut Report) -> Result<(), Fault> {
    let Some(members) = report.take(&below(MEMBERS), vault.members())? else {
        return Ok(());
    };
    for (name, fault) in &members.invalid {
        let refused: Result<(), Fault> = Err(fault.clone());
        report.take(&below(&member_path(name)), refused)?;
    }
    for (name, (_, reason)) in &members.ignored {
        let fault = not_counting(name, reason);
        report.items.push(
            item(Level::Finding, "member-ignored", name)
                .text(": ")
                .quote(fault.reason()),
        );
    }
    for file in &members.unexpected {
        let file = below(&format!("{MEMBERS}/{}", file.escape_debug()));
        report.items.push(
            Item::new(Level::Finding, "unexpected-file", file.clone())
                .quote(file)
                .text(": is not the file of a member"),
        );
    }
    for (name, remarks) in &members.remarks {
        check_remarks(name, remarks, report);
    }
    check_same_recipients(members, report);
    check_records(vault, report);
    for (name, member) in &members.counting {
        check_sealed(vault, name, member, report);
    }
    for environment in vault.root().environments.values() {
        for name in unaccounted(vault, environment)? {
            // That they cannot read it is reported above.
            let finding = Item::new(Level::Finding, "hidden-member", below(ROOT_PATH))
                .detail("environment", environment.name.as_str())
                .detail("member", name.as_str())
                .quote(&environment.name)
                .text("'s key is known to ")
                .quote(&name)
                .text(", who is not a member here");
            report.items.push(finding);
        }
    }
    Ok(())
}

fn item(level: Level, kind: &'static str, name: &MemberName) -> Item {
    let file = below(&member_path(name));
    Item::new(level, kind, file.clone())
        .detail("member", name.as_str())
        .quote(file)
}

fn check_remarks(name: &MemberName, remarks: &Remarks, report: &mut Report) {
    if remarks.is_ahead {
        report.items.push(
            item(Level::Finding, "interrupted", name)
                .text(": is newer than the root says: a revocation was interrupted, or someone put it there: ")
                .command(format!("vault members set {name}")),
        );
    }
    for (environment, leftover) in &remarks.leftovers {
        let what = match (leftover.has_access, leftover.keys) {
            (true, 0) => "access that does not count".to_owned(),
            (true, keys) => format!("access that does not count, and {}", old_keys(keys)),
            (false, keys) => old_keys(keys),
        };
        report.items.push(
            item(Level::Note, "leftover", name)
                .detail("environment", environment.as_str())
                .text(": still has ")
                .text(what)
                .text(" in ")
                .quote(environment)
                .text(", until it is next written"),
        );
    }
}

fn old_keys(count: usize) -> String {
    plural(count, "key of an unlisted epoch", "keys of unlisted epochs")
}

/// A former member whose name the root still lists as a member's.
fn check_records(vault: &Vault, report: &mut Report) {
    let (root, file) = (vault.root(), below(ROOT_PATH));
    let is_former = |name: &&MemberName| root.former.contains_key(*name);
    for name in root.members.keys().filter(is_former) {
        report.items.push(
            Item::new(Level::Finding, "former-and-member", file.clone())
                .detail("member", name.as_str())
                .quote(&file)
                .text(": lists ")
                .quote(name)
                .text(" as a member and as a former one"),
        );
    }
}

/// Two members with one recipient: removing one of them takes nothing from the other.
fn check_same_recipients(members: &Members, report: &mut Report) {
    let mut first: BTreeMap<String, &MemberName> = BTreeMap::new();
    for (name, member) in &members.counting {
        let recipient = member.recipient.to_string();
        match first.get(&recipient) {
            Some(other) => report.items.push(
                item(Level::Finding, "recipient-shared", name)
                    .detail("other", other.as_str())
                    .text(": has the recipient of ")
                    .quote(other)
                    .text(": remove one of the two names"),
            ),
            None => drop(first.insert(recipient, name)),
        }
    }
}

/// Checks that a member can read where they have access, and that each sealed key is sealed to their
/// recipient alone.
fn check_sealed(vault: &Vault, name: &MemberName, member: &Member, report: &mut Report) {
    for (place, environment) in &vault.root().environments {
        let has_access = member.access.contains_key(place);
        if has_access && member.sealed_key(place, environment.newest()).is_none() {
            report.items.push(
                Item::new(Level::Finding, "cannot-read-yet", below(&member_path(name)))
                    .detail("environment", place.as_str())
                    .detail("member", name.as_str())
                    .quote(name)
                    .text(" cannot read ")
                    .quote(place)
                    .text(" until an admin runs ")
                    .command("vault members sync"),
            );
        }
    }
    let seeds = member.signing.as_ref().map(|signing| &signing.seed);
    let keys = member.sealed.values().flat_map(BTreeMap::values);
    let mut sealed = seeds.into_iter().chain(&member.authority).chain(keys);
    if !sealed.all(|sealed| member.recipient.is_alone_in(sealed)) {
        report.items.push(
            item(Level::Finding, "sealed-to-others", name)
                .text(": a key in it is not sealed to this member's recipient alone"),
        );
    }
}
