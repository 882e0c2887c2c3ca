//! `vault members remove`: somebody leaves, and everything they could read is sealed anew.

use crate::commands::aftermath;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::grant::member;
use crate::session::open::Session;
use crate::session::renewal::{Wanted, foresee, renew};
use crate::vault::model::{Member, Roster};
use crate::vault::name::MemberName;

pub(crate) fn remove(
    context: &mut Context,
    name: &MemberName,
    answer: Answer,
) -> Result<(), Fault> {
    let mut session = Session::open(context)?;
    let mut after = session.vault.roster().clone();
    let seen = member(&after, name)?.clone();
    after.dismiss(name);
    if foresee(&session, &after)?.authority {
        confirm(context.console, &taken(name), answer)?;
    }
    let floor = session.vault.roster().floor;
    let mut admin = Admin::start_anew(context, &mut session)?;
    let mut after = admin.roster();
    unchanged(&after, name, &seen)?;
    after.dismiss(name);
    let renewed = renew(context, &mut admin, after, &Wanted::default())?;
    admin.finish(context)?;
    context.console.note(format!("removed the member {name}"));
    aftermath::tell(context, &session, &renewed, floor);
    aftermath::known(context, &session, name)?;
    context.console.note("next: commit .vault");
    Ok(())
}

/// What is asked before an admin is one no more.
pub(super) fn taken(name: &MemberName) -> String {
    format!(
        "{name} knows the authority. The vault gets a new one and a new id, which everybody has to \
         trust anew, and every credential has to be made again. Go on?"
    )
}

/// What somebody was asked about must still be so under the lock.
pub(super) fn unchanged(roster: &Roster, name: &MemberName, seen: &Member) -> Result<(), Fault> {
    if roster.members.get(name) == Some(seen) {
        return Ok(());
    }
    Err(Fault::refused(format!("what {name} may do was changed meanwhile"))
        .hint("see what it is now: vault members list"))
}
