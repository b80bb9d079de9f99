//! A Python model behind the server: WORKERS processes that run it with THREADS threads each.
//!
//! The server's process runs no Python code of the model, so it survives a crash, an exit or a hanging call. Requests are
//! forwarded unchanged over one Unix socket per thread (`connection`, `frame`), and answers are returned unread.
//!
//! - `process` starts a worker and waits until its model is loaded;
//! - `fork_server` forks workers from a process that has imported the model, with `--start-method fork`;
//! - `supervisor` keeps one worker running, with back-off when starting fails;
//! - `pool` chooses the `worker` of a call;
//! - `call` makes a call, and retries it after another call crashed the worker;
//! - `job` passes on what a worker says about a training, and cancels it;
//! - `model` implements the server's model traits with these.

mod args;
mod call;
mod connection;
mod fork_server;
mod frame;
mod job;
mod model;
mod pool;
mod process;
mod spawn_on_drop;
mod start;
mod supervisor;
mod worker;

pub use args::StartMethod;
pub use model::{Workers, WorkersOptions};
pub use process::Program;
pub use start::start;
