//! `label-studio-ml doctor`: checks why Label Studio shows no predictions, and prints a line per check.
//! `label-studio-ml connect` does the same for a backend that it connects first.

mod args;
mod checks;
mod click;
mod fix;
mod release;
mod report;
mod state;

use std::{io::Write, process::ExitCode};

use checks::{CHECKS, Check};
use report::{Finding, Report, chain};
use state::{Doctor, Treatment};

pub(crate) use args::{ConnectArgs, DoctorArgs};

/// Faults that one check may have, each fixed before the next is found.
const MAX_FIXES: usize = 3;

impl DoctorArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let treatment = if self.fix {
            Treatment::Fix
        } else {
            Treatment::Name
        };
        examine(Doctor::new(self.checked, treatment)?, out)
    }
}

impl ConnectArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let treatment = Treatment::Connect { title: self.title };
        examine(Doctor::new(self.checked, treatment)?, out)
    }
}

/// Runs all checks.
fn examine(mut doctor: Doctor, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(out);
    for (name, check) in CHECKS {
        let finding = check_and_fix(&mut doctor, name, check, &mut report)?;
        report.add(name, &finding)?;
    }
    Ok(report.exit_code())
}

/// Runs a check, and again after each fault that could be fixed. Returns the last finding.
fn check_and_fix(
    doctor: &mut Doctor,
    name: &str,
    check: Check,
    report: &mut Report<'_>,
) -> anyhow::Result<Finding> {
    for _ in 0..MAX_FIXES {
        let finding = check(doctor);
        let Finding::Fixable { fault, fix } = &finding else {
            return Ok(finding);
        };
        let (Treatment::Fix | Treatment::Connect { .. }, Some(client), Some(project)) =
            (&doctor.treatment, &doctor.client, &doctor.project)
        else {
            return Ok(finding);
        };
        if let Err(error) = fix.apply(client, project.id) {
            return Ok(Finding::Failure(format!(
                "{fault}; Label Studio refuses the fix: {}",
                chain(error)
            )));
        }
        report.add(name, &Finding::Fixed(fault.clone()))?;
    }
    Ok(check(doctor))
}
