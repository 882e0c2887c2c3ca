//! The only types that may hold plaintext.
//!
//! A [`Secret`] is a value of any length, a [`Key`] is 32 bytes of key. Both are wiped when they
//! are dropped, and neither can be printed, copied, serialized or compared with `==`. Each
//! `expose` is a place where a reviewer should look.

use std::io::{self, Read};

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing, zeroize_stack};

/// A table whose contents reveal something about a plaintext, wiped on drop.
///
/// Give it its final capacity at once: a `Vec` that grows leaves its old allocation unwiped.
pub type Wiped<T> = Zeroizing<Vec<T>>;

/// A plaintext value: wiped on drop, never printed, never cloned.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller keeps no copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads to the end of `source`; whatever the value passes through is wiped.
    ///
    /// # Errors
    /// What reading fails with; `InvalidInput` when there are more than `limit` bytes.
    pub fn read(source: &mut dyn Read, limit: usize) -> io::Result<Self> {
        let mut secret = Self::with_capacity(limit.min(4096));
        let mut chunk = Zeroizing::new([0_u8; 4096]);
        loop {
            let count = match source.read(&mut chunk[..]) {
                Ok(0) => return Ok(secret),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if secret.0.len() + count > limit {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("more than {limit} bytes"),
                ));
            }
            secret.extend(&chunk[..count]);
        }
    }

    /// An empty value with room for `capacity` bytes; see [`Secret::extend`].
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    /// Appends, wiping the old allocation when a larger one is needed.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let needed = self.0.len() + bytes.len();
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// Shortens to `length` bytes and wipes what was cut off.
    pub fn truncate(&mut self, length: usize) {
        if length < self.0.len() {
            self.0[length..].zeroize();
            self.0.truncate(length);
        }
    }

    /// Drops the first `count` bytes, or all if there are fewer, and wipes the freed bytes.
    pub fn discard_front(&mut self, count: usize) {
        let length = self.0.len();
        let count = count.min(length);
        if count == 0 {
            return;
        }
        self.0.copy_within(count.., 0);
        self.truncate(length - count);
    }

    /// The plaintext, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the value has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both hold the same bytes, in time that depends on the lengths only.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// 32 bytes of key material: a data key, an entry's key, the seed of a signing key. They lie on the
/// heap, so that moving a key makes no copy.
pub struct Key(Box<Zeroizing<[u8; 32]>>);

impl Key {
    /// The length in bytes.
    pub const LENGTH: usize = 32;

    /// A key whose bytes `fill` writes, so that they exist in one place only.
    #[must_use]
    pub fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        fill(&mut key);
        Self(key)
    }

    /// A copy of exactly 32 bytes, or nothing.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 32] = bytes.try_into().ok()?;
        Some(Self::filled(|key| key.copy_from_slice(bytes)))
    }

    /// The key, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Wipes the bytes that another crate has returned.
pub fn wipe(bytes: &mut [u8]) {
    bytes.zeroize();
}

/// Does work with keys, and then wipes the part of the stack that it used. It holds values that
/// were passed or spilled from registers. `depth` says afterwards how much that can be.
pub fn with_wiped_stack<R>(depth: impl FnOnce() -> StackDepth, work: impl FnOnce() -> R) -> R {
    let result = apart(work);
    match depth() {
        StackDepth::Whole => zeroize_stack::<{ 512 << 10 }>(),
        StackDepth::Usual => zeroize_stack::<{ StackDepth::USUAL }>(),
        StackDepth::Small => zeroize_stack::<{ 64 << 10 }>(),
    }
    result
}

/// How much of the stack is wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackDepth {
    /// 512 KiB: a whole run, even of a binary that is not optimized, does with less.
    Whole,
    /// 160 KiB, if the stack never grew beyond.
    Usual,
    /// 64 KiB, if the stack is limited.
    Small,
}

impl StackDepth {
    /// The bytes of [`StackDepth::Usual`]: a little more than the kernel maps at the start.
    pub const USUAL: usize = 160 << 10;
}

/// Its frame, and the frames of its calls, are at the place where the caller's next call writes.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_above_the_limit_is_refused() {
        assert_eq!(Secret::read(&mut &b"12345"[..], 5).unwrap().len(), 5);
        let error = Secret::read(&mut &b"123456"[..], 5).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn extending_and_truncating_keep_the_bytes_in_order() {
        let mut secret = Secret::with_capacity(1);
        secret.extend(b"abc");
        secret.extend(b"defg");
        secret.truncate(5);
        assert_eq!(secret.expose(), b"abcde");
    }

    #[test]
    fn front_can_be_dropped() {
        let mut secret = Secret::new(b"abcde".to_vec());
        secret.discard_front(3);
        assert_eq!(secret.expose(), b"de");
        secret.discard_front(9);
        assert!(secret.is_empty());
    }

    #[test]
    fn comparison_covers_every_byte_and_the_length() {
        let secret = Secret::new(b"abc".to_vec());
        assert!(secret.same_as(&Secret::new(b"abc".to_vec())));
        assert!(!secret.same_as(&Secret::new(b"abd".to_vec())));
        assert!(!secret.same_as(&Secret::new(b"abcd".to_vec())));
    }
}
