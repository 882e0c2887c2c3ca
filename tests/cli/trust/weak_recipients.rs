//! Recipients whose ciphertext anyone could open, or with a second spelling: they are refused
//! everywhere, before anything is sealed to them.

use std::fs;

use age_core::primitives::{bech32_decode, bech32_encode};
use repovault::crypto::{Framed, Identity, NativeKind, SigningKey, VaultId, base64_encode};
use snapbox::str;

use crate::support::craft;
use crate::support::refusal::{findings, found, held, stocked};

const REQUEST: &str = ".vault/requests/eve.toml";

/// The points of small order in every spelling that X25519 accepts, and other spellings of a valid
/// one. Age panics when sealing to some of them.
fn weak_recipients() -> Vec<String> {
    let p = {
        let mut p = [0xff; 32];
        (p[0], p[31]) = (0xed, 0x7f);
        p
    };
    let low = |number: u8| {
        let mut u = [0; 32];
        u[0] = number;
        u
    };
    let above = |number: u8| {
        let mut u = p;
        u[0] += number;
        u
    };
    let (mut minus_one, order_eight) = (
        p,
        [
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        ],
    );
    minus_one[0] = 0xec;
    let hex = |text: &str| -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
    };
    let points = [
        low(0),
        low(1),
        minus_one,
        p,
        above(1),
        above(9),
        hex(order_eight[0]),
        hex(order_eight[1]),
    ];
    let high = points.map(|mut point| {
        point[31] |= 0x80;
        point
    });
    let hrp = bech32::Hrp::parse("age").unwrap();
    let spelled = |point: &[u8; 32]| bech32::encode::<bech32::Bech32>(hrp, point).unwrap();
    let mut weak: Vec<String> = points.iter().chain(&high).map(spelled).collect();
    weak.extend(hybrid(&[points[0], points[3], high[1]]));
    weak
}

/// Post-quantum recipients with these points, and one with a number that is not below the prime of
/// ML-KEM.
fn hybrid(points: &[[u8; 32]]) -> Vec<String> {
    let text = Identity::generate(NativeKind::Hybrid)
        .recipient()
        .to_string();
    let hrp = bech32::Hrp::parse("age1pq").unwrap();
    let bytes = bech32_decode(
        &text,
        |_| (),
        |found| (found == hrp).then_some(()).ok_or(()),
        |_, bytes| Ok(bytes.collect::<Vec<u8>>()),
    )
    .unwrap();
    let (ml_kem, point) = bytes.split_at(1184);
    let mut weak: Vec<Vec<u8>> = points
        .iter()
        .map(|point| [ml_kem, &point[..]].concat())
        .collect();
    let mut large = [ml_kem, point].concat();
    (large[0], large[1]) = (0xff, large[1] | 0x0f);
    weak.push(large);
    weak.iter().map(|bytes| bech32_encode(hrp, bytes)).collect()
}

#[test]
fn recipient_of_small_order_is_refused_everywhere() {
    let sandbox = stocked();
    sandbox.quick(&["ci", "add", "ci", "-e", "production", "-q"]);
    sandbox.commit("a machine");
    for weak in weak_recipients() {
        for spelled in [weak.clone(), weak.to_uppercase()] {
            for command in [
                &["members", "set", "ci", "--yes", "--recipient", &spelled][..],
                &[
                    "members",
                    "add",
                    "new",
                    "-e",
                    "production=read",
                    "--recipient",
                    &spelled,
                ],
            ] {
                let outcome = sandbox.vault(command).outcome();
                assert_eq!(outcome.status, 2, "{command:?}: {}", outcome.said);
                assert!(
                    outcome.said.starts_with("error: not a recipient\n"),
                    "{}",
                    outcome.said
                );
            }
        }
        // In a member's file signed by the authority.
        let sandbox = stocked();
        let (key, good) = (
            craft::authority(&sandbox),
            craft::identity(&sandbox).recipient(),
        );
        let body = craft::body(&sandbox, "members/alice.toml").replace(&good.to_string(), &weak);
        let file = craft::sign(&sandbox, "members/alice.toml", body.as_bytes(), &key);
        fs::write(sandbox.store("members/alice.toml"), file).unwrap();
        let said = str![[r#"
error: .vault/members/alice.toml: is not in the form vault writes
hint: [..]
"#]];
        sandbox
            .vault(&["get", "OTHER", "-e", "production"])
            .fails(4)
            .says(&said)
            .check();
    }
    assert_eq!(sandbox.git(&["status", "--short"]), "");
}

#[test]
fn request_with_a_small_order_recipient_is_refused() {
    let sandbox = stocked();
    let (key, identity) = (
        SigningKey::generate(),
        Identity::generate(NativeKind::Classic),
    );
    for weak in weak_recipients() {
        let seed = base64_encode(&identity.recipient().seal(&craft::seed(&key)));
        let body = format!(
            "# eve asks to join. Written by vault; safe to commit.\nformat = 1\nname = \"eve\"\n\
             vault = \"bech32:{}\"\nrecipient = \"bech32:{weak}\"\nsigner = \"b64:{}\"\n\
             signing_key = \"b64:{seed}\"\n",
            sandbox.id(),
            base64_encode(key.public().as_bytes()),
        );
        let message = Framed::new("vault/v1/request")
            .part(sandbox.id().parse::<VaultId>().unwrap().as_bytes())
            .part(b"requests/eve.toml")
            .part(body.as_bytes())
            .into_bytes();
        let signature = base64_encode(&key.sign(&message).to_bytes());
        fs::create_dir_all(sandbox.store("requests")).unwrap();
        fs::write(
            sandbox.repo().join(REQUEST),
            format!("{body}signature = \"b64:{signature}\"\n"),
        )
        .unwrap();
        let line = findings(&[&format!("{REQUEST}: is not in the form vault writes")]);
        found(&sandbox, &[], 1, &(held(1, 2) + &line));
    }
}
