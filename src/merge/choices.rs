//! The decisions of a person, on the command line or as answers to questions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::fault::Fault;
use crate::session::console::{Answer, is_interactive, not_confirmed};
use crate::session::context::Context;
use crate::session::prompt::visible;
use crate::vault::model::Entry;
use crate::vault::name::{EnvironmentName, MemberName, SecretName};

/// One side of a merge, in git's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Ours,
    Theirs,
}

impl Which {
    fn option(self) -> &'static str {
        match self {
            Self::Ours => "--ours",
            Self::Theirs => "--theirs",
        }
    }

    /// The side as `--take` names it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }
}

/// The command line of `resolve`.
pub(crate) struct Choices {
    /// The entries to take from the chosen side; if empty, every entry in question. Also the names that
    /// confirm an older or a missing file.
    pub(crate) names: BTreeSet<String>,
    /// The side chosen for entries.
    pub(crate) side: Option<Which>,
    /// The side chosen for single entries, and for members' keys.
    pub(crate) take: BTreeMap<String, Which>,
    /// Entries to sign whose signer may no longer write.
    pub(crate) adopt: BTreeSet<SecretName>,
    pub(crate) answer: Answer,
    /// The typed names that decided something.
    pub(crate) used: RefCell<BTreeSet<String>>,
}

impl Choices {
    /// Asks for a yes to `question`.
    ///
    /// # Errors
    /// `Refused` without one, or without a terminal and `--yes`.
    pub(super) fn confirm(&self, context: &Context, question: &str) -> Result<(), Fault> {
        crate::session::console::confirm(context.console, question, self.answer)
    }

    /// Asks for a yes about `name`, which counts on the command line only together with its name.
    ///
    /// # Errors
    /// `Refused` without a yes, or without a terminal and the name.
    pub(super) fn confirm_name(
        &self,
        context: &Context,
        name: &str,
        question: &str,
    ) -> Result<(), Fault> {
        if self.names.contains(name) {
            self.uses(name);
            if self.answer == Answer::Yes {
                return Ok(());
            }
        }
        if !is_interactive() {
            let statement = question.trim_end_matches('?').replace("? ", ". ");
            return Err(Fault::refused(format!(
                "cannot ask for confirmation without a terminal: {statement}"
            ))
            .hint(format!(
                "to confirm it, name it: `vault resolve {name} --yes`"
            )));
        }
        let typed = visible(context.console, &format!("{question} [y/N] "))?;
        if matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(not_confirmed())
    }

    /// The side that `name` gets its keys from.
    ///
    /// # Errors
    /// If it was not chosen.
    pub(super) fn keys_of(&self, name: &MemberName) -> Result<Which, Fault> {
        self.taken(name.as_str()).ok_or_else(|| {
            Fault::refused(format!("both sides gave {name} other keys")).hint(format!(
                "choose: `vault resolve --take {name}=ours` (or `theirs`); the other keys never \
                 count again"
            ))
        })
    }

    /// The side that `--take` names for `name`.
    pub(super) fn taken(&self, name: &str) -> Option<Which> {
        let which = self.take.get(name).copied()?;
        self.uses(name);
        Some(which)
    }

    /// Whether the caller takes over an entry whose signer may no longer write.
    pub(super) fn adopts(&self, name: &SecretName) -> bool {
        let is_typed = self.adopt.contains(name);
        if is_typed {
            self.uses(name.as_str());
        }
        is_typed
    }

    fn uses(&self, typed: &str) {
        self.used.borrow_mut().insert(typed.to_owned());
    }

    /// Checks that everything that was typed decided something.
    ///
    /// # Errors
    /// If a name did not.
    pub(super) fn check_used(&self) -> Result<(), Fault> {
        let used = self.used.borrow();
        let adopted = self.adopt.iter().map(SecretName::as_str);
        let mut typed = self
            .names
            .iter()
            .chain(self.take.keys())
            .map(String::as_str)
            .chain(adopted);
        match typed.find(|name| !used.contains(*name)) {
            Some(name) => Err(
                Fault::usage(format!("there is nothing to decide about {name}"))
                    .hint(format!("leave {name} out")),
            ),
            None => Ok(()),
        }
    }

    /// The side that the command line names for an entry.
    fn side_of(&self, environment: &EnvironmentName, name: &SecretName) -> Option<Which> {
        let full = format!("{environment}/{name}");
        if let Some(which) = self.taken(&full).or_else(|| self.taken(name.as_str())) {
            return Some(which);
        }
        let typed = [full.as_str(), name.as_str()];
        let named = typed.into_iter().find(|typed| self.names.contains(*typed));
        if let Some(named) = named {
            self.uses(named);
        }
        self.side
            .filter(|_| self.names.is_empty() || named.is_some())
    }

    /// The side that an entry is taken from that both changed. `show` gives both values to a person
    /// who asks for them.
    ///
    /// # Errors
    /// If it was not chosen, and no one can be asked.
    pub(super) fn entry(
        &self,
        context: &Context,
        environment: &EnvironmentName,
        name: &SecretName,
        sides: (Option<&Entry>, Option<&Entry>),
        show: &dyn Fn() -> String,
    ) -> Result<Which, Fault> {
        if let Some(side) = self.side_of(environment, name) {
            return Ok(side);
        }
        let described = |side: Which, entry| format!("  {}: {}", side.option(), described(entry));
        let facts = format!(
            "{name} in {environment} was changed on both sides:\n{}\n{}",
            described(Which::Ours, sides.0),
            described(Which::Theirs, sides.1)
        );
        if !is_interactive() {
            return Err(Fault::refused(facts).hint(format!(
                "choose: `vault resolve {name} --ours` (or `--theirs`), or for each secret: \
                 `--take {environment}/{name}=ours`"
            )));
        }
        let mut question = format!("{facts}\nKeep which? [ours/theirs/show values] ");
        loop {
            let typed = visible(context.console, &question)?;
            match typed.trim().to_lowercase().as_str() {
                "o" | "ours" => return Ok(Which::Ours),
                "t" | "theirs" => return Ok(Which::Theirs),
                "s" | "show" | "show values" => {
                    question = format!("{}\nKeep which? [ours/theirs] ", show());
                }
                _ => return Err(not_confirmed()),
            }
        }
    }
}

/// Who set an entry and when; never its value.
fn described(entry: Option<&Entry>) -> String {
    let Some(entry) = entry else {
        return "the file is gone".to_owned();
    };
    let what = if entry.sealed.is_some() {
        "set"
    } else {
        "removed"
    };
    format!(
        "{what} by {} at {}, revision {}",
        entry.author,
        entry.changed.as_str(),
        entry.revision
    )
}
