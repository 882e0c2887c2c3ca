//! A pipeline as GitHub Actions or GitLab CI interpret its file, as far as the examples need it:
//! jobs, their dependencies, and their lines. Unsupported syntax fails the test.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::python::python;
use crate::support::shop::{Machine, ROOT, Shop, text};

/// The event that starts a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A push to the main branch.
    Push,
    /// A pull or merge request.
    Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    GitHub,
    GitLab,
}

pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) needs: Vec<String>,
    pub(crate) environment: Option<String>,
    /// The only event for which it runs.
    pub(crate) only: Option<Event>,
    /// Whether it must be started manually.
    pub(crate) is_manual: bool,
    pub(crate) steps: Vec<Step>,
}

pub(crate) enum Step {
    Run {
        /// With `{0}` for the file with the script.
        shell: String,
        script: String,
        variables: BTreeMap<String, String>,
    },
    Upload(String),
    Download(String),
}

pub(crate) struct Pipeline {
    pub(crate) platform: Platform,
    pub(crate) jobs: Vec<Job>,
}

/// A YAML file as JSON.
pub(crate) fn yaml(path: &Path) -> Value {
    let script = format!("{ROOT}/tests/cli/support/yaml.py");
    let output = Command::new(python())
        .arg(script)
        .arg(path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        path.display(),
        text(&output)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Pipeline {
    pub(crate) fn github() -> Self {
        let path = "examples/github-actions/.github/workflows/pipeline.yml";
        Self::of_workflow(&Path::new(ROOT).join(path))
    }

    /// Any workflow for GitHub Actions.
    pub(crate) fn of_workflow(path: &Path) -> Self {
        let workflow = yaml(path);
        let jobs = workflow["jobs"].as_object().unwrap();
        Self {
            platform: Platform::GitHub,
            jobs: jobs.iter().map(github_job).collect(),
        }
    }

    pub(crate) fn gitlab() -> Self {
        Self::of_gitlab(&Path::new(ROOT).join("examples/gitlab-ci/.gitlab-ci.yml"))
    }

    /// Any pipeline for GitLab CI.
    pub(crate) fn of_gitlab(path: &Path) -> Self {
        let file = yaml(path);
        let file = file.as_object().unwrap();
        let is_job = |name: &str| file[name]["script"].is_array();
        let jobs = file
            .keys()
            .filter(|name| is_job(name))
            .map(|name| gitlab_job(&file.clone().into(), name));
        Self {
            platform: Platform::GitLab,
            jobs: jobs.collect(),
        }
    }

    pub(crate) fn job(&self, name: &str) -> &Job {
        self.jobs
            .iter()
            .find(|job| job.name == name)
            .unwrap_or_else(|| panic!("no job {name}"))
    }

    /// Whether `job` starts only after `other` succeeded.
    pub(crate) fn waits(&self, job: &str, other: &str) -> bool {
        self.job(job)
            .needs
            .iter()
            .any(|need| need == other || self.waits(need, other))
    }

    /// Runs every job for the event, each after its dependencies. Returns the logs; the first
    /// failing job is the last one.
    pub(crate) fn run(
        &self,
        shop: &Shop,
        event: Event,
        keys: Keys<'_>,
    ) -> Vec<(String, i32, String)> {
        let asked = |job: &&Job| job.only.is_none_or(|only| only == event);
        let mut waiting: Vec<&Job> = self.jobs.iter().filter(asked).collect();
        let mut done: Vec<(String, i32, String)> = Vec::new();
        while !waiting.is_empty() {
            let is_done = |need: &String| done.iter().any(|(name, ..)| name == need);
            let next = waiting.iter().position(|job| job.needs.iter().all(is_done));
            let job = waiting.remove(next.expect("every job can start some time"));
            let (status, log) = self.run_job(shop, job, event, keys);
            done.push((job.name.clone(), status, log));
            if status != 0 {
                break;
            }
        }
        done
    }

    fn run_job(&self, shop: &Shop, job: &Job, event: Event, keys: Keys<'_>) -> (i32, String) {
        let branch = if event == Event::Push {
            "main"
        } else {
            "feature"
        };
        let mut machine = shop.machine(&job.name, branch);
        let artifacts = shop.sandbox.root().join("artifacts");
        let key = match job.environment.as_deref() {
            Some("production") => keys.production,
            None if self.platform == Platform::GitLab => "",
            _ => keys.development,
        };
        let programs = machine.folder.join("programs");
        fs::write(&programs, "").unwrap();
        let file = machine.folder.join("VAULT_KEY_FILE");
        let added = match self.platform {
            Platform::GitHub => vec![
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_SHA", REVISION),
                (
                    "GITHUB_BASE_REF",
                    if event == Event::Request { "main" } else { "" },
                ),
                ("GITHUB_PATH", programs.to_str().unwrap()),
            ],
            Platform::GitLab => {
                let mut added = vec![
                    ("CI_COMMIT_SHA", REVISION),
                    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
                ];
                if !key.is_empty() {
                    // A variable of type File; the runner's umask is 0.
                    fs::write(&file, key).unwrap();
                    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
                    added.push(("VAULT_KEY_FILE", file.to_str().unwrap()));
                }
                added
            }
        };
        let added = added
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        machine.variables.extend(added);
        let mut log = String::new();
        for step in &job.steps {
            match step {
                Step::Upload(path) => deliver(&machine.project().join(path), &artifacts),
                Step::Download(path) => deliver(&artifacts, &machine.project().join(path)),
                Step::Run {
                    shell,
                    script,
                    variables,
                } => {
                    let script = match self.platform {
                        Platform::GitHub => script.clone(),
                        Platform::GitLab => evaluated(&machine, script),
                    };
                    let (status, said) = run_step(&machine, shell, &script, variables, key);
                    log += &said;
                    if status != 0 {
                        return (status, log);
                    }
                }
            }
            for folder in fs::read_to_string(&programs).unwrap().lines() {
                let path = format!("{folder}:{}", machine.variables["PATH"]);
                machine.variables.insert("PATH".to_owned(), path);
            }
            fs::write(&programs, "").unwrap();
        }
        (0, log)
    }
}

/// The value that the platform stores as `VAULT_KEY`; a fork has none.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'a> {
    pub(crate) development: &'a str,
    pub(crate) production: &'a str,
}

pub(crate) const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";
/// The spelling of a repository or environment secret on GitHub.
pub(crate) const GITHUB_KEY: &str = "${{ secrets.VAULT_KEY }}";

/// In the way GitLab's runner passes a script to its shell, which stays as a parent.
pub(crate) fn evaluated(machine: &Machine, script: &str) -> String {
    let file = machine.folder.join("lines");
    fs::write(&file, script).unwrap();
    let file = file.display();
    format!("set -o pipefail; set -o errexit\n: | eval \"$(cat '{file}')\"\nexit 0\n")
}

fn run_step(
    machine: &Machine,
    shell: &str,
    script: &str,
    variables: &BTreeMap<String, String>,
    key: &str,
) -> (i32, String) {
    let file = machine.folder.join("script");
    fs::write(&file, script).unwrap();
    let words: Vec<String> = shell
        .split(' ')
        .map(|word| word.replace("{0}", file.to_str().unwrap()))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Through env, so that the shell is found in the machine's own PATH.
    let mut command = machine.command(&[&["env"], &words[..]].concat());
    for (name, value) in variables {
        command.env(name, if value == GITHUB_KEY { key } else { value });
    }
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), text(&output))
}

/// Replaces `to` with a copy of the folder `from`.
fn deliver(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp")
        .arg("-R")
        .args([from, to])
        .status()
        .unwrap();
    assert!(copied.success(), "{}", from.display());
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().map_or(&[][..], |all| all);
    all.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn github_job((name, job): (&String, &Value)) -> Job {
    let only = string(&job["if"]).map(|condition| match condition.as_str() {
        "github.event_name == 'pull_request'" => Event::Request,
        "github.event_name == 'push'" => Event::Push,
        _ => panic!("{name}: {condition}"),
    });
    // Settings that would need support if they were present.
    for key in ["strategy", "container"] {
        assert!(job[key].is_null(), "{name}: {key}");
    }
    let steps = job["steps"].as_array().unwrap().iter();
    Job {
        name: name.clone(),
        needs: strings(&job["needs"]),
        environment: string(&job["environment"]),
        only,
        is_manual: false,
        steps: steps.filter_map(|step| github_step(job, step)).collect(),
    }
}

fn github_step(job: &Value, step: &Value) -> Option<Step> {
    if let Some(action) = step["uses"].as_str() {
        let path = string(&step["with"]["path"]);
        return match action.split('@').next().unwrap() {
            "actions/checkout" | "actions/setup-python" => None,
            "actions/upload-artifact" => path.map(Step::Upload),
            "actions/download-artifact" => path.map(Step::Download),
            _ => panic!("{action}"),
        };
    }
    let shell = string(&step["shell"]).or(string(&job["defaults"]["run"]["shell"]));
    let shell = match shell.as_deref() {
        None => "bash -e {0}",
        Some("bash") => "bash --noprofile --norc -eo pipefail {0}",
        Some(own) => own,
    };
    // The variables of the step come after those of the job, and replace them.
    let variables = [&job["env"], &step["env"]]
        .into_iter()
        .filter_map(Value::as_object)
        .flatten();
    Some(Step::Run {
        shell: shell.to_owned(),
        script: string(&step["run"]).unwrap(),
        variables: variables
            .map(|(name, value)| (name.clone(), string(value).unwrap()))
            .collect(),
    })
}

/// A key of a job, its own or inherited with `extends`.
fn gitlab_key<'a>(file: &'a Value, job: &str, key: &str) -> &'a Value {
    match (&file[job][key], file[job]["extends"].as_str()) {
        (Value::Null, Some(parent)) => gitlab_key(file, parent, key),
        (own, _) => own,
    }
}

/// The lines of a script, including referenced ones.
fn gitlab_lines(file: &Value, lines: &Value) -> Vec<String> {
    let lines = lines.as_array().map_or(&[][..], |lines| lines).iter();
    lines
        .flat_map(|line| match (line, &line["!reference"]) {
            (Value::String(line), _) => vec![line.clone()],
            (_, reference) => {
                let [job, key] = &strings(reference)[..] else {
                    panic!("{line}")
                };
                gitlab_lines(file, gitlab_key(file, job, key))
            }
        })
        .collect()
}

fn gitlab_job(file: &Value, name: &str) -> Job {
    let rules = file[name]["rules"]
        .as_array()
        .map_or(&[][..], |rules| rules);
    assert!(rules.len() <= 1, "{name}");
    let only = rules
        .first()
        .map(|rule| match rule["if"].as_str().unwrap() {
            "$CI_PIPELINE_SOURCE == \"merge_request_event\"" => Event::Request,
            "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" => Event::Push,
            condition => panic!("{name}: {condition}"),
        });
    let lines = [
        gitlab_key(file, name, "before_script"),
        &file[name]["script"],
    ];
    let lines: Vec<String> = lines
        .iter()
        .flat_map(|lines| gitlab_lines(file, lines))
        .collect();
    let needs = strings(&file[name]["needs"]);
    let artifacts = |job: &str| strings(&file[job]["artifacts"]["paths"]).into_iter();
    let mut steps: Vec<Step> = needs
        .iter()
        .flat_map(|need| artifacts(need))
        .map(Step::Download)
        .collect();
    steps.push(Step::Run {
        shell: "bash {0}".to_owned(),
        script: lines.join("\n"),
        variables: BTreeMap::new(),
    });
    steps.extend(artifacts(name).map(Step::Upload));
    Job {
        name: name.to_owned(),
        needs,
        environment: string(&file[name]["environment"]["name"])
            .or(string(&file[name]["environment"])),
        only,
        is_manual: rules.first().is_some_and(|rule| rule["when"] == "manual"),
        steps,
    }
}

impl Shop {
    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys {
            development: &self.development,
            production: &self.production,
        }
    }
}

/// The messages of vault in a log.
pub(crate) fn notices(log: &str) -> Vec<&str> {
    let starts = ["vault: ", "warning: ", "error: ", "hint: "];
    log.lines()
        .filter(|line| starts.iter().any(|start| line.starts_with(start)))
        .collect()
}
