//! The report of `verify` as data: a row per environment, and items of three levels. It knows
//! nothing about the output formats.
//!
//! Names, paths, and revisions come from files and from the command line, so [`Words`] keeps them
//! apart from vault's own text: every format makes them harmless in its own way.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::{Map, Value};

use crate::crypto::{Tag, VaultId};
use crate::fault::{Fault, Kind, plural};
use crate::vault::name::{EnvironmentName, MemberName};

/// The kind of an item about a file that a check refused.
const REFUSED: &str = "refused";

/// The result of one run.
#[derive(Default)]
pub(crate) struct Report {
    /// The vault; `None` if its root is not valid.
    pub(super) vault: Option<VaultIdentity>,
    /// The revision it was compared with.
    pub(super) since: Option<Since>,
    pub(super) rows: Vec<Row>,
    pub(super) items: Vec<Item>,
    /// The way out of the first finding.
    pub(super) hint: Option<&'static str>,
}

/// The id and the state of the vault.
pub(super) struct VaultIdentity {
    pub(super) id: VaultId,
    pub(super) revision: u64,
    /// The latest revocation.
    pub(super) latest: Tag,
}

/// A git revision, as it was typed, and the commit that it meant.
pub(super) struct Since {
    pub(super) revision: String,
    /// The full name of the reference, or the id itself.
    pub(super) name: String,
    pub(super) commit: String,
}

impl Since {
    /// Returns the reference with the whole id: `refs/heads/main = 3f2a…`.
    pub(super) fn in_full(&self) -> String {
        let Self { name, commit, .. } = self;
        if name == commit {
            commit.clone()
        } else {
            format!("{name} = {commit}")
        }
    }
}

/// The result for one environment.
pub(super) struct Row {
    pub(super) environment: EnvironmentName,
    pub(super) counted: Counted,
    pub(super) result: Validity,
}

/// Counts of the valid entries of an environment.
pub(super) struct Counted {
    pub(super) secrets: usize,
    pub(super) tombstones: usize,
    pub(super) epoch: u64,
    pub(super) signers: BTreeSet<MemberName>,
}

/// Whether all entries of an environment are valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    Valid,
    Invalid,
}

/// How much an item matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Information about the present state, which may be as old as the vault.
    Note,
    /// An ordinary change by a member.
    Change,
    /// A change that a reviewer must agree to: someone has more access, or something protects less.
    Attention,
    /// A state that no member's command leaves. A single one makes `verify` fail.
    Finding,
}

/// One line of the report.
pub(super) struct Item {
    pub(super) level: Level,
    /// Part of the JSON contract: its meaning never changes.
    pub(super) kind: &'static str,
    /// The file, relative to the folder of `vault.toml`.
    pub(super) file: String,
    /// The environment, name, member, or step, and the values before and after.
    pub(super) details: Map<String, Value>,
    /// The sentence for people.
    pub(super) words: Words,
}

impl Item {
    pub(super) fn new(level: Level, kind: &'static str, file: impl Into<String>) -> Self {
        let (file, details, words) = (file.into(), Map::new(), Words::default());
        Self {
            level,
            kind,
            file,
            details,
            words,
        }
    }

    pub(super) fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Returns the person whom the item is about.
    fn person(&self) -> Option<&str> {
        self.details.get("member").and_then(Value::as_str)
    }

    /// Whether it says the same as `other`.
    fn repeats(&self, other: &Self) -> bool {
        (self.kind, &self.file, &self.details) == (other.kind, &other.file, &other.details)
    }

    /// Adds text of our own.
    pub(super) fn text(mut self, ours: impl Display) -> Self {
        self.words.0.push(Piece::Text(ours.to_string()));
        self
    }

    /// Adds text that comes from outside, or that must stay literal.
    pub(super) fn quote(mut self, theirs: impl Display) -> Self {
        self.words.0.push(Piece::Quoted(theirs.to_string()));
        self
    }

    /// Adds a command to type.
    pub(super) fn command(mut self, command: impl Display) -> Self {
        self.words.0.push(Piece::Command(command.to_string()));
        self
    }
}

/// A sentence of own and quoted text.
#[derive(Default)]
pub(super) struct Words(pub(super) Vec<Piece>);

/// A part of a sentence.
pub(super) enum Piece {
    /// Text of our own.
    Text(String),
    /// A name, a path, or a revision.
    Quoted(String),
    /// A command to type.
    Command(String),
}

impl Report {
    /// Returns the result of a check of `file`. If the check refused the file, this becomes a
    /// finding, and the result is `None`.
    ///
    /// # Errors
    /// If the check itself failed, for example because the disk did.
    pub(super) fn take<T>(
        &mut self,
        file: &str,
        result: Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.kind() == Kind::Failed => Err(fault),
            Err(fault) => {
                self.items.push(refused(file, &fault));
                Ok(None)
            }
        }
    }

    /// Returns the items of one level, in order.
    pub(super) fn level(&self, level: Level) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.level == level)
    }

    /// Orders the items: first the root, then person by person, then everything else.
    pub(super) fn group_by_person(&mut self, root: &str) {
        self.items.sort_by_cached_key(|item| {
            let person = item.person().map(ToOwned::to_owned);
            let rank = match person {
                Some(_) => 1,
                None if item.file == root => 0,
                None => 2,
            };
            (rank, person)
        });
    }

    /// Adds the findings of `other`, a comparison with `since`, that this report does not have.
    pub(super) fn add_findings(&mut self, other: Self, since: &Since) {
        let is_new = |item: &Item| {
            item.level == Level::Finding && !self.items.iter().any(|own| own.repeats(item))
        };
        let (found, _): (Vec<Item>, Vec<Item>) = other.items.into_iter().partition(is_new);
        let named = found.into_iter().map(|item| {
            item.detail("parent", since.commit.as_str())
                .text(" (compared with ")
                .quote(&since.revision)
                .text(")")
        });
        self.items.extend(named);
    }

    /// Whether nothing changed, as far as the report says.
    pub(super) fn is_unchanged(&self) -> bool {
        self.items.iter().all(|item| item.level == Level::Note)
    }

    /// Whether a check refused `file`.
    pub(super) fn has_refused(&self, file: &str) -> bool {
        self.items
            .iter()
            .any(|item| item.kind == REFUSED && item.file == file)
    }

    pub(super) fn findings(&self) -> usize {
        self.level(Level::Finding).count()
    }

    /// Fails if there are findings.
    ///
    /// # Errors
    /// [`Kind::Found`], with the number of findings.
    pub(crate) fn finish(&self) -> Result<(), Fault> {
        let count = self.findings();
        if count == 0 {
            return Ok(());
        }
        let fault = Fault::new(
            Kind::Found,
            format!(
                "verification failed: {}",
                plural(count, "finding", "findings")
            ),
        );
        Err(match self.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        })
    }
}

/// Makes an item of the refusal of `file`, or of another file that the check of it read.
fn refused(file: &str, fault: &Fault) -> Item {
    let (file, reason) = (fault.file().unwrap_or(file), fault.reason());
    Item::new(Level::Finding, REFUSED, file)
        .detail("reason", reason.as_str())
        .quote(file)
        .text(": ")
        .quote(reason)
}
