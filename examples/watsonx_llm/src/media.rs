//! Images: as they are for models that see, as text for all others.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use label_studio_ml::anyhow::{self, Context, bail, ensure};
use label_studio_services::Deadline;

/// Largest image that is sent.
const MAX_IMAGE_BYTES: u64 = 20 << 20;
/// Longest text that is taken from an image.
const MAX_TEXT_BYTES: u64 = 1 << 20;
const POLL: Duration = Duration::from_millis(20);
const SIGNATURES: [(&[u8], &str); 4] = [
    (b"\x89PNG", "image/png"),
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
];

/// Returns an image as a `data:` address.
pub(crate) fn data_url(path: &Path) -> anyhow::Result<String> {
    let size = fs::metadata(path)?.len();
    ensure!(
        size <= MAX_IMAGE_BYTES,
        "the image has {size} bytes, more than the {MAX_IMAGE_BYTES} that are sent"
    );
    let bytes = fs::read(path)?;
    let known = SIGNATURES
        .iter()
        .find(|(start, _)| bytes.starts_with(start));
    let (_, kind) = known.context("the image is neither PNG, JPEG, GIF nor WebP")?;
    Ok(format!(
        "data:{kind};base64,{}",
        BASE64_STANDARD.encode(bytes)
    ))
}

/// Reads the text in an image with the program `tesseract`.
pub(crate) fn ocr(path: &Path, deadline: Deadline) -> anyhow::Result<String> {
    let mut program = Command::new("tesseract")
        .arg(fs::canonicalize(path)?)
        .arg("stdout")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("the program tesseract is needed to read images; install it, or set WATSONX_ENDPOINT=chat")?;
    let stdout = program.stdout.take().expect("the output is piped");
    let reader = thread::spawn(move || read(stdout));
    let ended = end(&mut program, deadline);
    if ended.is_err() {
        program.kill()?;
        program.wait()?;
    }
    let text = reader.join().expect("reading does not panic")?;
    ended.map(|()| text.trim_end().to_owned())
}

fn read(stdout: impl std::io::Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    stdout.take(MAX_TEXT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn end(program: &mut Child, deadline: Deadline) -> anyhow::Result<()> {
    loop {
        if let Some(status) = program.try_wait()? {
            ensure!(
                status.success(),
                "tesseract cannot read the image: {status}"
            );
            return Ok(());
        }
        if deadline.is_over() {
            bail!("no time is left to read the image");
        }
        thread::sleep(POLL);
    }
}

/// Reads a file as text.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = MAX_TEXT_BYTES * 16;
    File::open(path)?.take(limit).read_to_string(&mut text)?;
    Ok(text)
}
