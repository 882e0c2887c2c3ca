//! Checks the value of a variable: it is refused, or arbitrary secrets can be filled in.

use repovault::secret::Secret;
use repovault::vault::template::Template;

/// The first byte is the length of the secret. The text follows the secret.
pub(crate) fn check(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else {
        return;
    };
    let (value, text) = rest.split_at(usize::from(length).min(rest.len()));
    let text = String::from_utf8_lossy(text);
    let Ok(template) = Template::parse(&"V".parse().unwrap(), &text) else {
        return;
    };
    let references = template.references().count();
    assert!(references <= text.matches("${").count());
    let secret = Secret::new(value.to_vec());
    let filled = template
        .fill(usize::MAX, |_| Some(&secret))
        .ok()
        .flatten()
        .unwrap();
    assert!(filled.len() <= text.len() + references * 3 * value.len());
    assert!(
        references == 0
            || template
                .fill(usize::MAX, |_| None)
                .is_ok_and(|f| f.is_none())
    );
    let limit = filled.len() / 2;
    assert_eq!(
        template.fill(limit, |_| Some(&secret)).is_err(),
        filled.len() > limit
    );
    if references == 0 {
        assert_eq!(filled.expose(), text.replace("$$", "$").as_bytes());
    }
}
