//! A request to become a member, or to replace a member's key, as it is made and shown to the caller.

use serde_json::json;

use super::context::Context;
use super::output::Style;
use crate::crypto::{Identity, SigningKey};
use crate::fault::Fault;
use crate::vault::format::{fingerprint, request_path, write_request};
use crate::vault::model::{Request, Signing};
use crate::vault::name::MemberName;
use crate::vault::signing::seal_seed;
use crate::vault::store::{NewFile, Place};
use crate::vault::trust::Vault;

/// Makes the request, with a new signing key that only `identity` can open.
pub(crate) fn ask(vault: &Vault, name: MemberName, identity: &Identity) -> (Request, NewFile) {
    let (recipient, key) = (identity.recipient(), SigningKey::generate());
    let signing = Signing {
        signer: key.public(),
        seed: seal_seed(&key, &recipient),
    };
    let request = Request {
        name,
        vault: vault.root().vault,
        recipient,
        signing,
    };
    let content = write_request(&request, &key);
    let path = request_path(&request.name);
    (request, NewFile { path, content })
}

/// Says what was requested, and how an admin answers.
pub(crate) fn report(
    context: &Context,
    vault: &Vault,
    place: &Place,
    request: &Request,
) -> Result<(), Fault> {
    let console = context.console;
    let path = place.store().join(request_path(&request.name));
    let (name, path) = (&request.name, path.display());
    let member = vault.counting(name)?;
    if member
        .as_ref()
        .is_some_and(|member| member.recipient == request.recipient)
    {
        console.note(format!("requested to join as {name}: {path}"));
        console.note(format!(
            "an admin can give {name} write access then: `vault members set {name} -e ENVIRONMENT=write`"
        ));
    } else if member.is_some() {
        console.note(format!("requested to replace {name}'s key: {path}"));
        console.note(format!(
            "an admin replaces {name}'s key with this one: `vault members set {name} --new-key`"
        ));
    } else {
        console.note(format!("requested to join as {name}: {path}"));
    }
    Ok(())
}

/// Says to whom the fingerprint goes.
pub(crate) fn report_fingerprint(context: &Context, vault: &Vault) -> Result<(), Fault> {
    let members = vault.members()?.counting.iter();
    let admins: Vec<&str> = members
        .filter(|(_, member)| member.is_admin())
        .map(|(name, _)| name.as_str())
        .collect();
    context.console.note(format!(
        "next: commit it, and give this fingerprint to an admin ({}) outside this repository:",
        admins.join(", ")
    ));
    Ok(())
}

/// Prints the fingerprint of the request.
pub(crate) fn print(context: &Context, request: &Request, style: Style) -> Result<(), Fault> {
    let fingerprint = fingerprint(request);
    match style {
        Style::Table => context.console.line(fingerprint),
        Style::Json => context.console.json(json!({
            "member": request.name.as_str(),
            "fingerprint": fingerprint.to_string(),
        })),
    }
}
