//! Tests of reading and editing `vault.toml`.

use super::*;

#[test]
fn error_shows_the_position_without_the_text() {
    let text = "default = \"development\"\n[secrets.A]\nmin_length = \"hunter2\"\n";
    let message = Config::parse(text).unwrap_err().to_string();
    let expected = "vault.toml: secrets.A.min_length must be a whole number, without quotes";
    assert_eq!(message, format!("{expected} at line 3, column 14"));
}

#[test]
fn variables_are_inherited_one_level_and_overridden() {
    let text = "
        [environments.base.variables]\nA = \"base\"\nB = \"base\"\n
        [environments.production]\ninherits = \"base\"\n
        [environments.production.variables]\nB = \"own\"\n";
    let config = Config::parse(text).unwrap();
    let variables = config.variables(&"production".parse().unwrap());
    let pairs: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    assert_eq!(pairs, [("A", "base"), ("B", "own")]);
    let twice = format!("{text}\n[environments.eu]\ninherits = \"production\"\n");
    assert!(Config::parse(&twice).is_err());
}

#[test]
fn removing_an_environment_keeps_other_text_unchanged() {
    let text = "# top\ndefault = 'a' # why\n\n[environments.b]\nconfirm = true\n\n# steps\n[steps.x]\nnames = []\n";
    let left = without_environment(text, &"b".parse().unwrap()).unwrap();
    assert_eq!(
        left,
        "# top\ndefault = 'a' # why\n\n# steps\n[steps.x]\nnames = []\n"
    );
}
