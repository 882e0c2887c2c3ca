//! Checks a dotenv file: arbitrary bytes are refused, or have assignments that lie within the file.

use repovault::import::dotenv;
use repovault::secret::Secret;

pub(crate) fn check(data: &[u8]) {
    let Ok(read) = dotenv::parse(&Secret::new(data.to_vec())) else {
        return;
    };
    let lines = data.split(|&byte| byte == b'\n' || byte == b'\r').count();
    let mut names = std::collections::BTreeSet::new();
    for assignment in &read.assignments {
        assert!((1..=lines).contains(&assignment.line));
        assert!(assignment.value.len() <= data.len());
        assert!(
            names.insert(&assignment.name),
            "the last line with a name counts"
        );
    }
    assert!(
        read.replaced
            .iter()
            .chain(&read.without_value)
            .all(|line| (1..=lines).contains(line))
    );
}
