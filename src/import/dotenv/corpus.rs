//! Replays tests/dotenv/cases.json: files, with the results of the real python-dotenv.
//!
//! The script beside the corpus wrote it, and says how to write a larger one.

use serde_json::{Value, json};

use super::{Mistake, Statement, decoded, parse, statements, with_plain_newlines};
use crate::crypto::{base64_decode, base64_encode};
use crate::secret::Secret;

#[test]
fn corpus_is_parsed_like_python_dotenv() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dotenv/cases.json");
    let corpus: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(corpus["python-dotenv"], "1.2.4");
    let cases = corpus["cases"].as_array().unwrap();
    assert!(cases.len() >= 300);
    for case in cases {
        let file = Secret::new(base64_decode(case["file"].as_str().unwrap()).unwrap());
        if case["undecodable"].is_null() {
            assert_eq!(stated(&file), case["statements"], "{case}");
        }
        assert_eq!(outcome(&file), expected(case), "{case}");
    }
}

/// Each statement and mistake as `[name, value or null, error, line]`, in the order of the file.
fn stated(file: &Secret) -> Value {
    let text = with_plain_newlines(file.expose());
    let (statements, mistakes) = statements(decoded(&text).unwrap());
    let read = statements.iter().map(|Statement { name, value, line }| {
        json!([
            name,
            value.as_ref().map(|value| base64_encode(value.expose())),
            false,
            line
        ])
    });
    let unread = mistakes
        .iter()
        .map(|Mistake { line, .. }| json!([null, null, true, line]));
    let mut rows: Vec<Value> = read.chain(unread).collect();
    rows.sort_by_key(|row| row[3].as_u64());
    rows.into()
}

/// The names with their values, or the lines that the refusal begins with.
fn outcome(file: &Secret) -> Value {
    match parse(file) {
        Ok(dotenv) => dotenv
            .assignments
            .into_iter()
            .map(|it| (it.name, base64_encode(it.value.expose())))
            .collect(),
        Err(fault) => fault.to_string().split("; ").map(line_of).collect(),
    }
}

fn line_of(reason: &str) -> u64 {
    let line = reason
        .strip_prefix("line ")
        .and_then(|rest| rest.split(':').next());
    line.unwrap().parse().unwrap()
}

/// What [`outcome`] has to be where python-dotenv warns, cannot decode, or is content.
fn expected(case: &Value) -> Value {
    if let Some(line) = case["undecodable"].as_u64() {
        return json!([line]);
    }
    let statements = case["statements"].as_array().unwrap();
    let errors = statements.iter().filter(|row| row[2] == true);
    let lines: Vec<Value> = errors.map(|row| row[3].clone()).collect();
    if lines.is_empty() {
        case["values"].clone()
    } else {
        lines.into()
    }
}
