//! Recognizes YAML, as opposed to dotenv, and its numbers, as opposed to text. Values are not read.

/// The largest number that is exact in all readers of JSON.
const EXACT: u64 = 1 << 53;

/// Whether a file whose first line that means something is this one is YAML.
pub(super) fn is_first(line: &str) -> bool {
    line == "---" || line.starts_with("--- ") || line.starts_with("%YAML") || {
        let item = line.strip_prefix("- ");
        item.is_some() || line == "-" || pair(line).is_some()
    }
}

/// Whether a line of the text gives `key` this value.
pub(super) fn has(text: &str, key: &str, value: &str) -> bool {
    text.lines()
        .filter_map(pair)
        .any(|(own, given)| own == key && unquoted(given) == value)
}

/// The lines whose value is a number that a reader of YAML may spell in another way, such as `0123`
/// and `1.10`.
#[must_use]
pub fn changing_numbers(text: &str) -> Vec<usize> {
    let lines = (1..).zip(text.lines());
    let changing = lines.filter(|(_, line)| {
        let line = line.trim().trim_start_matches("- ");
        pair(line).is_some_and(|(_, value)| is_changing(without_comment(value)))
    });
    changing.map(|(number, _)| number).collect()
}

/// The key and the value of `key: value`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = match line.split_once(": ") {
        Some(pair) => pair,
        None => (line.strip_suffix(':')?, ""),
    };
    let key = unquoted(key.trim());
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || "_.-/".contains(c));
    is_key.then_some((key, value.trim()))
}

fn unquoted(text: &str) -> &str {
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

fn without_comment(value: &str) -> &str {
    value
        .split_once(" #")
        .map_or(value, |(value, _)| value.trim_end())
}

fn is_changing(value: &str) -> bool {
    let digits = value.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !digits
            .chars()
            .all(|c| c.is_ascii_hexdigit() || "._:xo+-".contains(c))
    {
        return false;
    }
    let is_exact = |number: u64| number < EXACT && number.to_string() == digits;
    let is_plain = !value.starts_with('+') && digits.parse().is_ok_and(is_exact);
    // Text with a letter or a mark is a number in some spellings only.
    let is_number = digits
        .chars()
        .all(|c| c.is_ascii_digit() || "._:".contains(c))
        || digits.starts_with("0x")
        || digits.starts_with("0o")
        || digits.parse::<f64>().is_ok();
    is_number && !is_plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_several_spellings_are_found() {
        let changing = [
            "0123",
            "1.10",
            "1e3",
            "0x1F",
            "0o17",
            "1_000",
            "+1",
            "12:30",
            "9007199254740993",
        ];
        for value in changing {
            assert_eq!(
                changing_numbers(&format!("A: b\n  B: {value} # c\n")),
                [2],
                "{value}"
            );
        }
        for value in [
            "1",
            "-1",
            "8000",
            "0",
            "\"0123\"",
            "'1.10'",
            "abc",
            "1a2b",
            "192.168.0.1x",
            "",
            "v1.10",
        ] {
            assert!(
                changing_numbers(&format!("- A: {value}\n")).is_empty(),
                "{value}"
            );
        }
    }
}
