//! The model, with a stand-in for the chat model.

mod controls;
mod faults;
mod limits;
mod media;
mod projects;
mod prompts;
mod stand_in;
