//! Forms that hold a file, `multipart/form-data`.

use std::{
    hash::{BuildHasher, RandomState},
    io::Write as _,
};

/// Writes a form: its fields, then a file. Returns the content type and the body.
pub(crate) fn form(
    fields: &[(String, String)],
    (field, name, kind): (&str, &str, &str),
    content: &[u8],
) -> (String, Vec<u8>) {
    let boundary = boundary(content);
    let mut body = Vec::with_capacity(content.len() + 1024);
    let mut write = |text: std::fmt::Arguments<'_>| {
        body.write_fmt(text).expect("a vector takes everything");
    };
    for (name, value) in fields {
        write(format_args!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
            quoted(name)
        ));
    }
    write(format_args!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {kind}\r\n\r\n",
        quoted(field),
        quoted(name)
    ));
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// Escapes what would end a quoted name, as browsers do.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Returns a boundary that the file cannot contain.
fn boundary(content: &[u8]) -> String {
    let random = || RandomState::new().hash_one(content.len());
    format!("label-studio-ml-{:016x}{:016x}", random(), random())
}
