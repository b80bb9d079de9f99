//! The backend as a process.

mod backend;
mod connections;
mod signals_and_flags;
