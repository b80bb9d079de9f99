//! The checks, each in its own file.

mod address;
mod backend;
mod connection;
mod interactive;
mod label_studio;
mod media;
mod prediction;
mod webhook;

use super::{report::Finding, state::Doctor};

pub(super) type Check = fn(&mut Doctor) -> Finding;

/// Every check and its name; a check uses the results of those before it.
pub(super) const CHECKS: [(&str, Check); 13] = [
    ("Label Studio", Doctor::check_label_studio),
    ("token", Doctor::check_token),
    ("project", Doctor::check_project),
    ("label config", Doctor::check_label_config),
    ("task", Doctor::check_task),
    ("media", Doctor::check_media),
    ("backend", Doctor::check_backend),
    ("connection", Doctor::check_connection),
    ("address", Doctor::check_address),
    ("webhook", Doctor::check_webhook),
    ("setup", Doctor::check_setup),
    ("interactive", Doctor::check_interactive),
    ("prediction", Doctor::check_prediction),
];
