//! `vault get`: prints the exact bytes of one value to standard output.

use crate::fault::{Fault, Kind};
use crate::session::caller_key::CallerKey;
use crate::session::context::Context;
use crate::session::document::Document;
use crate::session::open::Session;
use crate::session::output::Style;
use crate::session::read::{self, Wanted};
use crate::session::release::Release;
use crate::vault::name::{EnvironmentName, SecretName};

pub(crate) fn get(
    context: &Context,
    key: CallerKey,
    name: &SecretName,
    environment: Option<&EnvironmentName>,
    style: Style,
) -> Result<(), Fault> {
    let mut session = Session::open(context, key)?;
    let environment = session.environment(context, environment)?;
    let question = format!("print {name} of {environment}?");
    let release = Release::ask(context, &session, &environment, &question)?;
    let mut read = read::values(
        &mut session,
        &release,
        &Wanted::Names(std::slice::from_ref(name)),
    )?;
    session.remember(context)?;
    read::warn(context, &environment, &read);
    let (_, value) = read
        .secrets
        .pop()
        .ok_or_else(|| read::no_secret(&session, &environment, name, Kind::Usage))?;
    match style {
        Style::Table => context.console.reveal(value.expose()),
        Style::Json => {
            let document = Document::new()
                .text("name", name.as_str())
                .bytes("value", &value);
            context.console.reveal(document.finish().expose())
        }
    }
}
