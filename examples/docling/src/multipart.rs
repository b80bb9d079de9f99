//! Forms that hold a file, `multipart/form-data`.

use std::{
    hash::{BuildHasher, RandomState},
    io::Write as _,
};

/// A file of a form.
pub(crate) struct FormFile<'a> {
    /// Field that it is in.
    pub(crate) field: &'a str,
    /// Its name.
    pub(crate) name: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) content: &'a [u8],
}

/// Writes a form: its fields, then a file. Returns the content type and the body.
pub(crate) fn form(fields: &[(String, String)], file: &FormFile<'_>) -> (String, Vec<u8>) {
    let boundary = boundary(file.content);
    let mut body = Vec::with_capacity(file.content.len() + 1024);
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
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
        quoted(file.field),
        quoted(file.name),
        file.content_type
    ));
    body.extend_from_slice(file.content);
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
