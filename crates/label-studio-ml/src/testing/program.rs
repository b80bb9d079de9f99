//! A backend's program, for tests of its settings.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// Wide enough that help never wraps between a flag's help and its variable.
const COLUMNS: &str = "10000";

/// A backend's program, run with only the environment that a test sets.
///
/// A test of a backend's settings is one line:
/// `TestProgram::new(env!("CARGO_BIN_EXE_my_backend")).assert_empty_variables_count_as_unset(&[])`.
#[derive(Debug, Clone)]
pub struct TestProgram {
    path: PathBuf,
}

impl TestProgram {
    /// Creates it from the path that cargo passes to tests as `CARGO_BIN_EXE_<name>`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the program with these variables alone.
    pub fn command<'a>(&self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().envs(variables).stdin(Stdio::null());
        command
    }

    /// Returns the names of the variables that `--help` shows.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub fn variables(&self) -> Vec<String> {
        let mut help = self.command([("COLUMNS", COLUMNS)]);
        let help = help.arg("--help").output().expect("the program runs");
        let help = String::from_utf8_lossy(&help.stdout);
        let shown = help.split("[env: ").skip(1);
        let names = shown.filter_map(|rest| rest.split(['=', ']']).next());
        names.map(str::to_owned).collect()
    }

    /// Checks that the program behaves the same with empty variables as without them: it exits with
    /// the same message, after it has read its settings. Without `args` that make it exit, it exits
    /// because its port is taken.
    ///
    /// # Panics
    /// When it does not do the same, or when the program cannot be run.
    pub fn assert_empty_variables_count_as_unset(&self, args: &[&str]) {
        let names = self.variables();
        assert!(names.iter().any(|name| name == "PORT"), "{names:?}");
        let empty: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = taken.local_addr().expect("it listens").port().to_string();
        let run = |variables: &[(&str, &str)]| {
            let mut command = self.command(variables.iter().copied());
            command
                .args(["--host", "127.0.0.1", "--port", &port])
                .args(args);
            ended(&command.output().expect("the program runs"))
        };
        let (unset, set_to_nothing) = (run(&[]), run(&empty));
        assert_eq!(unset, set_to_nothing, "variables set to nothing: {names:?}");
        assert_eq!(unset.0, Some(1), "not ended by its work: {}", unset.1);
    }
}

/// Returns the status and the standard error of a program.
fn ended(output: &Output) -> (Option<i32>, String) {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), words)
}
