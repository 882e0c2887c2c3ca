//! `vault ci add --wrap`: a command of the admin's turns the credential into something that may be
//! kept in the open.

use std::ffi::OsStr;
use std::sync::Arc;

use crate::crypto::base64url_decode;
use crate::fault::Fault;
use crate::keys::{self, Credential};
use crate::mask::{Masker, Masking, Matcher, Needles, forms};
use crate::secret::Secret;
use crate::session::context::Context;

/// The characters of a credential that give its key away, without the prefix that says what it is.
const TELLING: usize = 40;
const HIDDEN: &str = "the command of `--wrap` printed the credential itself";

/// Wraps `credential` with `command`. Passes on its standard error.
///
/// # Errors
/// If the command fails, or its output has the credential in a masked spelling.
pub(super) fn wrap(
    context: &Context,
    command: &OsStr,
    credential: &Credential,
) -> Result<Secret, Fault> {
    let text = credential.to_text();
    let matcher = matcher(&text, &credential.identity.to_text());
    let wrapped = keys::wrap(command, &text)?;
    let is_open = |printed: &Secret| holds(&matcher, printed);
    if is_open(&wrapped.said) || wrapped.output.as_ref().is_ok_and(is_open) {
        return Err(Fault::usage(HIDDEN)
            .hint("nothing was changed; the command must encrypt what it reads, and print that"));
    }
    for line in String::from_utf8_lossy(wrapped.said.expose()).lines() {
        context.console.note(line);
    }
    wrapped.output
}

/// Looks for the credential, its key, and the beginning of its payload, also decoded.
fn matcher(text: &Secret, identity: &Secret) -> Arc<Matcher> {
    let body = text.expose().iter().position(|byte| *byte == b'_');
    let body = &text.expose()[body.map_or(0, |at| at + 1)..];
    let mut needles = Needles::new();
    let start = &body[..TELLING.min(body.len())];
    let mut values: Vec<Secret> = [text.expose(), identity.expose(), body, start]
        .map(|value| Secret::new(value.to_vec()))
        .into();
    let decoded = [body, start].map(|text| base64url_decode(std::str::from_utf8(text).ok()?));
    values.extend(decoded.into_iter().flatten().map(Secret::new));
    for value in &values {
        let _ = forms::add(&mut needles, "the credential", value, Masking::Always);
    }
    Arc::new(Matcher::new(needles))
}

/// Whether it is in the text as it is, or without the blanks and signs of a dump.
fn holds(matcher: &Arc<Matcher>, printed: &Secret) -> bool {
    let is_dense = |byte: &&u8| !byte.is_ascii_whitespace() && !b":,".contains(byte);
    let mut dense = Vec::with_capacity(printed.len());
    dense.extend(printed.expose().iter().filter(is_dense));
    is_masked(matcher, printed) || is_masked(matcher, &Secret::new(dense))
}

fn is_masked(matcher: &Arc<Matcher>, text: &Secret) -> bool {
    let mut masker = Masker::new(Arc::clone(matcher));
    let mut shown = Vec::with_capacity(text.len() + 1);
    masker.feed(text.expose(), &mut shown);
    masker.finish(&mut shown);
    !Secret::new(shown).same_as(text)
}
