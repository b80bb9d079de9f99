//! A stand-in for Label Studio that serves one project's labelled tasks.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use label_studio_ml::{
    LabelConfig, Project, ProjectId, Resources, Value, json,
    sdk::{Client, ClientOptions},
    store::MemoryStore,
};

/// Serves whatever tasks it was given last.
pub(crate) struct LabelStudio {
    tasks: Arc<Mutex<Value>>,
    url: String,
    hold: Arc<Mutex<Option<Hold>>>,
}

/// Stops the next answer: says that the request is there, and waits for leave.
struct Hold {
    arrived: mpsc::Sender<()>,
    leave: mpsc::Receiver<()>,
}

impl LabelStudio {
    pub(crate) fn start(tasks: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let studio = Self {
            tasks: Arc::new(Mutex::new(tasks)),
            url: format!("http://{}", listener.local_addr().unwrap()),
            hold: Arc::default(),
        };
        let (tasks, hold) = (Arc::clone(&studio.tasks), Arc::clone(&studio.hold));
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &tasks, &hold);
            }
        });
        studio
    }

    pub(crate) fn set_tasks(&self, tasks: Value) {
        *self.tasks.lock().unwrap() = tasks;
    }

    /// Holds the next answer back. Receive from the first part to wait for its request; send to the second to let it go.
    pub(crate) fn hold(&self) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (arrived, has_arrived) = mpsc::channel();
        let (let_go, leave) = mpsc::channel();
        *self.hold.lock().unwrap() = Some(Hold { arrived, leave });
        (has_arrived, let_go)
    }

    pub(crate) fn resources(&self) -> Resources {
        let options =
            ClientOptions::new(&self.url).with_token("0123456789abcdef0123456789abcdef01234567");
        Resources {
            client: Some(Client::new(options).unwrap()),
            ..Resources::new(MemoryStore::default())
        }
    }

    pub(crate) fn project(&self, label_config: &str) -> Project {
        let label_config = LabelConfig::parse(label_config).unwrap();
        Project::new(
            ProjectId::parse("1"),
            Arc::new(label_config),
            Arc::new(self.resources()),
        )
    }
}

fn answer(mut stream: TcpStream, tasks: &Mutex<Value>, hold: &Mutex<Option<Hold>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    if let Some(hold) = hold.lock().unwrap().take() {
        hold.arrived.send(()).unwrap();
        hold.leave.recv().unwrap();
    }
    let (status, body) = if request.starts_with("GET /api/tasks?") && request.contains("project=1&")
    {
        let tasks = tasks.lock().unwrap().clone();
        (
            "200 OK",
            json!({ "total": tasks.as_array().unwrap().len(), "tasks": tasks }),
        )
    } else {
        ("404 Not Found", json!({ "detail": request }))
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    write!(stream, "{head}connection: close\r\n\r\n{body}").unwrap();
}
