//! `label-studio-ml doctor`: checks why Label Studio shows no predictions, and prints a line per check.

mod args;
mod backend;
mod checks;
mod report;
mod state;

use std::{io::Write, process::ExitCode};

use checks::CHECKS;
use report::Report;
use state::Doctor;

pub(crate) use args::DoctorArgs;

impl DoctorArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let mut doctor = Doctor::new(self)?;
        let mut report = Report::new(out);
        for (name, check) in CHECKS {
            report.add(name, &check(&mut doctor))?;
        }
        Ok(report.exit_code())
    }
}
