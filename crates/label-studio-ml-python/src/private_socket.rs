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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        os::unix::net::{UnixListener, UnixStream},
        thread,
    };

    use rustix::{
        process::{Uid, geteuid},
        thread::set_thread_res_uid,
    };

    use super::*;

    /// `nobody` on most systems; the number need not have a name.
    const OTHER_USER: u32 = 65_534;

    #[test]
    fn a_process_of_another_user_is_told_from_one_of_this_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        // Here the other user gets as far as the check.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        let is_accepted = |client: io::Result<UnixStream>| {
            let client = client.unwrap();
            let (connection, _) = listener.accept().unwrap();
            drop(client);
            is_from_this_user(&connection).unwrap()
        };
        assert!(is_accepted(UnixStream::connect(&path)));
        // Linux keeps the user of each thread, so this one alone changes.
        let changed = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let user = Uid::from_raw(OTHER_USER);
                set_thread_res_uid(user, user, user)?;
                io::Result::Ok(UnixStream::connect(&path))
            });
            thread.join().unwrap()
        });
        // Only root may become another user.
        match changed {
            Ok(client) => assert!(!is_accepted(client), "it is refused"),
            Err(error) => assert!(!geteuid().is_root(), "{error}"),
        }
    }

    #[test]
    fn the_folder_is_closed_to_other_users() {
        let folder = folder().unwrap();
        let mode = folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
