//! Counts in messages.

/// Returns `count` with the noun in the form that agrees with it: `1 entry`, `2 entries`.
#[must_use]
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_of_one_takes_the_singular() {
        let counts = [0, 1, 2].map(|count| plural(count, "entry", "entries"));
        assert_eq!(counts, ["0 entries", "1 entry", "2 entries"]);
    }
}
