//! `label-studio-ml predict` with a mock Label Studio and a mock backend.

mod backend;
mod command;
mod faults;
mod files;
mod interrupted;
mod project;
mod watch;
