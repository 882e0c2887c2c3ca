//! Helpers that the tests share. These files contain no tests.

#[path = "../../cli/support/expected.rs"]
#[expect(dead_code, reason = "here no run is compared with a snapshot")]
pub(crate) mod expected;
pub(crate) mod facts;
#[path = "../../cli/support/keyring.rs"]
#[expect(dead_code, reason = "here the keyring only gives the key")]
pub(crate) mod keyring;
#[path = "../../cli/support/machine.rs"]
pub(crate) mod machine;
#[path = "../../cli/support/python.rs"]
#[expect(dead_code, reason = "these tests find Python through PATH")]
pub(crate) mod python;
pub(crate) mod running;
#[path = "../../cli/support/sandbox.rs"]
#[expect(dead_code, reason = "these tests use only its folders")]
pub(crate) mod sandbox;
pub(crate) mod scene;
#[path = "../../cli/support/scratch.rs"]
pub(crate) mod scratch;
pub(crate) mod site;
pub(crate) mod terminal;
pub(crate) mod transcript;
