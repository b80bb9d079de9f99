//! Tests of a backend: the whole server without a socket, and the backend's program.

mod client;
mod program;

pub use client::TestClient;
pub use program::TestProgram;
