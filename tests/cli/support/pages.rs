//! The fenced blocks of the documents.

use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::support::shop::ROOT;

pub(crate) struct Block {
    /// Page and line, for messages.
    pub(crate) place: String,
    pub(crate) language: String,
    /// The person who runs it, if it is not alice.
    pub(crate) person: Option<String>,
    pub(crate) text: String,
    /// The lines of the page that hold the text.
    lines: Range<usize>,
}

pub(crate) fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The fenced blocks of a page, except the marked ones.
pub(crate) fn blocks(path: &str) -> Vec<Block> {
    let text = page(path);
    let mut lines = text.lines().enumerate();
    let (mut blocks, mut before) = (Vec::new(), "");
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != "```")
                .collect();
            if !before.starts_with("<!-- not run: ") {
                let place = format!("{path}:{}", number + 1);
                let lines = number + 1..number + 1 + inside.len();
                let text = inside.join("\n") + "\n";
                let (language, person) = language
                    .split_once(' ')
                    .map_or((language, None), |(l, p)| (l, Some(p)));
                let (language, person) = (language.to_owned(), person.map(str::to_owned));
                blocks.push(Block {
                    place,
                    language,
                    person,
                    text,
                    lines,
                });
            }
        }
        before = line;
    }
    blocks
}

/// Gives these blocks of a page their new texts.
pub(crate) fn rewrite(path: &str, accepted: &[(Block, String)]) {
    let page = page(path);
    let mut lines: Vec<&str> = page.split('\n').collect();
    for (block, text) in accepted.iter().rev() {
        lines.splice(block.lines.clone(), text.lines());
    }
    fs::write(Path::new(ROOT).join(path), lines.join("\n")).unwrap();
}

/// The fenced blocks of a page in this language.
pub(crate) fn blocks_of(page: &str, language: &str) -> Vec<String> {
    let page = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let start = format!("\n```{language}\n");
    let blocks = page.split(&start).skip(1);
    blocks
        .map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n")
        .collect()
}
