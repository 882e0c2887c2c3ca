//! Names that programs read in two spellings: some read `http_proxy`, others `HTTP_PROXY`, so the
//! command gets both.

use std::ffi::{OsStr, OsString};

use crate::vault::name::SecretName;

/// Both spellings of each.
const PROXIES: [[&str; 2]; 5] = [
    ["http_proxy", "HTTP_PROXY"],
    ["https_proxy", "HTTPS_PROXY"],
    ["ftp_proxy", "FTP_PROXY"],
    ["all_proxy", "ALL_PROXY"],
    ["no_proxy", "NO_PROXY"],
];

/// The names under which a command gets the value of `name`.
pub(crate) fn spellings(name: &str) -> Vec<&str> {
    match both(name) {
        None => vec![name],
        // A name in mixed case is passed on as well.
        Some(both) if both.contains(&name) => both.to_vec(),
        Some([lower, upper]) => vec![name, lower, upper],
    }
}

/// Whether the caller's own value of `name` is kept. Either spelling means both.
pub(crate) fn is_kept(name: &str, keep: &[SecretName], own: &[(OsString, OsString)]) -> bool {
    let Some(both) = both(name) else { return false };
    keep.iter()
        .any(|keep| keep.as_str().eq_ignore_ascii_case(both[0]))
        && own
            .iter()
            .any(|(own, _)| both.iter().any(|spelling| own == OsStr::new(spelling)))
}

/// Returns all names in `keep`, in both spellings.
pub(crate) fn kept(keep: &[SecretName]) -> Vec<String> {
    let spellings = keep.iter().flat_map(|name| spellings(name.as_str()));
    spellings.map(ToOwned::to_owned).collect()
}

fn both(name: &str) -> Option<[&'static str; 2]> {
    PROXIES
        .into_iter()
        .find(|[lower, _]| lower.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_sets_both() {
        assert_eq!(spellings("http_proxy"), ["http_proxy", "HTTP_PROXY"]);
        assert_eq!(spellings("NO_PROXY"), ["no_proxy", "NO_PROXY"]);
        assert_eq!(
            spellings("All_Proxy"),
            ["All_Proxy", "all_proxy", "ALL_PROXY"]
        );
        assert_eq!(spellings("RSYNC_PROXY"), ["RSYNC_PROXY"]);
    }

    #[test]
    fn keeping_one_spelling_keeps_the_callers_values() {
        let own = [(OsString::from("HTTP_PROXY"), OsString::from("http://own"))];
        let keep: Vec<SecretName> = vec!["http_proxy".parse().unwrap(), "A".parse().unwrap()];
        assert!(is_kept("HTTP_PROXY", &keep, &own) && is_kept("http_proxy", &keep, &own));
        assert!(!is_kept("https_proxy", &keep, &own) && !is_kept("http_proxy", &keep, &[]));
        assert_eq!(kept(&keep), ["http_proxy", "HTTP_PROXY", "A"]);
    }
}
