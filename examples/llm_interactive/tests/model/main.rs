//! The model, with a mock of the chat model.

mod controls;
mod faults;
mod limits;
mod media;
mod mock;
mod projects;
mod prompts;
