//! The known name that someone probably meant.

/// Returns the known name that is nearest to a shortened or mistyped one. Returns `None` if no name
/// is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let known: Vec<(&str, String)> = known
        .into_iter()
        .map(|name| (name, name.to_lowercase()))
        .collect();
    let mut longer = known
        .iter()
        .filter(|(_, folded)| folded.starts_with(&typed));
    if typed.len() >= SHORTEST_ABBREVIATION
        && let (Some((name, _)), None) = (longer.next(), longer.next())
    {
        return Some(name);
    }
    let farthest = 1 + typed.len() / 4;
    let distances = known
        .iter()
        .map(|(name, folded)| (strsim::osa_distance(&typed, folded), *name));
    let near = distances.filter(|(distance, _)| *distance <= farthest);
    if let Some((_, name)) = near.min_by_key(|(distance, _)| *distance) {
        return Some(name);
    }
    let mut contracted = known
        .iter()
        .filter(|(_, folded)| is_contraction(&typed, folded));
    match (contracted.next(), contracted.next()) {
        (Some((name, _)), None) if typed.len() >= SHORTEST_ABBREVIATION => Some(name),
        _ => None,
    }
}

/// Whether `short` is `long` with letters left out after the first, as `prd` is `production`.
fn is_contraction(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().next() == long.chars().next()
        && short
            .chars()
            .all(|letter| rest.any(|other| other == letter))
}

/// A shorter beginning of a name says nothing about which name is meant.
const SHORTEST_ABBREVIATION: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_or_shortened_name_gets_the_nearest() {
        let known = ["development", "production", "preview", "staging"];
        for (typed, near) in [
            ("prodction", Some("production")),
            ("PRODUCTION", Some("production")),
            ("prod", Some("production")),
            ("dev", Some("development")),
            ("prd", Some("production")),
            ("stg", Some("staging")),
            ("ooo", None),
            ("stagign", Some("staging")),
            ("pr", None),
            ("test", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), near, "{typed}");
        }
    }

    #[test]
    fn prefix_of_several_names_gets_none() {
        assert_eq!(nearest("prod", ["production-eu", "production-us"]), None);
    }
}
