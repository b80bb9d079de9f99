//! The sub-commands, and how their results become an exit code.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use label_studio_ml::settings::ignore_empty_variables;

use crate::{
    completions::CompletionsArgs,
    create::CreateArgs,
    deploy::DeployArgs,
    doctor::{ConnectArgs, DoctorArgs},
    evaluate::EvaluateArgs,
    init_project::InitProjectArgs,
    jobs::JobsArgs,
    list::ListArgs,
    predict::PredictArgs,
    python::Python,
    start::StartArgs,
    terminal,
    versions::VersionsArgs,
};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml create my_backend            a new backend, with tests and a Dockerfile
  label-studio-ml start my_backend -p 9091     build it and serve it on port 9091
  label-studio-ml init-project --backend yolo photos/   a project for it, with the files of a folder
  label-studio-ml connect --project 1          connect the backend to a project
  label-studio-ml doctor --project 1           why does Label Studio show no predictions?
  label-studio-ml predict --project 1          predict all its tasks
  label-studio-ml jobs watch                   follow the training that runs
  label-studio-ml list                         the ready backends

Run label-studio-ml COMMAND --help for the options of a command.";

/// Turns a model into a backend that Label Studio connects to
#[derive(Debug, Parser)]
#[command(
    name = "label-studio-ml",
    version,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    subcommand_required = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(visible_alias = "init")]
    Create(CreateArgs),
    Start(StartArgs),
    Deploy(DeployArgs),
    InitProject(Box<InitProjectArgs>),
    Connect(Box<ConnectArgs>),
    Doctor(Box<DoctorArgs>),
    Predict(Box<PredictArgs>),
    Evaluate(Box<EvaluateArgs>),
    Jobs(JobsArgs),
    List(ListArgs),
    Versions(VersionsArgs),
    Completions(CompletionsArgs),
}

impl Command {
    fn run(self, out: &mut dyn Write, python: Option<&dyn Python>) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create(args) => args.run(out, python),
            Self::Start(args) => args.run(python),
            Self::Deploy(args) => args.run(out),
            Self::InitProject(args) => args.run(out),
            Self::Connect(args) => args.run(out),
            Self::Doctor(args) => args.run(out),
            Self::Predict(args) => args.run(out, python),
            Self::Evaluate(args) => args.run(out, python),
            Self::Jobs(args) => args.run(out),
            Self::List(args) => args.run(out),
            Self::Versions(args) => args.run(out),
            Self::Completions(args) => args.run(Cli::command(), out),
        }
    }
}

/// Runs the command line `args`, the program's name first, and returns its exit code.
///
/// 0 means success, 1 failure, 2 wrong arguments. `start` returns the exit code of the backend; on Unix it does not
/// return at all, since the backend replaces this process.
pub fn run(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    run_in(args, None)
}

/// Runs the command line as [`run`] does, and knows Python backends as well as native ones.
pub fn run_with_python(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    python: &dyn Python,
) -> ExitCode {
    run_in(args, Some(python))
}

fn run_in(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    python: Option<&dyn Python>,
) -> ExitCode {
    let mut command = Cli::command().mut_subcommands(ignore_empty_variables);
    let matches = command.try_get_matches_from_mut(args);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return misuse(&error.format(&mut command)),
    };
    // Not locked: a Python backend is served in this process, and its log goes to the standard output.
    let mut out = anstream::stdout();
    let result = cli.command.run(&mut out, python).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(error) = error.downcast_ref() {
                return misuse(error);
            }
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn misuse(error: &clap::Error) -> ExitCode {
    // Printing fails only when the terminal is closed.
    let _ = error.print();
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Returns whether the reader of the output, such as `head`, has closed it.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
