//! Files that may look like dotenv files with values, but are not: ciphertext of other tools, and
//! other formats.
//!
//! Only looks at text, and never quotes it. The caller says which command turns a file into one
//! that can be read.

use super::yaml;

/// A file that cannot be imported as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Locked by git-crypt.
    GitCrypt,
    /// Encrypted by `ansible-vault`.
    AnsibleVault,
    /// Encrypted by age.
    Age,
    /// Encrypted by PGP.
    Pgp,
    /// Encrypted by `openssl`, as transcrypt does it.
    OpenSsl,
    /// Encrypted by sops, in any of its formats.
    Sops,
    /// Encrypted by dotenvx.
    Dotenvx,
    /// Encrypted by dotenv-vault.
    DotenvVault,
    /// Encrypted by hiera-eyaml, Jasypt, Spring Cloud Config, or a transit key of a server.
    Other,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// A Kubernetes secret in YAML.
    KubernetesSecret,
    /// TOML, or an INI file.
    Toml,
    /// Text in UTF-16.
    Utf16,
}

/// The format of the whole file, if it is not a dotenv file.
#[must_use]
pub fn file(bytes: &[u8]) -> Option<Foreign> {
    let starts: [(&[u8], Foreign); 8] = [
        (b"\0GITCRYPT\0", Foreign::GitCrypt),
        (b"\xff\xfe", Foreign::Utf16),
        (b"\xfe\xff", Foreign::Utf16),
        (b"age-encryption.org/", Foreign::Age),
        (b"-----BEGIN AGE ENCRYPTED FILE", Foreign::Age),
        (b"-----BEGIN PGP MESSAGE", Foreign::Pgp),
        (b"$ANSIBLE_VAULT;", Foreign::AnsibleVault),
        (b"U2FsdGVkX1", Foreign::OpenSsl),
    ];
    let text = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let found = starts
        .iter()
        .find(|(start, _)| bytes.starts_with(start) || text.starts_with(start));
    if let Some((_, foreign)) = found {
        return Some(*foreign);
    }
    let text = std::str::from_utf8(text).ok()?;
    let format = format(text)?;
    Some(if is_sops(text) { Foreign::Sops } else { format })
}

/// The tool that encrypted a value or, by its name, wrote it beside encrypted ones.
#[must_use]
pub fn assignment(name: &str, value: &[u8]) -> Option<Foreign> {
    if name.starts_with("sops_") {
        return Some(Foreign::Sops);
    }
    if name.starts_with("DOTENV_VAULT_") {
        return Some(Foreign::DotenvVault);
    }
    encrypted(value)
}

/// The name of the tool that encrypted a value.
#[must_use]
pub fn ciphertext(value: &[u8]) -> Option<&'static str> {
    let whole = file(value).filter(|found| {
        matches!(
            found,
            Foreign::GitCrypt | Foreign::AnsibleVault | Foreign::Sops | Foreign::OpenSsl
        )
    });
    encrypted(value).or(whole).map(Foreign::name)
}

impl Foreign {
    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GitCrypt => "git-crypt",
            Self::AnsibleVault => "ansible-vault",
            Self::Age => "age",
            Self::Pgp => "OpenPGP",
            Self::OpenSsl => "OpenSSL",
            Self::Sops => "sops",
            Self::Dotenvx => "dotenvx",
            Self::DotenvVault => "dotenv-vault",
            Self::Other => "another tool",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
            Self::KubernetesSecret => "a Kubernetes secret",
            Self::Toml => "TOML or INI",
            Self::Utf16 => "UTF-16 text",
        }
    }
}

fn encrypted(value: &[u8]) -> Option<Foreign> {
    let value = value.trim_ascii();
    let is_base64 = |text: &[u8]| {
        text.len() >= 16
            && text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte))
    };
    if value.strip_prefix(b"encrypted:").is_some_and(is_base64) {
        return Some(Foreign::Dotenvx);
    }
    if value.starts_with(b"ENC[") && value.ends_with(b"]") {
        let is_sops = value.starts_with(b"ENC[AES256_GCM,");
        return Some(if is_sops {
            Foreign::Sops
        } else {
            Foreign::Other
        });
    }
    let is_enclosed = value.starts_with(b"ENC(") && value.ends_with(b")");
    if is_enclosed || value.starts_with(b"{cipher}") || value.starts_with(b"vault:v1:") {
        return Some(Foreign::Other);
    }
    value
        .starts_with(b"$ANSIBLE_VAULT;")
        .then_some(Foreign::AnsibleVault)
}

/// The format of text whose first line that means something is none of dotenv.
fn format(text: &str) -> Option<Foreign> {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(['#', ';']))?;
    let is_section = |line: &str| {
        let inside = line.trim_start_matches('[').trim_end_matches(']');
        line.ends_with(']')
            && !inside.is_empty()
            && inside
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._- ".contains(c))
            && inside.parse::<f64>().is_err()
    };
    if first.starts_with('{') {
        return Some(Foreign::Json);
    }
    if first.starts_with('[') {
        return Some(if is_section(first) {
            Foreign::Toml
        } else {
            Foreign::Json
        });
    }
    yaml::is_first(first).then(|| {
        if yaml::has(text, "kind", "Secret") {
            Foreign::KubernetesSecret
        } else {
            Foreign::Yaml
        }
    })
}

/// Whether sops wrote this JSON, YAML, or INI.
fn is_sops(text: &str) -> bool {
    let is_metadata = |line: &str| {
        let line = line.trim_start_matches(['{', ' ', '\t', ',']);
        line.starts_with("sops:") || line.starts_with("\"sops\"") || line.starts_with("[sops]")
    };
    text.contains("ENC[AES256_GCM,") || text.lines().any(is_metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_files_are_distinguished_from_dotenv() {
        let cases: [(&[u8], Option<Foreign>); 30] = [
            (b"\0GITCRYPT\0\x01\x02", Some(Foreign::GitCrypt)),
            (b"\xff\xfeA\0=\0", Some(Foreign::Utf16)),
            (
                b"$ANSIBLE_VAULT;1.1;AES256\n3132\n",
                Some(Foreign::AnsibleVault),
            ),
            (b"age-encryption.org/v1\n", Some(Foreign::Age)),
            (
                b"\n-----BEGIN AGE ENCRYPTED FILE-----\n",
                Some(Foreign::Age),
            ),
            (b"-----BEGIN PGP MESSAGE-----\n", Some(Foreign::Pgp)),
            (b"U2FsdGVkX1/abc=\n", Some(Foreign::OpenSsl)),
            (b"\xef\xbb\xbf{\"A\": 1}", Some(Foreign::Json)),
            (b"[1, 2]", Some(Foreign::Json)),
            (b"[\n1]", Some(Foreign::Json)),
            (b"[1]", Some(Foreign::Json)),
            (b"{\"A\": \"ENC[AES256_GCM,data:x]\"}", Some(Foreign::Sops)),
            (b"{\n  \"A\": 1,\n  \"sops\": {}}", Some(Foreign::Sops)),
            (b"# c\n\n---\nA: 1\n", Some(Foreign::Yaml)),
            (b"A: b=c\n", Some(Foreign::Yaml)),
            (b"A:\n  - b\n", Some(Foreign::Yaml)),
            (b"- A=b\n", Some(Foreign::Yaml)),
            (b"\"A\": b\n", Some(Foreign::Yaml)),
            (b"%YAML 1.2\n", Some(Foreign::Yaml)),
            (
                b"apiVersion: v1\nkind: Secret\n",
                Some(Foreign::KubernetesSecret),
            ),
            (b"A: ENC[AES256_GCM,data:x]\nsops:\n", Some(Foreign::Sops)),
            (b"; c\n[a.b]\nc = 1\n", Some(Foreign::Toml)),
            (b"A=1\n", None),
            (b"A = {\"x\": 1}\n", None),
            (b"export A=1\n", None),
            (b"'A'=1\n", None),
            (b"A=b: c\n", None),
            (b"URL=https://x\n", None),
            (b"A\n", None),
            (b"# nothing\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(file(text), expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn encrypted_values_are_detected() {
        let cases: [(&[u8], Option<&str>); 13] = [
            (b"ENC[PKCS7,MIIBe]", Some("another tool")),
            (
                b"ENC(G6N718UuyPE5bHyWKyuLQSm02auQPUtm)",
                Some("another tool"),
            ),
            (
                b"{cipher}682bc583f4641835fa2db009355293665d2647dade3375c0ee201de2a49f7bda",
                Some("another tool"),
            ),
            (
                b"vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w==",
                Some("another tool"),
            ),
            (
                b"encrypted:BClgjk06vTnq0m7Yv0fX3sQ1rZ8k+/==",
                Some("dotenvx"),
            ),
            (
                b" ENC[AES256_GCM,data:a,iv:b,tag:c,type:str]\n",
                Some("sops"),
            ),
            (b"$ANSIBLE_VAULT;1.1;AES256\n31", Some("ansible-vault")),
            (b"\0GITCRYPT\0abc", Some("git-crypt")),
            (b"encrypted: yes", None),
            (b"encrypted:short", None),
            (b"ENC", None),
            (b"{\"type\": \"service_account\"}", None),
            (b"-----BEGIN PGP MESSAGE-----", None),
        ];
        for (value, expected) in cases {
            assert_eq!(
                ciphertext(value),
                expected,
                "{}",
                String::from_utf8_lossy(value)
            );
        }
        assert_eq!(assignment("sops_version", b"3.8.1"), Some(Foreign::Sops));
        assert_eq!(
            assignment("DOTENV_VAULT_CI", b"x"),
            Some(Foreign::DotenvVault)
        );
        assert_eq!(assignment("SOPS_VERSION", b"3.8.1"), None);
    }
}
