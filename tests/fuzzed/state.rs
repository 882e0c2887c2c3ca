//! Checks the state, a file in which `vault` remembers ids for a person: arbitrary bytes are refused
//! and not changed, or their content stays the same if they are written again.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use repovault::crypto::{Identity, NativeKind, Recipient, SigningKey, VaultId};
use repovault::vault::trust::{Met, State};

static RECIPIENT: LazyLock<Recipient> =
    LazyLock::new(|| Identity::generate(NativeKind::Hybrid).recipient());

/// A folder that belongs to this process.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("vault-fuzzed-state-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
});

pub(crate) fn check(data: &[u8]) {
    let digits = RECIPIENT.digest().map(|byte| format!("{byte:02x}"));
    let file = FOLDER.join(format!("{}.toml", digits.concat()));
    fs::write(&file, data).unwrap();
    if let Ok(mut state) = State::load(&FOLDER, &RECIPIENT) {
        let before: Vec<VaultId> = state.all().map(|(vault, _)| *vault).collect();
        let new = VaultId::new(SigningKey::generate().public());
        for vault in before.iter().take(4) {
            let _ = before
                .iter()
                .filter(|other| state.became(vault, other))
                .count();
        }
        let met = Met {
            vault: new,
            revocations: Vec::new(),
            root: (1, [0; 32]),
            member: None,
            folder: String::new(),
        };
        state.record(&met).unwrap();
        let again = State::load(&FOLDER, &RECIPIENT).unwrap();
        assert_eq!(again.all().count(), before.len() + 1);
        for vault in before {
            assert!(again.seen(&vault).is_some());
        }
    } else {
        assert_eq!(fs::read(&file).unwrap(), data);
    }
    fs::remove_file(&file).unwrap();
}
