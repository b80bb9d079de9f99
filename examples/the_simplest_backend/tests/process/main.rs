//! The backend as a process.

mod backend;
mod connections;
mod logs;
mod signals_and_flags;
