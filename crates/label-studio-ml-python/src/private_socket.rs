//! A Unix socket that only processes of this user can connect to.

use std::{
    fs::Permissions,
    io,
    os::{fd::AsFd, unix::fs::PermissionsExt},
    path::Path,
};

use tempfile::TempDir;

/// Creates a folder for a socket that no other user can enter, whatever the umask is.
pub(crate) fn folder() -> io::Result<TempDir> {
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new()
        .prefix("lsml-")
        .permissions(private.clone())
        .tempdir()?;
    // The umask may have taken rights of this user away.
    std::fs::set_permissions(folder.path(), private)?;
    Ok(folder)
}

/// Returns whether the process at the other end of a connection belongs to this user. Systems that do not tell rely on the
/// folder alone.
pub(crate) fn is_from_this_user(connection: &impl AsFd) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(connection)?;
        Ok(peer.uid == rustix::process::geteuid())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = connection;
        Ok(true)
    }
}

/// Logs that a connection of another user was refused.
pub(crate) fn warn_of_stranger(path: &Path) {
    tracing::warn!(socket = %path.display(), "a process of another user connected and was refused");
}
