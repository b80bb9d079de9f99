//! A model that only takes time, for `scripts/measure_production.py`.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::Parser;
use fs4::{FileExt, TryLockError};
use label_studio_ml::{
    Batching, Event, Model, PredictRequest, Prediction, Predictions, Project, ServerArgs, Value,
    anyhow, parse_args, serve,
};

/// Take time, and answer with nothing
#[derive(Debug, Clone, Parser)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Milliseconds of each call
    #[arg(long, default_value_t = 0)]
    call_ms: u64,
    /// Milliseconds of each task, besides
    #[arg(long, default_value_t = 0)]
    task_ms: u64,
    /// Milliseconds of a training
    #[arg(long, default_value_t = 0)]
    fit_ms: u64,
    /// Most tasks of a call; 0 does not merge requests
    #[arg(long, default_value_t = 0)]
    batch_tasks: usize,
    /// Milliseconds that a request waits for others
    #[arg(long, default_value_t = 5)]
    batch_wait_ms: u64,
    /// Folder for a line per training, by project, and for overlaps
    #[arg(long)]
    trace: Option<PathBuf>,
}

impl Model for Args {
    fn predict(&self, _: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let n_tasks = request.tasks.len();
        let millis = self.call_ms + self.task_ms * n_tasks as u64;
        thread::sleep(Duration::from_millis(millis));
        Ok(request
            .tasks
            .iter()
            .map(|_| Prediction::new(Vec::<Value>::new()))
            .collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        let Some(folder) = &self.trace else {
            thread::sleep(Duration::from_millis(self.fit_ms));
            return Ok(Value::Null);
        };
        // A lock ends with its process. A process id would not do: the system gives it to others.
        let busy = File::create(folder.join(format!("busy-{}", project.id())))?;
        match FileExt::try_lock(&busy) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                append(folder, "overlaps", &project.id().to_string())?;
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        thread::sleep(Duration::from_millis(self.fit_ms));
        drop(busy);
        let number = &event.payload["annotation"]["id"];
        append(
            folder,
            &format!("done-{}", project.id()),
            &number.to_string(),
        )?;
        Ok(Value::Null)
    }

    fn batching(&self) -> Batching {
        match self.batch_tasks {
            0 => Batching::default(),
            max_tasks => Batching {
                max_tasks,
                max_wait: Duration::from_millis(self.batch_wait_ms),
            },
        }
    }
}

fn append(folder: &Path, name: &str, line: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.append(true).create(true).open(folder.join(name))?;
    writeln!(file, "{line}")?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || Ok(args))
}
