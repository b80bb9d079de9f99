//! A Label Studio with one project, and a backend below `/backend/`, on one port of this machine.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

const LABEL_CONFIG: &str = r#"<View>
  <Text name="text" value="$text"/><Image name="image" value="$image"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
</View>"#;

/// Answers by method and path; a text is sent as it is, anything else as JSON.
pub(crate) type Answers = BTreeMap<&'static str, (u16, Value)>;

/// Answers with which every check passes.
fn healthy(url: &str) -> Answers {
    let project = json!({ "id": 1, "title": "Moods", "label_config": LABEL_CONFIG });
    let task = json!({ "id": 11, "data": { "text": "rain", "image": "/data/upload/1/x.png" } });
    let connected =
        json!({ "id": 3, "url": format!("{url}/backend"), "title": "mood", "state": "CO" });
    let webhook = json!({ "id": 5, "url": format!("{url}/backend/webhook"), "headers": {}, "is_active": true });
    let region = json!({ "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": ["Sad"] } });
    Answers::from([
        ("GET /api/version", (200, json!({ "release": "1.23.2" }))),
        (
            "GET /api/current-user/whoami",
            (200, json!({ "id": 1, "email": "ann@ls.example" })),
        ),
        (
            "GET /api/projects",
            (200, json!({ "results": [project], "next": null })),
        ),
        ("GET /api/projects/1", (200, project)),
        (
            "GET /api/tasks",
            (200, json!({ "tasks": [task], "total": 1 })),
        ),
        ("GET /api/ml", (200, json!([connected]))),
        ("GET /api/webhooks", (200, json!([webhook]))),
        ("GET /data/upload/1/x.png", (200, json!("pixels"))),
        (
            "GET /backend/health",
            (200, json!({ "status": "UP", "model_class": "Mood" })),
        ),
        ("GET /backend/ready", (200, json!({}))),
        (
            "POST /backend/setup",
            (200, json!({ "model_version": "v7" })),
        ),
        (
            "POST /backend/predict",
            (
                200,
                json!({ "results": [{ "result": [region], "score": 0.5 }] }),
            ),
        ),
        (
            "POST /backend/webhook",
            (200, json!({ "status": "Unknown event" })),
        ),
    ])
}

/// Starts the mock with answers that `change` may alter, and returns its address.
///
/// With `authorization` the backend answers 401 to requests without that header.
pub(crate) fn start(
    authorization: Option<&'static str>,
    change: impl FnOnce(&str, &mut Answers),
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut answers = healthy(&url);
    change(&url, &mut answers);
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A caller that hangs up is the caller's business.
            let _ = answer(&stream.unwrap(), authorization, &answers);
        }
    });
    url
}

fn answer(
    stream: &TcpStream,
    authorization: Option<&str>,
    answers: &Answers,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let request: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    let path = request[1].split('?').next().unwrap_or_default();
    let route = format!("{} {}", request[0], path.trim_end_matches('/'));
    let (mut n_bytes, mut is_known) =
        (0, authorization.is_none() || !path.starts_with("/backend/"));
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => n_bytes = value.parse().unwrap(),
            "authorization" => is_known |= Some(value) == authorization,
            _ => {}
        }
    }
    std::io::copy(&mut reader.by_ref().take(n_bytes), &mut std::io::sink())?;
    let unknown = (404, json!({ "detail": "Not found." }));
    let unauthorized = (401, json!({ "detail": "credentials, please" }));
    let (status, body) = if is_known {
        answers.get(route.as_str()).unwrap_or(&unknown)
    } else {
        &unauthorized
    };
    let body = body
        .as_str()
        .map_or_else(|| body.to_string(), str::to_owned);
    let n_bytes = body.len();
    write!(
        (&*stream),
        "HTTP/1.1 {status} x\r\nContent-Length: {n_bytes}\r\nConnection: close\r\n\r\n{body}"
    )
}
