//! Helpers that the tests share. None of these files has a test.

#[path = "../../cli/support/expected.rs"]
#[expect(dead_code, reason = "here no run is compared with a snapshot")]
pub(crate) mod expected;
pub(crate) mod facts;
#[path = "../../cli/support/machine.rs"]
pub(crate) mod machine;
#[path = "../../cli/support/python.rs"]
#[expect(dead_code, reason = "here Python is found by PATH")]
pub(crate) mod python;
pub(crate) mod running;
#[path = "../../cli/support/sandbox.rs"]
#[expect(dead_code, reason = "written for the other tests; here only places are needed")]
pub(crate) mod sandbox;
pub(crate) mod scene;
pub(crate) mod site;
pub(crate) mod terminal;
pub(crate) mod transcript;
