//! Programs that fill the screen: they start, draw, take keys, and quit.

use std::fs;

use crate::support::machine::has;
use crate::support::running::Status::Code;
use crate::support::scene::{Scene, same};
use crate::support::terminal::Terminal;

fn numbered_lines() -> String {
    let lines: Vec<String> = (1..=200).map(|number| format!("line {number}\n")).collect();
    lines.concat()
}

#[test]
fn less_shows_pages_and_quits() {
    if !has("less", "less") {
        return;
    }
    let scene = Scene::new();
    let path = scene
        .write("lines", &numbered_lines())
        .display()
        .to_string();
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.launch(way, &["less", &path]));
        terminal.sees("line 23\r\n");
        terminal.sees("lines");
        terminal.types(" ");
        terminal.sees("line 46\r\n");
        terminal.types("/line 1[5]7\n");
        terminal.sees("line 179\r\n");
        terminal.types("G");
        terminal.sees("line 200\r\n");
        terminal.sees("(END)");
        terminal.types("q");
        terminal.ends()
    });
    assert_eq!(seen.0, Code(0));
}

#[test]
fn less_shows_pages_from_a_pipe() {
    if !has("less", "less") {
        return;
    }
    let scene = Scene::new();
    let path = scene
        .write("lines", &numbered_lines())
        .display()
        .to_string();
    let by = format!("cat {path} | \"$@\"");
    let seen = same(|way| {
        let mut terminal = Terminal::start(&scene.launch(way, &["less"]).by(&by));
        terminal.sees("line 23\r\n");
        terminal.types(" ");
        terminal.sees("line 46\r\n");
        terminal.types("q");
        terminal.ends()
    });
    assert_eq!(seen.0, Code(0));
}

#[test]
fn vim_edits_a_file() {
    if !has("vi", "vim-tiny") {
        return;
    }
    let scene = Scene::new();
    let seen = same(|way| {
        let path = scene.write("text", "first\nsecond\n");
        // The path is short, because vi shows it, and waits for Enter if it does not fit into a
        // line.
        let vim = ["vi", "-u", "NONE", "-i", "NONE", "-n", "../text"];
        let mut terminal = Terminal::start(&scene.launch(way, &vim));
        terminal.sees("second");
        terminal.types("othird");
        terminal.sees("third");
        terminal.types("\x1b:wq\n");
        (terminal.ends().0, fs::read_to_string(path).unwrap())
    });
    assert_eq!(seen, (Code(0), "first\nthird\nsecond\n".to_owned()));
}

#[test]
fn top_follows_the_window_size_and_quits() {
    if !has("top", "procps") {
        return;
    }
    let scene = Scene::new();
    same(|way| {
        let mut terminal = Terminal::start(&scene.launch(way, &["top", "-d", "100"]));
        terminal.sees("load average");
        terminal.sees("PID");
        terminal.resize(30, 100);
        terminal.sees("load average");
        terminal.types("q");
        let (status, _) = terminal.ends();
        assert_eq!(status, Code(0));
    });
}
