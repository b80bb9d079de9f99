//! A page for people at `/`: what the backend does, and a place to try the model.
//!
//! The page is a few static files without a build step. It asks for JSON that other routes have, and
//! for what is in this module: the state, label configs, and what the editor of Label Studio needs.

pub(crate) mod editor;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod label_studio;
mod media_type;
pub(crate) mod project;
pub(crate) mod state;

use crate::server::{
    dashboard::{editor::Editor, history::History},
    settings::args::ServerArgs,
};

/// What the server keeps for the page.
pub(crate) struct Dashboard {
    pub(crate) is_on: bool,
    pub(crate) editor: Option<Editor>,
    pub(crate) history: History,
}

impl Dashboard {
    pub(crate) fn new(args: &ServerArgs) -> Self {
        let editor = args.dashboard_editor.as_deref();
        Self {
            is_on: !args.no_dashboard,
            editor: editor.filter(|_| !args.no_dashboard).and_then(Editor::new),
            history: History::default(),
        }
    }
}
