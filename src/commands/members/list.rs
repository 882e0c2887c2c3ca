//! `vault members list`: lists the members and their access. Needs no key.

use serde_json::json;

use crate::crypto::base64_encode;
use crate::fault::Fault;
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::keyless;
use crate::session::membership::{Unsealed, cannot_read, unsealed};
use crate::session::output::{Style, access_json, plain_table, spelled};
use crate::vault::model::Member;
use crate::vault::name::MemberName;

pub(crate) fn list(context: &Context, mut key: CallerKey, style: Style) -> Result<(), Fault> {
    let place = context.place(&mut key)?;
    let (vault, _) = keyless::open(context, &place, key.credential(context.console)?)?;
    let members = &vault.members()?.counting;
    let waiting = unsealed(&vault)?;
    if style == Style::Json {
        let rows: Vec<_> = members.iter().map(|own| row(own, &waiting)).collect();
        return context.console.json(json!({ "members": rows }));
    }
    let mut table = plain_table(&["MEMBER", "ROLE", "ACCESS", "RECIPIENT"]);
    for (name, member) in members {
        let places: Vec<String> = member.access.iter().map(spelled).collect();
        let access = if places.is_empty() {
            "nothing".to_owned()
        } else {
            places.join(" ")
        };
        table.add_row([
            name.to_string(),
            role(member),
            access,
            member.recipient.shown(),
        ]);
    }
    context.console.line(table.trim_fmt())?;
    for (member, environment) in &waiting {
        context.console.line(cannot_read(member, environment))?;
    }
    Ok(())
}

fn role(member: &Member) -> String {
    match member.credential {
        Some(_) => "machine".to_owned(),
        None if member.is_admin() => "admin".to_owned(),
        None => "member".to_owned(),
    }
}

fn row((name, member): (&MemberName, &Member), waiting: &[Unsealed]) -> serde_json::Value {
    let own = waiting.iter().filter(|(member, _)| member == name);
    let cannot_read: Vec<&str> = own.map(|(_, environment)| environment.as_str()).collect();
    let access: serde_json::Map<_, _> = member
        .access
        .iter()
        .map(|(environment, access)| (environment.to_string(), access_json(access)))
        .collect();
    let signer = member
        .signing
        .as_ref()
        .map(|signing| base64_encode(signing.signer.as_bytes()));
    json!({
        "member": name.as_str(),
        "admin": member.is_admin(),
        "access": access,
        "recipient": member.recipient.to_string(),
        "signer": signer,
        "credential": member.credential.map(|tag| tag.to_string()),
        "cannot_read_yet": cannot_read,
    })
}
