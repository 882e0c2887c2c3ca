//! Random choices that a number reproduces.

/// A seeded generator (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// One of `choices`, or `None` if there is none. Only the histories need it, which run on Linux.
    #[cfg(target_os = "linux")]
    pub(crate) fn one<T: Clone>(&mut self, choices: &[T]) -> Option<T> {
        let count = u64::try_from(choices.len()).unwrap();
        let at = (count > 0).then(|| self.below(count))?;
        Some(choices[usize::try_from(at).unwrap()].clone())
    }

    /// True once in `times`.
    #[cfg(target_os = "linux")]
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
