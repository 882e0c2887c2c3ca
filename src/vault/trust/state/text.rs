//! The text of a state file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::crypto::{Tag, VaultId, base64_decode, base64_encode};
use crate::vault::model::LARGEST_NUMBER;
use crate::vault::trust::Seen;

/// The content of the file.
pub(super) type Content = (BTreeMap<VaultId, Seen>, BTreeMap<VaultId, Asked>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    format: u64,
    #[serde(default)]
    vaults: BTreeMap<String, SeenFields>,
    #[serde(default)]
    asked: BTreeMap<String, AskedFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenFields {
    #[serde(default)]
    tags: Vec<String>,
    revision: Option<u64>,
    sha256: Option<String>,
    member: Option<String>,
    #[serde(default)]
    folders: Vec<String>,
    replaced: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedFields {
    name: String,
    fingerprint: String,
    replaces: Option<String>,
}

/// Returns the text of a state file.
///
/// # Errors
/// If it cannot be written as TOML.
pub(super) fn state_text(
    vaults: &BTreeMap<VaultId, Seen>,
    asked: &BTreeMap<VaultId, Asked>,
) -> Result<String, toml::ser::Error> {
    let vaults = vaults.iter().map(|(vault, seen)| {
        let fields = SeenFields {
            tags: seen.tags.iter().map(tag_text).collect(),
            revision: seen.root.map(|(revision, _)| revision),
            sha256: seen.root.map(|(_, sha256)| base64_encode(&sha256)),
            member: seen.member.as_ref().map(ToString::to_string),
            folders: seen.folders.clone(),
            replaced: seen.replaced.map(|vault| vault.to_string()),
        };
        (vault.to_string(), fields)
    });
    let asked = asked.iter().map(|(vault, asked)| {
        let fields = AskedFields {
            name: asked.name.to_string(),
            fingerprint: asked.fingerprint.to_string(),
            replaces: asked.replaces.map(|digest| base64_encode(&digest)),
        };
        (vault.to_string(), fields)
    });
    toml::to_string(&Fields {
        format: 1,
        vaults: vaults.collect(),
        asked: asked.collect(),
    })
}

/// Parses the text of a state file. Returns `None` if it is damaged. Numbers above those of a
/// vault's files are damage, too.
pub(super) fn parse_state(text: &str) -> Option<Content> {
    let fields: Fields = toml::from_str(text).ok()?;
    let vaults = fields.vaults.into_iter().map(|(vault, seen)| {
        let root = match (seen.revision, seen.sha256) {
            (Some(revision), Some(hash)) => {
                Some((revision, base64_decode(&hash)?.try_into().ok()?))
            }
            (None, None) => None,
            _ => return None,
        };
        let replaced = match seen.replaced {
            Some(vault) => Some(vault.parse().ok()?),
            None => None,
        };
        if root.is_some_and(|(revision, _)| revision > LARGEST_NUMBER) {
            return None;
        }
        let tags: Option<Vec<Tag>> = seen.tags.iter().map(|tag| parse_tag(tag)).collect();
        let member = match seen.member {
            Some(member) => Some(member.parse().ok()?),
            None => None,
        };
        let seen = Seen {
            tags: tags?,
            root,
            member,
            folders: seen.folders,
            replaced,
        };
        Some((vault.parse().ok()?, seen))
    });
    let asked = fields.asked.into_iter().map(|(vault, asked)| {
        let replaces = match asked.replaces {
            Some(digest) => Some(base64_decode(&digest)?.try_into().ok()?),
            None => None,
        };
        let asked = Asked {
            name: asked.name.parse().ok()?,
            fingerprint: asked.fingerprint.parse().ok()?,
            replaces,
        };
        Some((vault.parse().ok()?, asked))
    });
    let content = (
        vaults.collect::<Option<_>>()?,
        asked.collect::<Option<_>>()?,
    );
    (fields.format == 1).then_some(content)
}

/// The spelling of [`Tag::NONE`].
const NO_TAG: &str = "none";

fn tag_text(tag: &Tag) -> String {
    if tag.is_none() {
        NO_TAG.to_owned()
    } else {
        tag.to_string()
    }
}

fn parse_tag(text: &str) -> Option<Tag> {
    if text == NO_TAG {
        Some(Tag::NONE)
    } else {
        text.parse().ok()
    }
}
