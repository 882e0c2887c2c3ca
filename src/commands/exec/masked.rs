//! The choice of secrets that are masked in the command's output, and the filters that mask them.

use std::sync::Arc;

use crate::mask::{Masker, Masking, Matcher, Needles, Verdict, forms, policy};
use crate::runner::Filter;
use crate::secret::Secret;
use crate::session::console::Console;
use crate::vault::config::{Config, Mask};
use crate::vault::name::SecretName;

/// The secrets that are masked, and those that are too short or too common.
#[derive(Default)]
pub(super) struct Masked {
    secrets: Vec<(SecretName, Secret, Masking)>,
    left_out: Vec<String>,
}

impl Masked {
    pub(super) fn choose(secrets: Vec<(SecretName, Secret)>, config: &Config) -> Self {
        let mut masked = Self::default();
        for (name, value) in secrets {
            let setting = config
                .secrets
                .get(&name)
                .map(|secret| secret.mask)
                .unwrap_or_default();
            let masking = match setting {
                Mask::Auto => Masking::Automatic,
                Mask::Always => Masking::Always,
                Mask::Never => Masking::Never,
            };
            match policy::verdict(&value, masking) {
                Verdict::Masked => masked.secrets.push((name, value, masking)),
                Verdict::TooShort | Verdict::Common if !value.is_empty() => {
                    masked.left_out.push(name.to_string());
                }
                Verdict::TooShort | Verdict::Common | Verdict::Never => {}
            }
        }
        masked
    }

    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Names the secrets that are not masked.
    pub(super) fn warn(&self, console: Console) {
        if !self.left_out.is_empty() {
            console.note(format!(
                "vault: too short or too common to mask: {}",
                self.left_out.join(", ")
            ));
        }
    }

    /// Makes a filter for each of `count` streams.
    pub(super) fn filters(self, count: usize) -> Vec<Masker> {
        let mut needles = Needles::new();
        for (name, value, masking) in &self.secrets {
            // The verdict is already known.
            let _ = forms::add(&mut needles, name.as_str(), value, *masking);
        }
        let matcher = Arc::new(Matcher::new(needles));
        (0..count)
            .map(|_| Masker::new(Arc::clone(&matcher)))
            .collect()
    }
}

impl Filter for Masker {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        Self::feed(self, bytes, out);
    }

    fn show_short(&mut self, out: &mut Vec<u8>) {
        Self::show_short(self, out);
    }

    fn held(&self) -> usize {
        Self::held(self)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        Self::finish(self, out);
    }
}
