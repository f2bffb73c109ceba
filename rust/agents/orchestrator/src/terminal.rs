//! The commands for people: one operation, readable output, an exit status.
//!
//! Exit status: 0 done, 1 the engine or a gate failed, 64 the template or a flag is wrong; `sandbox`
//! exits as the container did, 124 on its time limit.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use agent_container_orchestrator::{
    Engine, EngineError, Node, Plan, Project, TemplateError, check_project_name, parse_sandbox,
    parse_template,
};
use serde_json::Value;

use crate::args::{Args, Command};

enum Failure {
    Usage(String),
    Engine(EngineError),
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// Runs one command.
pub fn run(args: &Args, command: &Command) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orchestrator: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let engine = args.engine()?;
        let outcome = tokio::select! {
            outcome = carry_out(&engine, command) => outcome,
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        };
        engine.settled().await; // a sandbox is removed even on Ctrl-C
        outcome
    });
    match outcome {
        Ok(code) => code,
        Err(Failure::Usage(message)) => {
            eprintln!("orchestrator: {message}");
            ExitCode::from(agent_kit::EXIT_USAGE)
        }
        Err(Failure::Engine(error)) => {
            eprintln!(
                "orchestrator: {}{}",
                error.message,
                evidence(&error.details)
            );
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(engine: &Engine, command: &Command) -> Result<ExitCode, Failure> {
    let (json, value, text) = match command {
        Command::Plan(asked) => {
            let project = template(engine, &asked.file, &asked.set)?;
            let plan = engine.plan(&project).await?;
            (asked.json, to_value(&plan), plan_text(&plan, "to do"))
        }
        Command::Apply(asked) => {
            let project = template(engine, &asked.file, &asked.set)?;
            let plan = engine.apply(&project).await?;
            (asked.json, to_value(&plan), plan_text(&plan, "done"))
        }
        Command::Rollback(asked) => {
            let plan = engine
                .rollback(&name(engine, &asked.target, &asked.set)?)
                .await?;
            (asked.json, to_value(&plan), plan_text(&plan, "done"))
        }
        Command::Status(asked) => {
            let found = engine
                .status(&name(engine, &asked.target, &asked.set)?)
                .await?;
            let text = status_text(&found);
            (asked.json, found, text)
        }
        Command::Remove { project, volumes } => {
            let name = name(engine, &project.target, &project.set)?;
            let found = engine.remove(&name, *volumes).await?;
            let text = removed_text(&found["removed"]);
            (project.json, found, text)
        }
        Command::Sandbox { file, json } => return sandbox(engine, file, *json).await,
        Command::Serve | Command::Kit(_) => return Ok(ExitCode::SUCCESS), // main has taken these
    };
    if json {
        print(&format!("{value:#}\n"));
    } else {
        print(&text);
    }
    Ok(ExitCode::SUCCESS)
}

async fn sandbox(engine: &Engine, file: &Path, json: bool) -> Result<ExitCode, Failure> {
    let text = read(file)?;
    let node = Node::from_json(&text).or_else(|_| Node::from_yaml(&text))?;
    let result = engine
        .sandbox(&parse_sandbox(&node, engine.policy())?)
        .await?;
    if json {
        print(&format!("{:#}\n", to_value(&result)));
    } else {
        print(&result.stdout);
        eprint!("{}", result.stderr);
        for (happened, message) in [
            (result.timed_out, "the time limit ended it"),
            (result.oom_killed, "the memory limit ended a process in it"),
            (
                result.output_exceeded,
                "it was ended for far too much output",
            ),
            (result.stdout_truncated, "its output is cut"),
            (result.stderr_truncated, "its error output is cut"),
        ] {
            if happened {
                eprintln!("orchestrator: sandbox: {message}");
            }
        }
    }
    let code = result
        .exit_code
        .unwrap_or(if result.timed_out { 124 } else { 1 });
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let outcome = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|found| text = found)
    };
    let fail = |error| Failure::Usage(format!("{}: cannot be read: {error}", file.display()));
    outcome.map_err(fail)?;
    Ok(text)
}

fn template(engine: &Engine, file: &Path, set: &[(String, String)]) -> Result<Project, Failure> {
    let text = read(file)?;
    let mut variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    variables.extend(set.iter().cloned());
    parse_template(&text, &variables, engine.policy()).map_err(|error| {
        let lines = error
            .problems
            .join(&format!("\norchestrator: {}: ", file.display()));
        Failure::Usage(format!("{}: {lines}", file.display()))
    })
}

/// The project's name: the argument itself, or what a template file says.
fn name(engine: &Engine, target: &str, set: &[(String, String)]) -> Result<String, Failure> {
    if Path::new(target).is_file() {
        return Ok(template(engine, Path::new(target), set)?.name);
    }
    check_project_name(target)?;
    Ok(target.to_owned())
}

fn to_value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A reader that went away is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn plan_text(plan: &Plan, verb: &str) -> String {
    let mut text = String::new();
    for action in &plan.actions {
        let _ = writeln!(text, "{:<10} {}", action.action, action.container);
        for reason in &action.reasons {
            let (before, after) = (&reason.before, &reason.after);
            let _ = writeln!(text, "           {}: {before} -> {after}", reason.attribute);
        }
    }
    let _ = writeln!(
        text,
        "{}: {} {verb}",
        plan.project,
        match plan.changes {
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        }
    );
    text
}

fn status_text(found: &Value) -> String {
    let word = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut rows =
        vec![["SERVICE", "STATE", "HEALTH", "RESTARTS", "IMAGE", "PORTS"].map(str::to_owned)];
    for service in found["services"].as_array().into_iter().flatten() {
        let image = word(&service["image_id"]);
        let ports: Vec<String> = service["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .map(word)
            .collect();
        rows.push([
            word(&service["service"]),
            word(&service["state"]),
            word(&service["health"]),
            word(&service["restarts"]),
            image
                .trim_start_matches("sha256:")
                .chars()
                .take(12)
                .collect(),
            if ports.is_empty() {
                "-".to_owned()
            } else {
                ports.join(" ")
            },
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    let possible = if found["rollback_possible"] == true {
        ""
    } else {
        "not "
    };
    let _ = writeln!(
        text,
        "{}: rollback {possible}possible",
        word(&found["project"])
    );
    text
}

fn removed_text(removed: &Value) -> String {
    let mut text = String::new();
    for (kind, names) in removed.as_object().into_iter().flatten() {
        for name in names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let _ = writeln!(text, "removed {} {name}", kind.trim_end_matches('s'));
        }
    }
    if text.is_empty() {
        "nothing to remove\n".to_owned()
    } else {
        text
    }
}

/// The evidence of a failed gate, indented under the message.
fn evidence(details: &Value) -> String {
    let mut text = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = write!(text, "\n  {title}:\n    {}", lines.join("\n    "));
        }
    };
    let list = |key: &str| details[key].as_array().cloned().unwrap_or_default();
    let log = details["log"].as_str().unwrap_or_default();
    section("log", log.lines().map(str::to_owned).collect());
    let probes = list("health");
    section(
        "health",
        probes
            .iter()
            .map(|probe| {
                let output = probe["output"].as_str().unwrap_or_default().trim();
                format!("exit {} {output}", probe["exit_code"])
            })
            .collect(),
    );
    let texts = |key: &str| {
        list(key)
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    section("restored", texts("restored"));
    section("not restored", texts("restore_errors"));
    text
}
