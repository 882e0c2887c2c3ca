//! The shared vectors of age (`tests/vectors/age`): age files after lines with the expected result.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::*;
use crate::crypto::sha256;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/age");

/// A vector: the lines before its file, and the file.
struct Vector {
    fields: Vec<(String, String)>,
    file: Vec<u8>,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let content = fs::read(path).unwrap();
        let end = content.windows(2).position(|two| two == b"\n\n").unwrap();
        let head = std::str::from_utf8(&content[..end]).unwrap();
        let field = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        let fields = head.lines().map(field).collect();
        let body = &content[end + 2..];
        let mut vector = Self {
            fields,
            file: body.to_vec(),
        };
        let packings: Vec<&str> = vector.values("compressed").collect();
        assert!(packings.iter().all(|packing| *packing == "zlib"));
        if !packings.is_empty() {
            vector.file = miniz_oxide::inflate::decompress_to_vec_zlib(body).unwrap();
        }
        vector
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.fields.iter().filter(move |(field, _)| field == name);
        named.map(|(_, value)| value.as_str())
    }

    fn identities(&self) -> Vec<Box<dyn age::Identity>> {
        let identity = |text: &str| -> Box<dyn age::Identity> {
            match Identity::parse(text) {
                Some(hybrid) => Box::new(hybrid),
                None => Box::new(text.parse::<age::x25519::Identity>().unwrap()),
            }
        };
        self.values("identity").map(identity).collect()
    }

    /// The result in the words of the vectors, and the hash of the payload.
    fn outcome(&self) -> (&'static str, Option<String>) {
        let Ok(decryptor) = age::Decryptor::new_buffered(&self.file[..]) else {
            return ("header failure", None);
        };
        let identities = self.identities();
        match decryptor.decrypt(identities.iter().map(|identity| &**identity)) {
            Ok(mut reader) => {
                let mut payload = Vec::new();
                reader.read_to_end(&mut payload).unwrap();
                let hash = sha256(&payload);
                let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
                let hash = digits
                    .map(|digit| char::from_digit(digit.into(), 16).unwrap())
                    .collect();
                ("success", Some(hash))
            }
            Err(DecryptError::NoMatchingKeys) => ("no match", None),
            Err(DecryptError::InvalidHeader) => ("header failure", None),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn every_vector_gives_the_expected_result() {
    let mut count = 0;
    for entry in fs::read_dir(VECTORS).unwrap() {
        let path = entry.unwrap().path();
        let vector = Vector::read(&path);
        let (expected, payload) = (vector.values("expect"), vector.values("payload"));
        let expected: Vec<&str> = expected.collect();
        let (outcome, hash) = vector.outcome();
        assert_eq!([outcome][..], expected, "{}", path.display());
        assert_eq!(hash.as_deref(), payload.last(), "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 18);
}

#[test]
fn recipient_is_read_in_its_one_spelling_only() {
    let recipient = Identity::generate().recipient();
    let text = recipient.to_string();
    assert_eq!(text.len(), 1959);
    assert!(text.parse::<Recipient>().unwrap() == recipient);
    assert!(text.to_uppercase().parse::<Recipient>().is_err());
    assert!(text[..text.len() - 1].parse::<Recipient>().is_err());
    let bytes = decoded(&text).unwrap();
    let spelled = |bytes: &[u8]| bech32_encode(RECIPIENT_PREFIX, bytes).parse::<Recipient>();
    assert!(spelled(&bytes).is_ok());
    assert!(spelled(&bytes[1..]).is_err());
    assert!(spelled(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn numbers_above_the_prime_and_weak_points_are_refused() {
    let bytes = decoded(&Identity::generate().recipient().to_string()).unwrap();
    let spelled = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        bech32_encode(RECIPIENT_PREFIX, &bytes).parse::<Recipient>()
    };
    // The first number, the second, and the last but one, as 3,328 and as 3,329.
    for (at, low, high) in [(0, 0x00, 0x0d), (1, 0x00, 0xd0), (1149, 0x00, 0x0d)] {
        for (add, is_accepted) in [(0, true), (1, false)] {
            let changed = spelled(&|bytes| {
                if high == 0x0d {
                    (bytes[at], bytes[at + 1]) = (low + add, bytes[at + 1] & 0xf0 | high);
                } else {
                    let bits = if add == 1 { 0x10 } else { 0 };
                    (bytes[at], bytes[at + 1]) = (bytes[at] & 0x0f | bits, high);
                }
            });
            assert_eq!(changed.is_ok(), is_accepted, "{at} {add}");
        }
    }
    let point = bytes.len() - 32;
    assert!(spelled(&|bytes| bytes[point..].fill(0)).is_err());
    assert!(spelled(&|bytes| bytes[point + 31] |= 0x80).is_err());
}

#[test]
fn stanza_with_a_changed_part_does_not_open() {
    use age::{Identity as _, Recipient as _};
    let identity = Identity::generate();
    let wrapped = |change: &dyn Fn(&mut Stanza)| {
        let (mut stanzas, labels) = identity
            .recipient()
            .wrap_file_key(&FileKey::new(Box::new([7; 16])))
            .unwrap();
        assert_eq!(labels, HashSet::from(["postquantum".to_owned()]));
        change(&mut stanzas[0]);
        identity.unwrap_stanza(&stanzas[0])
    };
    let opened = wrapped(&|_| {}).unwrap().unwrap();
    assert_eq!(opened.expose_secret(), &[7; 16]);
    assert!(wrapped(&|stanza| stanza.body[0] ^= 1).is_none());
    assert!(wrapped(&|stanza| stanza.tag = "X25519".to_owned()).is_none());
    for change in [
        &(|stanza: &mut Stanza| stanza.body.push(0)) as &dyn Fn(&mut Stanza),
        &|stanza| stanza.args.clear(),
        &|stanza| stanza.args.push("AA".to_owned()),
        &|stanza| stanza.args[0].truncate(1400),
    ] {
        let refused = wrapped(change).unwrap();
        assert!(matches!(refused, Err(DecryptError::InvalidHeader)));
    }
}

#[test]
fn share_of_small_order_is_refused() {
    use age::{Identity as _, Recipient as _};
    let identity = Identity::generate();
    let file_key = FileKey::new(Box::new([7; 16]));
    let (mut stanzas, _) = identity.recipient().wrap_file_key(&file_key).unwrap();
    let share = base64_decode(&stanzas[0].args[0]).unwrap();
    for low in [0, 1] {
        let mut weak = share.clone();
        weak[ML_KEM_CIPHERTEXT..].fill(0);
        weak[ML_KEM_CIPHERTEXT] = low;
        stanzas[0].args[0] = base64_encode(&weak);
        let refused = identity.unwrap_stanza(&stanzas[0]).unwrap();
        assert!(matches!(refused, Err(DecryptError::InvalidHeader)));
    }
}

#[test]
fn identity_of_another_length_or_kind_is_not_read() {
    let spelled = |prefix: &str, bytes: &[u8]| {
        bech32::encode_upper::<bech32::Bech32>(Hrp::parse_unchecked(prefix), bytes).unwrap()
    };
    let prefix = "AGE-SECRET-KEY-PQ-";
    assert!(Identity::parse(&spelled(prefix, &[7; 32])).is_some());
    for bytes in [&[][..], &[7; 31], &[7; 33], &[7; 64]] {
        assert!(Identity::parse(&spelled(prefix, bytes)).is_none());
    }
    assert!(Identity::parse(&spelled("AGE-SECRET-KEY-", &[7; 32])).is_none());
    assert!(Identity::parse(&spelled("AGE-SECRET-KEY-PQ", &[7; 32])).is_none());
    let bech32m = Hrp::parse_unchecked(prefix);
    let bech32m = bech32::encode_upper::<bech32::Bech32m>(bech32m, &[7; 32]).unwrap();
    assert!(Identity::parse(&bech32m).is_none());
}
