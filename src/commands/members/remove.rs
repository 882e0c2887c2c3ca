//! `vault members remove`: removes a member and re-encrypts everything they could read.

use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::caller_key::CallerKey;
use crate::session::change_report;
use crate::session::console::{Answer, confirm};
use crate::session::context::Context;
use crate::session::grant::member;
use crate::session::membership::{authority_question, check_unchanged};
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::renewal::{Wanted, foresee, renew};
use crate::vault::name::MemberName;

pub(crate) fn remove(
    context: &Context,
    key: CallerKey,
    name: &MemberName,
    answer: Answer,
    style: Style,
) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let mut after = session.vault.roster().clone();
    let seen = member(&after, name)?.clone();
    after.dismiss(name);
    if foresee(&session, &after)?.authority {
        confirm(context.console, &authority_question(name), answer)?;
    }
    let floor = session.vault.roster().floor;
    let mut admin = Admin::start_anew(context, &mut session)?;
    let mut after = admin.roster();
    check_unchanged(&after, name, &seen)?;
    after.dismiss(name);
    let renewed = renew(context, &mut admin, after, &Wanted::default())?;
    admin.finish(context)?;
    context.console.note(format!("removed the member {name}"));
    change_report::report(context, &session, &renewed, floor);
    change_report::report_exposures(context, &session, name, style)?;
    context.console.note("next: commit .vault");
    Ok(())
}
