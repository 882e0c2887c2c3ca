//! Checks the value of a variable: it is refused, or it is filled with an arbitrary secret.

use repovault::secret::Secret;
use repovault::vault::template::Template;

/// The first byte says how long the secret is; the text follows it.
pub(crate) fn check(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else { return };
    let (value, text) = rest.split_at(usize::from(length).min(rest.len()));
    let text = String::from_utf8_lossy(text);
    let Ok(template) = Template::parse(&"V".parse().unwrap(), &text) else { return };
    let references = template.references().count();
    assert!(references <= text.matches("${").count());
    let secret = Secret::new(value.to_vec());
    let filled = template.fill(|_| Some(&secret)).unwrap();
    assert!(filled.len() <= text.len() + references * 3 * value.len());
    assert!(references == 0 || template.fill(|_| None).is_none());
    if references == 0 {
        assert_eq!(filled.expose(), text.replace("$$", "$").as_bytes());
    }
}
