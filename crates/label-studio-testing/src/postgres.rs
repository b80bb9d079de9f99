//! A PostgreSQL server of Debian's package.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::TempDir;

/// Where Debian's package puts the programs of each version.
const PACKAGE: &str = "/usr/lib/postgresql";
/// The user that runs the server when the tests run as root, which the server refuses.
const NOBODY: u32 = 65534;
/// Ends the server when the test ends, however it ends.
const SUPERVISE: &str = r#""$@" & server=$!; read -r _; kill -QUIT "$server"; wait"#;

/// A server on a Unix socket in a temporary folder. Dropping it ends it.
#[derive(Debug)]
pub struct PostgresServer {
    supervisor: Child,
    folder: TempDir,
}

impl PostgresServer {
    /// Makes an empty database and starts a server for it.
    ///
    /// # Panics
    /// When the package `postgresql` is not installed, or the server does not start.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        if is_root() {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY))
                .expect("root may give a folder away");
        }
        let programs = programs();
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"), folder.path())
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data)
            .output()
            .expect("initdb can be started");
        assert!(made.status.success(), "{made:?}");
        let mut supervisor = command(Path::new("/bin/sh"), folder.path())
            .args(["-c", SUPERVISE, "sh"])
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-h", "", "-F", "-B", "16MB"])
            .args(["-c", "synchronous_commit=off"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sh can be started");
        let stderr = supervisor.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut log = Vec::new();
        let is_ready = lines.by_ref().any(|line| {
            let is_ready = line.contains("ready to accept connections");
            log.push(line);
            is_ready
        });
        assert!(is_ready, "the server ended: {}", log.join("\n"));
        // What is written must be read.
        thread::spawn(move || lines.for_each(drop));
        Self { supervisor, folder }
    }

    /// Returns the address of the database, for a schema of it.
    pub fn address(&self, schema: &str) -> String {
        let folder = self.folder.path().display();
        format!("host={folder} user=postgres dbname=postgres options='-c search_path={schema}'")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let _ = self.supervisor.wait();
    }
}

/// Returns the folder with the programs of the newest version.
fn programs() -> PathBuf {
    let versions = fs::read_dir(PACKAGE).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max();
    let version = newest.expect("PostgreSQL is missing: scripts/install_postgresql.sh installs it");
    Path::new(PACKAGE).join(version.to_string()).join("bin")
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if is_root() {
        use std::os::unix::process::CommandExt as _;
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Returns whether this process may give files away.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
