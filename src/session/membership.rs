//! Steps that changes of members share: the confirmation of a request, and the questions to an admin.

use std::collections::{BTreeMap, BTreeSet};

use super::admin::interrupted;
use super::console::{Answer, confirm, is_interactive};
use super::context::Context;
use super::grant::no_member;
use super::open::Session;
use super::past::before_revocation;
use super::prompt::visible;
use crate::crypto::Fingerprint;
use crate::fault::Fault;
use crate::vault::format::{fingerprint, request_path};
use crate::vault::model::{Member, Membership, Request};
use crate::vault::name::{EnvironmentName, MemberName};
use crate::vault::trust::{Ignored, MemberFile, Members, Vault, not_counting};

/// Explains why `name` cannot be changed: their file does not count, or they are not a member.
///
/// # Errors
/// If the members' folder cannot be opened.
pub(crate) fn not_a_counting_member(vault: &Vault, name: &MemberName) -> Result<Fault, Fault> {
    Ok(match vault.member(name)?.as_deref() {
        Some(MemberFile::Ignored(_, reason)) if *reason != Ignored::FormerName => {
            not_counting(name, reason).hint(format!(
                "to add them again with another name, first remove this one: `vault members remove {name}`"
            ))
        }
        Some(MemberFile::Invalid(fault)) => fault.clone(),
        _ => no_member(&vault.membership()?, name),
    })
}

/// The admin enters the fingerprint that they received, because the repository could show any.
/// `what` explains the purpose to them, and `asked` is the command that made the request.
pub(crate) fn confirm_request(
    context: &Context,
    request: &Request,
    told: Option<&str>,
    what: &str,
    asked: &str,
) -> Result<(), Fault> {
    let name = &request.name;
    let typed = match told {
        Some(fingerprint) => fingerprint.to_owned(),
        None if is_interactive() => {
            let question = format!(
                "{what}\nType the fingerprint that {name} gave you outside this repository: "
            );
            visible(context.console, &question)?
        }
        None => {
            return Err(
                Fault::usage("cannot tell whose request this is without its fingerprint").hint(
                    format!(
                        "ask {name} for it outside this repository, then pass `--fingerprint …`"
                    ),
                ),
            );
        }
    };
    if typed
        .parse()
        .is_ok_and(|typed: Fingerprint| typed == fingerprint(request))
    {
        return Ok(());
    }
    let path = request_path(name);
    Err(Fault::refused_file(
        &path,
        format!("has another fingerprint than the one {name} gave you"),
    )
    .hint(
        "a typing error, an older request, or someone changed it: `git log -p -- .vault/requests`",
    )
    .hint(format!(
        "{name} can print it again in the clone of the request: `{asked}`"
    )))
}

/// The question before an admin loses that role.
pub(crate) fn authority_question(name: &MemberName) -> String {
    format!(
        "replace the authority, which {name} knows? The vault gets a new id, which everyone has to \
         trust again, and every credential has to be made again."
    )
}

/// The environments that get a new epoch if `names` lose everything: every one that the caller can
/// write to, whatever access their files show, because another branch may have granted more.
///
/// # Errors
/// If one of them has access where the caller may not write.
pub(crate) fn rotated_without(
    context: &Context,
    session: &Session,
    names: &[MemberName],
) -> Result<BTreeSet<EnvironmentName>, Fault> {
    let (root, members) = (session.vault.root(), session.vault.members()?);
    let (mut epochs, mut others) = (BTreeSet::new(), Vec::new());
    for (place, environment) in &root.environments {
        if session.holder().member().signer_in(place).is_some() {
            epochs.insert(place.clone());
            continue;
        }
        let knows = |name: &&MemberName| {
            let ignored = members.ignored.get(*name).map(|(member, _)| member);
            let member = members.counting.get(*name).or(ignored);
            environment.given.contains(*name)
                || member.is_some_and(|member| member.access.contains_key(place))
        };
        match names.iter().find(knows) {
            Some(name) => return Err(not_writer(session, members, place, name)),
            None => others.push(place.as_str()),
        }
    }
    if !others.is_empty() {
        context.console.note(format!(
            "no new epoch where you may not write: {}",
            others.join(", ")
        ));
    }
    Ok(epochs)
}

fn not_writer(
    session: &Session,
    members: &Members,
    environment: &EnvironmentName,
    name: &MemberName,
) -> Fault {
    let own = session.name();
    let fault = Fault::locked(format!(
        "{own} may not write in {environment}, and {name} has access there"
    ));
    let admins = members
        .counting
        .iter()
        .filter(|(_, member)| member.is_admin() && member.signer_in(environment).is_some());
    let admins: Vec<&str> = admins.map(|(name, _)| name.as_str()).collect();
    if admins.is_empty() {
        return fault.hint(format!(
            "no admin may: first give one write access, or `vault environments remove \
             {environment}`"
        ));
    }
    fault
        .hint(format!(
            "ask an admin who can write there: {}",
            admins.join(", ")
        ))
        .hint(format!(
            "or they first take that access: `vault members set {name} -e {environment}=none`"
        ))
}

/// A member with access to an environment whose newest data key is not sealed to them.
pub(crate) type Unsealed = (MemberName, EnvironmentName);

/// Members with access who cannot read yet: they were added on a branch while another one rotated.
///
/// # Errors
/// If the members cannot be read.
pub(crate) fn unsealed(vault: &Vault) -> Result<Vec<Unsealed>, Fault> {
    let mut unsealed = Vec::new();
    for (name, member) in &vault.members()?.counting {
        for (place, environment) in &vault.root().environments {
            let newest = environment.newest();
            if member.access.contains_key(place) && member.sealed_key(place, newest).is_none() {
                unsealed.push((name.clone(), place.clone()));
            }
        }
    }
    Ok(unsealed)
}

/// Says that a member cannot read an environment yet, and who changes that.
pub(crate) fn cannot_read(member: &MemberName, environment: &EnvironmentName) -> String {
    format!("{member} cannot read {environment} until an admin runs `vault members sync`")
}

/// Asks whether to complete the revocations of `names` that were interrupted. Returns those, with the
/// members' files from before them.
///
/// # Errors
/// `Refused` without a yes.
pub(crate) fn confirm_completions(
    context: &Context,
    session: &Session,
    names: &[MemberName],
    answer: Answer,
) -> Result<BTreeMap<MemberName, Vec<Member>>, Fault> {
    let remarks = &session.vault.members()?.remarks;
    let is_ahead = |name: &&MemberName| remarks.get(*name).is_some_and(|own| own.is_ahead);
    let mut completed = BTreeMap::new();
    for name in names.iter().filter(is_ahead) {
        let question = format!(
            "complete the revocation of {name}? Its file is newer than the root says: it was \
             interrupted, or someone put the file there."
        );
        confirm(context.console, &question, answer)
            .map_err(|fault| fault.hints_of(&interrupted(name)))?;
        completed.insert(name.clone(), before_revocation(session, name)?);
    }
    Ok(completed)
}

/// Checks under the lock that the confirmed facts have not changed.
pub(crate) fn check_unchanged(
    membership: &Membership,
    name: &MemberName,
    seen: Option<&Member>,
) -> Result<(), Fault> {
    if membership.members.get(name) == seen {
        return Ok(());
    }
    Err(Fault::refused(format!(
        "the access of {name} was changed while this command ran"
    ))
    .hint("see the present access: `vault members list`"))
}
