//! Steps that changes of members share: the confirmation of a request, and the questions to an admin.

use super::console::is_interactive;
use super::context::Context;
use super::prompt::visible;
use crate::crypto::Fingerprint;
use crate::fault::Fault;
use crate::vault::format::{fingerprint, request_path};
use crate::vault::model::{Member, Request, Roster};
use crate::vault::name::MemberName;

/// The admin enters the fingerprint that they received, because the repository could show any.
/// `what` explains the purpose to them.
pub(crate) fn confirm_request(
    context: &Context,
    request: &Request,
    told: Option<&str>,
    what: &str,
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
        "{name} can print it again in the clone of the request: `vault join --name {name}`"
    )))
}

/// The question before an admin loses that role.
pub(crate) fn authority_question(name: &MemberName) -> String {
    format!(
        "replace the authority, which {name} knows? The vault gets a new id, which everyone has to \
         trust again, and every credential has to be made again."
    )
}

/// Checks under the lock that the confirmed facts have not changed.
pub(crate) fn check_unchanged(
    roster: &Roster,
    name: &MemberName,
    seen: &Member,
) -> Result<(), Fault> {
    if roster.members.get(name) == Some(seen) {
        return Ok(());
    }
    Err(Fault::refused(format!(
        "the access of {name} was changed while this command ran"
    ))
    .hint("see the present access: `vault members list`"))
}
