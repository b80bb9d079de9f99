//! `label-studio-ml start` of a Python backend.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::Context;
use clap::Parser;
use label_studio_ml::{ServerArgs, Value, json, raw::serve_raw, settings::LogLevel};

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
    let StartArgs { server, workers } = match StartArgs::try_parse_from(command_line) {
        Ok(args) => args,
        Err(error) => {
            // Printing fails only when the terminal is gone.
            let _ = error.print();
            return Ok(u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from));
        }
    };
    let server = with_config_beside(server, target);
    let program = program(python, target, &server)?;
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
        name: name(target),
    };
    serve_raw(&server, || Ok(Workers::start(program, options)))?;
    Ok(ExitCode::SUCCESS)
}

/// Takes `config.json` from the model's folder, unless another file was asked for.
fn with_config_beside(mut server: ServerArgs, target: &OsStr) -> ServerArgs {
    if server.config == Path::new("config.json") {
        let path = PathBuf::from(file_of(target));
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().map(Path::to_owned).unwrap_or_default()
        };
        server.config = folder.join("config.json");
    }
    server
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

/// Returns the command of a worker. Flags of the server become environment variables, as models expect them.
fn program(python: &Path, target: &OsStr, server: &ServerArgs) -> anyhow::Result<Program> {
    let target = target
        .to_str()
        .with_context(|| format!("{} is not valid Unicode", target.display()))?;
    let model_dir = std::path::absolute(&server.model_dir)
        .with_context(|| format!("cannot use {}", server.model_dir.display()))?;
    let mut env: Vec<(OsString, OsString)> = vec![
        ("MODEL_DIR".into(), model_dir.into()),
        ("LOG_LEVEL".into(), log_level(server).into()),
        ("MAX_BODY_MB".into(), server.max_body_mb.to_string().into()),
        ("PYTHONUNBUFFERED".into(), "1".into()),
    ];
    let label_studio = &server.label_studio;
    let texts = [
        ("LABEL_STUDIO_URL", label_studio.url()),
        ("LABEL_STUDIO_API_KEY", label_studio.api_key()),
        ("BASIC_AUTH_USER", server.basic_auth().map(|(user, _)| user)),
        ("BASIC_AUTH_PASS", server.basic_auth().map(|(_, pass)| pass)),
    ];
    for (name, text) in texts {
        env.extend(text.map(|text| (name.into(), text.into())));
    }
    if let Some(root) = label_studio.document_root() {
        env.push(("LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT".into(), root.into()));
    }
    let params: serde_json::Map<String, Value> = server.model_params()?.into_iter().collect();
    let task = json!({
        "target": target,
        "params": params,
        "basic_auth": server.basic_auth(),
    });
    Ok(Program {
        program: python.to_owned(),
        args: vec!["-c".into(), MAIN.into()],
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
    command.arg(program.task.to_string());
    command.envs(program.env.iter().map(|(name, value)| (name, value)));
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", program.program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
