//! `label-studio-ml doctor` with a mock Label Studio and a mock backend.

mod checks;
mod connect;
mod fixes;
mod mock;
mod scene;
mod settings;
