//! A Python model behind the server: WORKERS processes that run it with THREADS threads each.
//!
//! The server's process runs no Python code of the model, so it outlives whatever the model does: a crash, an exit, a call
//! that never returns. Requests are handed over as they came, over one Unix socket per thread (`connection`, `frame`), and answers
//! are passed on unread.
//!
//! - `process` starts a worker and waits until its model is loaded;
//! - `fork_server` forks workers from a process that has imported the model, where that is wanted;
//! - `supervisor` keeps one place filled, with pauses when starting fails;
//! - `pool` says which call goes to which worker;
//! - `call` makes a call, and repeats it where another call took the worker down;
//! - `model` is all of that as one more model for the server.

mod args;
mod call;
mod connection;
mod fork_server;
mod frame;
mod model;
mod pool;
mod process;
mod spawn_on_drop;
mod start;
mod supervisor;

pub use args::StartMethod;
pub use model::{Workers, WorkersOptions};
pub use process::Program;
pub use start::start;
