//! A vault that is new to the caller, who alone can say that it is the right one.
//!
//! Anyone who can write to the repository can put a vault of their own there. So the caller pastes
//! the id that a colleague sent. The question never shows the id in the repository: otherwise
//! people would copy it from there.

use super::console::{Console, is_interactive};
use super::context::Context;
use super::prompt::visible;
use crate::crypto::VaultId;
use crate::fault::{Fault, Kind};
use crate::keys::Found;
use crate::vault::trust::{Pin, Trust, UnverifiedRoot, Vault};

/// How often an id can be pasted.
const ATTEMPTS: u8 = 3;

/// What to do if no one can be asked, or no one answers.
pub(crate) const LATER: &str =
    "ask a colleague for the output of `vault id`, then: `vault trust ID`";

/// Asks a person at a terminal for the id of a vault that is new to them.
///
/// # Errors
/// If no one can be asked, or the right id was not pasted.
pub(crate) fn confirm_new_vault(
    context: &Context,
    presented: &UnverifiedRoot,
    key: &Found,
) -> Result<(), Fault> {
    let id = presented.id();
    if key.credential.is_some() || !is_interactive() || context.state_folder().is_none() {
        return Err(untrusted(&id));
    }
    let question = format!("This vault is new to you. {QUESTION}: ");
    // Only with the right id is anything else of it looked at.
    let check = |pin: &Pin| presented.judge(&only(pin), "").map(drop);
    match ask_for_id(context.console, &id, &check, &question)? {
        Some(_) => Ok(()),
        None => Err(Fault::locked("the vault is not trusted: no id was given").hint(LATER)),
    }
}

/// The question, for every command that asks it.
pub(crate) const QUESTION: &str = "Paste the id that a colleague sent you (vault1…)";

const AGAIN: &str = "Paste the id again: ";

/// Asks `question` until the answer is `id`, at most three times. Returns `None` if the answer is
/// empty.
///
/// # Errors
/// If no answer was the id, or `check` refuses the answer.
pub(crate) fn ask_for_id(
    console: Console,
    id: &VaultId,
    check: &dyn Fn(&Pin) -> Result<(), Fault>,
    question: &str,
) -> Result<Option<Pin>, Fault> {
    let mut question = question;
    let mut is_of_another = false;
    for _ in 0..ATTEMPTS {
        let answer = match visible(console, question) {
            Err(fault) if fault.kind() == Kind::Usage => Err(fault),
            answer => Ok(answer?),
        };
        let pin = match answer.as_deref().map(str::trim) {
            Ok("") => return Ok(None),
            Ok(answer) => Pin::typed(answer),
            Err(fault) => Err((*fault).clone()),
        };
        match pin {
            Ok(pin) if pin.vault == *id => {
                check(&pin)?;
                return Ok(Some(pin));
            }
            Ok(_) => {
                is_of_another = true;
                console.report("That is the id of another vault than the one here.");
            }
            Err(fault) => console.report(fault),
        }
        question = AGAIN;
    }
    let reason = "none of the answers is its id";
    if is_of_another {
        return Err(
            Fault::refused(format!("the vault is not trusted: {reason}"))
                .hint("if a colleague sent that id, someone replaced .vault: tell your colleagues")
                .restore(""),
        );
    }
    Err(Fault::locked(format!("the vault is not trusted: {reason}")).hint(LATER))
}

/// Asks for an id, whatever vault is here, until the answer is one, at most three times.
///
/// # Errors
/// If no answer was an id.
pub(crate) fn pasted_id(console: Console) -> Result<Pin, Fault> {
    let mut question = format!("{QUESTION}: ");
    for _ in 0..ATTEMPTS {
        let answer = visible(console, &question)?;
        if answer.trim().is_empty() {
            break;
        }
        match Pin::typed(&answer) {
            Ok(pin) => return Ok(pin),
            Err(fault) => console.report(fault),
        }
        AGAIN.clone_into(&mut question);
    }
    Err(Fault::usage("no id was given").hint(LATER))
}

/// Whether `vault` is as `pin` demands.
///
/// # Errors
/// If it has another id, or does not list the revocation that the pin names.
pub(crate) fn check_pin(vault: &Vault, pin: &Pin) -> Result<(), Fault> {
    only(pin).judge(vault.root(), vault.sha256(), "").map(drop)
}

fn only(pin: &Pin) -> Trust {
    Trust {
        pins: vec![*pin],
        states: Vec::new(),
    }
}

/// No one has said that this is the right vault; says how.
pub(crate) fn untrusted(id: &VaultId) -> Fault {
    Fault::locked("the id of this vault has not been confirmed yet")
        .hint(format!(
            "in CI, after comparing it with a colleague, set `VAULT_ID={id}`"
        ))
        .hint(format!("on your own machine: {LATER}"))
}
