//! `label-studio-ml doctor` with a mock Label Studio and a mock backend.

mod checks;
mod fixes;
mod mock;
mod settings;
