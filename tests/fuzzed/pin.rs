//! Checks a pin, which `VAULT_ID` contains, and its id: each is refused, or has only one spelling.

use repovault::crypto::VaultId;
use repovault::vault::trust::Pin;

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(id) = text.parse::<VaultId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(pin) = text.parse::<Pin>() {
        assert!(pin.vault.authority().is_some());
        let again = if pin.tag.is_none() {
            pin.vault.to_string()
        } else {
            format!("{}@{}", pin.vault, pin.tag)
        };
        assert!(again == text && again.parse::<Pin>().unwrap() == pin);
    }
    // Any 32 bytes are a valid id.
    if let Some(id) = data.get(..32).and_then(VaultId::from_bytes) {
        assert_eq!(id.to_string().parse::<VaultId>().unwrap(), id);
    }
}
