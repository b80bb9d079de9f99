//! The name by which a process's jobs are known.

/// Returns a name that says where the process runs, and that no process had before.
pub(super) fn worker_name() -> String {
    let host = rustix::system::uname();
    let host: String = host
        .nodename()
        .to_string_lossy()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .take(64)
        .collect();
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let host = host.trim_start_matches('.');
    format!("{host}:{}:{}", std::process::id(), &unique[..8])
}
