//! A command inherits everything from the caller unchanged.

use std::fs;

use crate::support::running::Status::Code;
use crate::support::scene::{Launch, Scene, same};
use crate::support::terminal::Terminal;

/// A script that writes facts about its own process into `seen`, regardless of its streams.
const REPORT: &str = r"
open=
for path in /proc/$$/fd/*; do
    test ! -e $path || open=$open${path##*/},
done
{
echo descriptors $open
grep -E '^(Sig(Blk|Ign|Cgt)|Shd|Umask|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Cpus_a)' \
    /proc/self/status
cat /proc/self/limits /proc/self/oom_score_adj /proc/self/coredump_filter
ulimit -a; ulimit -H -a; umask; nice; env | sort; pwd
} >$SCENE/seen 2>&1
";

/// Runs the report in all ways, after `prepare` has set up the caller, and returns its text.
#[track_caller]
fn report(scene: &Scene, prepare: impl Fn(Launch) -> Launch) -> String {
    let report = |at_a_terminal| {
        same(|way| {
            let _ = fs::remove_file(scene.path("seen"));
            // Not `sh`, because other shells unblock signals.
            let bash = ["bash", "--norc", "--noprofile", "-c", REPORT];
            let launch = prepare(scene.launch(way, &bash));
            let status = if at_a_terminal {
                Terminal::start(&launch).ends().0
            } else {
                launch.start().end().status
            };
            (
                status,
                fs::read_to_string(scene.path("seen")).unwrap_or_default(),
            )
        })
    };
    let (status, seen) = report(true);
    assert_eq!(status, Code(0), "{seen}");
    let (status, seen) = report(false);
    assert_eq!(status, Code(0), "{seen}");
    seen
}

/// Returns the open descriptors with one digit. The program that runs the tests may have left
/// others open.
fn descriptors(seen: &str) -> String {
    let list = seen
        .lines()
        .find_map(|line| line.strip_prefix("descriptors"))
        .unwrap();
    let numbers: Vec<&str> = list
        .trim()
        .split(',')
        .filter(|number| number.len() == 1)
        .collect();
    numbers.join(" ")
}

/// Returns the signals in one of the sets of /proc/self/status, without those of threads.
fn signals(seen: &str, set: &str) -> Vec<usize> {
    let line = seen
        .lines()
        .find_map(|line| line.strip_prefix(set))
        .unwrap();
    let bits = u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap();
    (1..=31)
        .filter(|signal| bits >> (signal - 1) & 1 == 1)
        .collect()
}

#[test]
fn command_inherits_an_ordinary_environment() {
    let scene = Scene::new();
    let seen = report(&scene, |launch| launch);
    assert!(signals(&seen, "SigBlk").is_empty() && signals(&seen, "SigIgn").is_empty());
}

#[test]
fn command_inherits_limits_umask_priority_and_folder() {
    let scene = Scene::new();
    let seen = report(&scene, |launch| {
        launch.by(
            "ulimit -S -n 100 && ulimit -H -n 200 && ulimit -S -s 4096 &&
            ulimit -f 100000 && ulimit -S -c 7 && umask 027 && exec nice -n 3 \"$@\"",
        )
    });
    assert!(seen.contains("\n0027\n"), "{seen}");
}

#[test]
fn command_inherits_ignored_and_blocked_signals() {
    let scene = Scene::new();
    let options = [
        ("--ignore-signal=PIPE", vec![13], vec![]),
        ("--ignore-signal=HUP", vec![1], vec![]),
        ("--ignore-signal=INT", vec![2], vec![]),
        ("--ignore-signal=XFSZ", vec![25], vec![]),
        ("--block-signal=PIPE", vec![], vec![13]),
        ("--block-signal=HUP", vec![], vec![1]),
        ("--block-signal=TERM", vec![], vec![15]),
        ("--block-signal=WINCH", vec![], vec![28]),
    ];
    for (option, ignored, blocked) in options {
        let seen = report(&scene, |launch| launch.under(&["env", option]));
        assert_eq!(signals(&seen, "SigIgn"), ignored, "{option}");
        assert_eq!(signals(&seen, "SigBlk"), blocked, "{option}");
    }
    let all = report(&scene, |launch| {
        launch.under(&["env", "--ignore-signal", "--block-signal"])
    });
    assert!(signals(&all, "SigBlk").len() > 25, "{all}");
    assert!(signals(&all, "SigIgn").len() > 25, "{all}");
}

#[test]
fn command_inherits_only_the_callers_descriptors() {
    let scene = Scene::new();
    scene.write("three", "third\n");
    let wrapper = "exec \"$@\" 3<$SCENE/three 9>>$SCENE/nine 7<>$SCENE/three";
    let seen = report(&scene, |launch| launch.by(wrapper));
    assert_eq!(descriptors(&seen), "0 1 2 3 7 9");
    let seen = report(&scene, |launch| launch);
    assert_eq!(descriptors(&seen), "0 1 2");
    // They are the same files, at the same positions.
    same(|way| {
        let _ = fs::remove_file(scene.path("nine"));
        let script = "read line <&3; read next <&7; echo $line $next; echo $line >&9";
        let end = scene.shell(way, script).by(wrapper).start().end();
        assert_eq!(
            (end.status, end.output.as_str()),
            (Code(0), "third third\n")
        );
        fs::read_to_string(scene.path("nine")).unwrap()
    });
}

#[test]
fn closed_descriptors_stay_closed() {
    let scene = Scene::new();
    let cases: [(&str, &str); 6] = [
        ("<&-", "1 2"),
        (">&-", "0 2"),
        ("2>&-", "0 1"),
        ("<&- >&-", "2"),
        (">&- 2>&-", "0"),
        ("<&- >&- 2>&-", ""),
    ];
    for (closed, open) in cases {
        let wrapper = format!("exec \"$@\" {closed}");
        let seen = report(&scene, |launch| launch.by(&wrapper));
        assert_eq!(descriptors(&seen), open, "{closed}");
    }
}

#[test]
fn output_of_a_closed_stream_is_discarded() {
    let scene = Scene::new();
    let script = "echo printed; echo said >&2; cat; echo end $? >>$SCENE/end";
    for (closed, output, said) in [
        ("<&-", "printed\n", "said\n"),
        (">&-", "", "said\n"),
        ("2>&-", "printed\n", ""),
    ] {
        let wrapper = format!("exec \"$@\" {closed}");
        let end = same(|way| {
            let _ = fs::remove_file(scene.path("end"));
            let run = scene.shell(way, script).by(&wrapper).start().end();
            (
                run,
                fs::read_to_string(scene.path("end")).unwrap_or_default(),
            )
        });
        // The message of `sh` about the closed stream follows.
        assert!(end.0.output.starts_with(output), "{closed}: {end:?}");
        assert!(end.0.said.contains(said), "{closed}: {end:?}");
    }
}

#[test]
fn arguments_are_passed_unchanged() {
    let scene = Scene::new();
    let arguments = [
        "a b",
        "",
        "*",
        "'\"\\",
        "$HOME",
        "line\nbreak",
        "ä",
        "--",
        "-e",
        "--no-mask",
    ];
    let words = [&["printf", "%s|"][..], &arguments].concat();
    let end = same(|way| scene.launch(way, &words).start().end());
    assert_eq!(end.output, format!("{}|", arguments.join("|")));
    // An argument that is not UTF-8 is passed too.
    let script = "exec \"$@\" \"$(printf 'a\\377b')\"";
    let end = same(|way| {
        scene
            .launch(way, &["printf", "%s"])
            .by(script)
            .start()
            .end()
    });
    assert_eq!(end.output, "a\u{fffd}b");
}
