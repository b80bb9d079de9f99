//! What the commands for whole projects share: how Label Studio and the backend are asked, and which tasks are read.

mod args;
mod local_backend;
mod model;
mod patience;
mod progress;
mod selection;
mod tasks;

pub(crate) use args::{LabelStudioConnection, ModelArgs};
pub(crate) use model::{Model, Outcome, Target, check_fits};
pub(crate) use patience::{Patience, explained, is_temporary};
pub(crate) use progress::Progress;
pub(crate) use selection::{Selection, SelectionArgs};
pub(crate) use tasks::{TaskSource, stored_predictions, tasks_of};
