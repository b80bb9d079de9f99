//! `label-studio-ml start` of a Python backend.

use std::{
    ffi::{OsStr, OsString},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::Context;
use clap::{ArgMatches, CommandFactory, FromArgMatches, parser::ValueSource};
use label_studio_ml::{ServerArgs, json, raw::serve_raw, settings::LogLevel};

use super::{
    args::StartArgs,
    model::{Workers, WorkersOptions},
    process::Program,
};

/// Python code of a worker. The empty entry of `sys.path` is the current folder, whose modules must not hide installed ones.
const MAIN: &str = "import sys; sys.path[:] = filter(None, sys.path); from label_studio_ml._internal.worker import main; main()";

/// Serves the Python model `target` (a folder, `file.py` or `file.py:Class`) with `options`, those of the server.
///
/// # Errors
/// When the options contradict each other, or the address cannot be listened on.
pub fn start(python: &Path, target: &OsStr, options: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let command_line = std::iter::once(OsString::from("label-studio-ml start")).chain(options);
    let parsed = StartArgs::command()
        .try_get_matches_from(command_line)
        .and_then(|given| Ok((StartArgs::from_arg_matches(&given)?, given)));
    let (StartArgs { server, workers }, given) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Printing fails only when the terminal is gone.
            let _ = error.print();
            return Ok(u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from));
        }
    };
    let program = program(python, target, &server, &given)?;
    if server.check {
        let code = check(&program)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    let options = WorkersOptions {
        n_workers: server.workers.max(1).into(),
        n_threads: server.threads.into(),
        start_method: workers.start_method,
        predict_deadline: workers.predict_deadline(),
        fit_deadline: workers.fit_deadline(),
        cancel_grace: workers.cancel_grace(),
        name: name(target),
    };
    serve_raw(&server, || Ok(Workers::start(program, options)))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the folder or file of a target, without `:Class`.
fn file_of(target: &OsStr) -> OsString {
    match target.to_string_lossy().rsplit_once(".py:") {
        Some((file, _)) => format!("{file}.py").into(),
        None => target.to_owned(),
    }
}

fn name(target: &OsStr) -> String {
    let path = PathBuf::from(file_of(target));
    let path = path.canonicalize().unwrap_or(path);
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns the command of a worker. Flags on the command line become environment variables, as models expect them. A variable
/// that is not set stays unset: models have their own defaults.
fn program(
    python: &Path,
    target: &OsStr,
    server: &ServerArgs,
    given: &ArgMatches,
) -> anyhow::Result<Program> {
    let target = target
        .to_str()
        .with_context(|| format!("{} is not valid Unicode", target.display()))?;
    let is_given = |flag| given.value_source(flag) == Some(ValueSource::CommandLine);
    let model_dir = is_given("model_dir")
        .then(|| std::path::absolute(&server.model_dir))
        .transpose()
        .with_context(|| format!("cannot use {}", server.model_dir.display()))?;
    let label_studio = &server.label_studio;
    let basic_auth = server.basic_auth();
    let text = |text: Option<&str>| text.map(OsString::from);
    let flags = [
        (
            "model_dir",
            "MODEL_DIR",
            model_dir.map(PathBuf::into_os_string),
        ),
        ("log_level", "LOG_LEVEL", text(Some(log_level(server)))),
        ("debug", "LOG_LEVEL", text(Some(log_level(server)))),
        (
            "max_body_mb",
            "MAX_BODY_MB",
            Some(server.max_body_mb.to_string().into()),
        ),
        (
            "label_studio_url",
            "LABEL_STUDIO_URL",
            text(label_studio.url()),
        ),
        (
            "label_studio_api_key",
            "LABEL_STUDIO_API_KEY",
            text(label_studio.api_key()),
        ),
        (
            "basic_auth_user",
            "BASIC_AUTH_USER",
            text(basic_auth.map(|(user, _)| user)),
        ),
        (
            "basic_auth_pass",
            "BASIC_AUTH_PASS",
            text(basic_auth.map(|(_, pass)| pass)),
        ),
        (
            "local_files_document_root",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT",
            label_studio.document_root().map(PathBuf::into_os_string),
        ),
    ];
    let env = flags
        .into_iter()
        .filter(|(flag, ..)| is_given(flag))
        .filter_map(|(_, name, value)| Some((name.into(), value?)))
        .collect();
    let task = json!({
        "target": target,
        "params": server.model_params()?,
        "basic_auth": basic_auth,
        "log_level": log_level(server),
    });
    Ok(Program {
        program: python.to_owned(),
        args: vec!["-u".into(), "-c".into(), MAIN.into()],
        env,
        task,
    })
}

fn log_level(server: &ServerArgs) -> &'static str {
    match server.log_level {
        _ if server.debug => "DEBUG",
        LogLevel::Debug => "DEBUG",
        LogLevel::Info => "INFO",
        LogLevel::Warning => "WARNING",
        LogLevel::Error => "ERROR",
    }
}

/// Makes a model object in another process before the server listens; the exit code is 0 if that worked.
fn check(program: &Program) -> anyhow::Result<ExitCode> {
    let mut command = Command::new(&program.program);
    command.args(&program.args).arg("--check");
    command.envs(program.env.iter().map(|(name, value)| (name, value)));
    let shown = program.program.display();
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {shown}"))?;
    // Over a pipe, since every user can read a command line, and the task has the password.
    if let Some(mut stdin) = child.stdin.take() {
        // A process that has ended already says why by itself.
        let _ = stdin.write_all(program.task.to_string().as_bytes());
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot run {shown}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
