//! A running backend, and requests to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
};

use label_studio_ml::{Value, json};

pub(crate) const CONFIG: &str = r#"<View><Text name="text" value="$text"/>
    <Choices name="mood" toName="text"><Choice value="Positive"/><Choice value="Negative"/></Choices></View>"#;

/// A running backend, ended by its id.
pub(crate) struct Backend {
    pub(crate) child: Child,
    pub(crate) address: String,
    log: BufReader<ChildStdout>,
    /// What it logged before it listened.
    pub(crate) seen: String,
    _model_dir: tempfile::TempDir,
}

impl Backend {
    pub(crate) fn start(envs: &[(&str, &str)]) -> Self {
        Self::start_with(&[], envs)
    }

    pub(crate) fn start_with(args: &[&str], envs: &[(&str, &str)]) -> Self {
        let model_dir = tempfile::tempdir().unwrap();
        let mut command = command();
        command
            .env("MODEL_DIR", model_dir.path())
            .envs(envs.iter().copied())
            .args(args);
        Self::spawn(command, model_dir)
    }

    /// Starts a backend in a shell that has run `limits`, such as `ulimit -f 64`.
    pub(crate) fn start_limited(limits: &str) -> Self {
        let model_dir = tempfile::tempdir().unwrap();
        let script = format!(r#"{limits}; exec "$0" "$@""#);
        let mut command = Command::new("bash");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_the_simplest_backend")])
            .env_clear()
            .env("MODEL_DIR", model_dir.path());
        Self::spawn(command, model_dir)
    }

    fn spawn(mut command: Command, model_dir: tempfile::TempDir) -> Self {
        let mut child = command
            .args(["--port", "0", "--host", "127.0.0.1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let (mut line, mut seen) = (String::new(), String::new());
        while !line.contains("listening on http://") {
            line.clear();
            assert_ne!(
                log.read_line(&mut line).unwrap(),
                0,
                "the backend ended before it listened: {seen}"
            );
            seen.push_str(&line);
        }
        let address = line.trim().rsplit("http://").next().unwrap();
        let is_address = |c: &char| c.is_ascii_digit() || matches!(c, '.' | ':');
        let address = address.chars().take_while(is_address).collect();
        Self {
            child,
            address,
            log,
            seen,
            _model_dir: model_dir,
        }
    }

    pub(crate) fn send(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        request(&mut stream, head, body);
        stream
    }

    pub(crate) fn call(&self, head: &str, body: &Value) -> (u16, Value) {
        read_answer(self.send(head, &body.to_string()))
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Returns the next line that contains `text`.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(
                self.log.read_line(&mut line).unwrap(),
                0,
                "the log ended without {text:?}"
            );
        }
        line
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_the_simplest_backend"));
    command.env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn request(stream: &mut TcpStream, head: &str, body: &str) {
    write!(
        stream,
        "{head}\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

pub(crate) fn read_answer(mut stream: TcpStream) -> (u16, Value) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json(body))
}

fn serde_json(body: &str) -> Value {
    label_studio_ml::serde_json::from_str(body).unwrap_or_default()
}

pub(crate) fn predict_body() -> Value {
    json!({ "tasks": [{ "data": { "text": "good" } }], "project": "1.1", "label_config": CONFIG })
}
