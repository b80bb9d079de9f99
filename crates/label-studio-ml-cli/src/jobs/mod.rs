//! `jobs`: the trainings of a backend, listed, watched, cancelled and run again.

mod job;
mod table;
mod watch;

use std::{io::Write, process::ExitCode};

use clap::{Args, Subcommand};
use ureq::http::Method;

use self::job::{Job, State, job_number, jobs, read};
use crate::{backend::BackendArgs, terminal::line};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml jobs list --state running
  label-studio-ml jobs watch 17
  label-studio-ml jobs cancel 17 --backend-url http://192.168.1.5:9090";

/// List, watch, cancel and retry the trainings of a backend
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct JobsArgs {
    #[command(flatten)]
    backend: BackendArgs,

    #[command(subcommand)]
    command: JobsCommand,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// List jobs, the newest first
    List {
        /// Only jobs of this project
        #[arg(long, value_name = "ID")]
        project: Option<String>,

        /// Only jobs in this state
        #[arg(long)]
        state: Option<State>,

        /// Only jobs older than this one, for the next page
        #[arg(long, value_name = "JOB")]
        before: Option<String>,

        /// How many jobs at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a job and the last lines of its log
    Show {
        /// Number of the job
        job: String,

        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a job: one that waits at once, one that runs as soon as its model looks
    Cancel {
        /// Number of the job
        job: String,
    },
    /// Run a job again that has ended
    Retry {
        /// Number of the job
        job: String,
    },
    /// Follow a job until it ends; exit code 1 if it failed or was cancelled
    Watch {
        /// Number of the job; the newest that has not ended if not given
        job: Option<String>,
    },
}

impl JobsArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let backend = self.backend.backend()?;
        match self.command {
            JobsCommand::List {
                project,
                state,
                before,
                limit,
                json,
            } => {
                let mut query = vec![("limit", limit.to_string())];
                query.extend(project.map(|id| ("project", id)));
                query.extend(state.map(|state| ("state", state.name())));
                query.extend(before.map(|job| ("before", job)));
                let page = backend.json(Method::GET, &["jobs"], &query)?;
                if json {
                    writeln!(out, "{page:#}")?;
                } else {
                    table::write_list(out, &jobs(&page)?)?;
                }
            }
            JobsCommand::Show { job, json } => {
                let shown = backend.json(Method::GET, &["jobs", job_number(&job)?], &[])?;
                if json {
                    writeln!(out, "{shown:#}")?;
                } else {
                    let log = backend.json(Method::GET, &["jobs", &job, "log"], &[])?;
                    table::write_job(out, &read(shown)?, log["log"].as_str().unwrap_or_default())?;
                }
            }
            JobsCommand::Cancel { job } => {
                let job: Job =
                    read(backend.json(Method::DELETE, &["jobs", job_number(&job)?], &[])?)?;
                let told = match job.state {
                    State::Running => "ends as soon as its model looks whether it should",
                    _ => "is cancelled",
                };
                writeln!(out, "job {} {told}", line(&job.id))?;
            }
            JobsCommand::Retry { job } => {
                let path = ["jobs", job_number(&job)?, "retry"];
                let job: Job = read(backend.json(Method::POST, &path, &[])?)?;
                writeln!(out, "job {} is {}", line(&job.id), job.state.name())?;
            }
            JobsCommand::Watch { job } => return watch::watch(&backend, job, out),
        }
        Ok(ExitCode::SUCCESS)
    }
}
