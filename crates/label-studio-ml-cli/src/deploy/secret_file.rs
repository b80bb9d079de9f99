//! A temporary file for secrets.

use std::{io::Write, path::Path};

use anyhow::Context;
use tempfile::{NamedTempFile, TempPath};

/// A temporary file that only its owner can read. It is removed when dropped, and on Unix also when a signal ends the
/// program.
pub(super) struct SecretFile {
    path: TempPath,
    #[cfg(unix)]
    signals: signal_hook::iterator::Handle,
}

impl SecretFile {
    pub(super) fn create(text: &str) -> anyhow::Result<Self> {
        Self::write(text).context("cannot write a temporary file")
    }

    fn write(text: &str) -> anyhow::Result<Self> {
        let mut file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
        #[cfg(unix)]
        let signals = remove_on_signal(file.path())?;
        file.write_all(text.as_bytes())?;
        Ok(Self {
            path: NamedTempFile::into_temp_path(file),
            #[cfg(unix)]
            signals,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
impl Drop for SecretFile {
    fn drop(&mut self) {
        self.signals.close();
    }
}

/// Removes the file at `path` before a signal ends the program as it would have done anyway.
#[cfg(unix)]
fn remove_on_signal(path: &Path) -> std::io::Result<signal_hook::iterator::Handle> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let handle = signals.handle();
    let path = path.to_owned();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let _ = std::fs::remove_file(&path);
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(handle)
}
