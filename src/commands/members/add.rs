//! `vault members add`: somebody who asked to join, or a bare recipient that may read.

use std::collections::BTreeMap;

use crate::crypto::Recipient;
use crate::fault::Fault;
use crate::session::admin::Admin;
use crate::session::context::Context;
use crate::session::grant::{check_free, grant};
use crate::session::open::Session;
use crate::vault::change::Role;
use crate::vault::model::{Access, Member};
use crate::vault::name::{EnvironmentName, MemberName};

/// The command line of `members add`.
pub(crate) struct Add {
    pub(crate) name: MemberName,
    pub(crate) access: BTreeMap<EnvironmentName, Access>,
    pub(crate) role: Role,
    pub(crate) fingerprint: Option<String>,
    pub(crate) recipient: Option<String>,
}

pub(crate) fn add(context: &mut Context, command: &Add) -> Result<(), Fault> {
    let mut session = Session::open(context)?;
    let mut admin = Admin::start(context, &mut session)?;
    let mut roster = admin.roster();
    check_free(&roster, &command.name)?;
    let mut member = match (&command.recipient, &command.fingerprint) {
        (Some(recipient), _) => reader(recipient)?,
        (None, _) => return Err(Fault::usage("requests to join are not read yet")),
    };
    if command.role == Role::Admin {
        member.authority = Some(admin.hand().share(&member.recipient));
    }
    roster.members.insert(command.name.clone(), member);
    let grants = BTreeMap::from([(command.name.clone(), command.access.clone())]);
    grant(context, &mut admin, &mut roster, &grants)?;
    admin.finish(context)
}

/// Somebody of whom no more is known than the recipient.
fn reader(recipient: &str) -> Result<Member, Fault> {
    let recipient: Recipient = recipient.parse().map_err(|_| {
        Fault::usage("not a recipient").hint("it is one word, age1…: vault key show prints it")
    })?;
    Ok(Member {
        recipient,
        access: BTreeMap::new(),
        signing: None,
        authority: None,
        credential_floor: None,
        lost: BTreeMap::new(),
    })
}
