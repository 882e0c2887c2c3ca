//! What `verify` has to tell, as data: a row per environment, and items of three levels. The
//! formats write it; nothing here knows how.
//!
//! Names, paths and revisions come from files and from whoever typed them, so [`Words`] keeps them
//! apart from our own: every format makes them harmless in its own way.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::{Map, Value};

use crate::crypto::VaultId;
use crate::fault::{Fault, Kind};
use crate::vault::name::{EnvironmentName, MemberName};

/// The kind of what a check refused.
const REFUSED: &str = "refused";

/// Everything that one run tells.
#[derive(Default)]
pub(crate) struct Report {
    /// The vault; nothing where its roster does not hold.
    pub(super) vault: Option<VaultIdentity>,
    /// With what it was compared.
    pub(super) since: Option<Since>,
    pub(super) rows: Vec<Row>,
    pub(super) items: Vec<Item>,
    /// What to do about the first finding.
    pub(super) hint: Option<&'static str>,
}

/// Which vault it is.
pub(super) struct VaultIdentity {
    pub(super) id: VaultId,
    pub(super) revision: u64,
    pub(super) floor: u64,
}

/// A git revision, as it was named and as the commit that it meant.
pub(super) struct Since {
    pub(super) revision: String,
    /// How it was found, in full: a reference, or the id itself.
    pub(super) name: String,
    pub(super) commit: String,
}

impl Since {
    /// `refs/heads/main = 3f2a…`, with the whole id.
    pub(super) fn in_full(&self) -> String {
        let Self { name, commit, .. } = self;
        if name == commit { commit.clone() } else { format!("{name} = {commit}") }
    }
}

/// How an environment stands.
pub(super) struct Row {
    pub(super) environment: EnvironmentName,
    /// What was counted; nothing where the environment's own file does not hold.
    pub(super) counted: Option<Counted>,
    pub(super) result: Validity,
}

/// What is in an environment, of the entries that hold.
pub(super) struct Counted {
    pub(super) secrets: usize,
    pub(super) tombstones: usize,
    pub(super) epoch: u64,
    pub(super) signers: BTreeSet<MemberName>,
}

/// Whether an environment holds, its file and all of its entries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    Valid,
    Invalid,
}

/// How much an item matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// What members do every day.
    Change,
    /// What a reviewer must want: somebody may do more, or something protects less.
    Attention,
    /// What no member's command leaves behind. One is enough to fail.
    Finding,
}

/// One thing to tell.
pub(super) struct Item {
    pub(super) level: Level,
    /// Never changes its meaning: scripts branch on it.
    pub(super) kind: &'static str,
    /// The file concerned, relative to the vault's folder.
    pub(super) file: String,
    /// Which environment, name, member, step; from what to what.
    pub(super) details: Map<String, Value>,
    /// For people.
    pub(super) words: Words,
}

impl Item {
    pub(super) fn new(level: Level, kind: &'static str, file: impl Into<String>) -> Self {
        let (file, details, words) = (file.into(), Map::new(), Words::default());
        Self { level, kind, file, details, words }
    }

    pub(super) fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds words of ours.
    pub(super) fn text(mut self, ours: impl Display) -> Self {
        self.words.0.push(Piece::Text(ours.to_string()));
        self
    }

    /// Adds what comes from outside, or is to be taken literally.
    pub(super) fn quote(mut self, theirs: impl Display) -> Self {
        self.words.0.push(Piece::Quoted(theirs.to_string()));
        self
    }
}

/// A sentence.
#[derive(Default)]
pub(super) struct Words(pub(super) Vec<Piece>);

/// A part of a sentence.
pub(super) enum Piece {
    /// Written by us.
    Text(String),
    /// A name, a path, a revision.
    Quoted(String),
}

impl Report {
    /// Takes what a check of `file` gives; a refusal becomes a finding.
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

    /// The items of one level, in order.
    pub(super) fn level(&self, level: Level) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.level == level)
    }

    /// Whether a check of `file` itself refused it.
    pub(super) fn has_refused(&self, file: &str) -> bool {
        self.items.iter().any(|item| item.kind == REFUSED && item.file == file)
    }

    pub(super) fn findings(&self) -> usize {
        self.level(Level::Finding).count()
    }

    /// The end of the command: that there were findings, if there were.
    pub(crate) fn finish(&self) -> Result<(), Fault> {
        let count = self.findings();
        if count == 0 {
            return Ok(());
        }
        let fault = Fault::new(Kind::Found, format!("findings: {count}"));
        Err(match self.hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        })
    }
}

/// What a check refused: the file itself, or another one that it read.
fn refused(file: &str, fault: &Fault) -> Item {
    let (file, reason) = (fault.file().unwrap_or(file), fault.reason());
    Item::new(Level::Finding, REFUSED, file)
        .detail("reason", reason.as_str())
        .quote(file)
        .text(": ")
        .quote(reason)
}
