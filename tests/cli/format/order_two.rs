//! Signatures modified by their own signer, who added the point of order two to R. An equation
//! without the cofactor refuses them, and a batch with random weights would accept them half of the
//! time.

use crate::support::order_two::signature_of_order_two;
use crate::support::refusal::{held, stocked};

#[test]
fn signature_of_order_two_gets_the_same_answer_everywhere() {
    let sandbox = stocked();
    for number in 0..6 {
        sandbox.set("production", &format!("SECRET_{number}"), b"value");
    }
    let bent = signature_of_order_two(&sandbox, "production", "OTHER");
    std::fs::write(sandbox.store("production/OTHER.toml"), bent).unwrap();
    for _ in 0..8 {
        sandbox.vault(&["verify"]).prints(held(1, 8)).check();
        let all = ["exec", "-q", "-e", "production", "--", "true"];
        sandbox.vault(&all).any_change().check();
        let one = [
            "exec",
            "-q",
            "-e",
            "production",
            "--only",
            "OTHER",
            "--",
            "true",
        ];
        sandbox.vault(&one).any_change().check();
    }
    sandbox
        .vault(&["get", "OTHER", "-e", "production"])
        .prints("other")
        .check();
}
