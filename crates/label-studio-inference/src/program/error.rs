//! Why a program gave no result.

use std::{io, process::ExitStatus};

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It cannot be run.
    #[error("cannot run {program}: install it, or say where it is with {setting}")]
    Start {
        /// The program as configured.
        program: String,
        /// Variable that says where it is.
        setting: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It was killed, since it did not end in time.
    #[error("{program} took too long")]
    Timeout {
        /// The program as configured.
        program: String,
    },
    /// It ended with an error.
    #[error("{program} failed with {status}: {complaints}")]
    Failed {
        /// The program as configured.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The start of its standard error.
        complaints: String,
    },
    /// It printed more than is accepted.
    #[error("{program} printed more than {max} bytes")]
    TooManyBytes {
        /// The program as configured.
        program: String,
        /// Most bytes that are accepted.
        max: u64,
    },
    /// The connection to it broke.
    #[error("cannot read what {program} prints")]
    Read {
        /// The program as configured.
        program: String,
        /// The error of the operating system.
        source: io::Error,
    },
}
