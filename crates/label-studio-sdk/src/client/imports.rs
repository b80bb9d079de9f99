//! Tasks and files that are added to a project.

use std::fmt::Write as _;

use serde::de::IgnoredAny;
use serde_json::Value;
use ureq::http::Method;
use uuid::Uuid;

use super::{Client, ClientError, connection::Body};

impl Client {
    /// Adds tasks to a project, each an object with `data`, and with `annotations` and `predictions` if it has any.
    pub fn import_tasks(&self, project: i64, tasks: &[Value]) -> Result<(), ClientError> {
        let path = format!("api/projects/{project}/import");
        self.send::<IgnoredAny>(&Method::POST, &path, &tasks)?;
        Ok(())
    }

    /// Uploads a file, such as an image, and adds a task that shows it.
    ///
    /// Label Studio judges the file by the end of its name. It refuses media for label configs that show more than one
    /// field of a task, since it does not know in which of them the file belongs.
    pub fn upload_file(&self, project: i64, file: &UploadedFile<'_>) -> Result<(), ClientError> {
        let boundary = Uuid::new_v4().simple().to_string();
        let content = file.as_form(&boundary);
        let body = Body {
            content_type: &format!("multipart/form-data; boundary={boundary}"),
            content: &content,
        };
        let path = format!("api/projects/{project}/import");
        self.send_body::<IgnoredAny>(&Method::POST, &path, body)?;
        Ok(())
    }
}

/// A file to be uploaded.
#[derive(Debug, Clone, Copy)]
pub struct UploadedFile<'a> {
    /// Name of the file, without folders.
    pub name: &'a str,
    /// Media type, such as `image/png`.
    pub media_type: &'a str,
    /// The bytes of the file.
    pub content: &'a [u8],
}

impl UploadedFile<'_> {
    /// Returns the body of a form with the file (RFC 7578; the name is escaped as browsers do).
    fn as_form(&self, boundary: &str) -> Vec<u8> {
        let mut name = String::new();
        for c in self.name.chars() {
            match c {
                '"' => name.push_str("%22"),
                c if c.is_control() => {
                    let mut utf8 = [0; 4];
                    for byte in c.encode_utf8(&mut utf8).bytes() {
                        write!(name, "%{byte:02X}").expect("a text can be written to");
                    }
                }
                c => name.push(c),
            }
        }
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {}\r\n\r\n",
            self.media_type
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        [head.as_bytes(), self.content, tail.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_file_forges_a_header() {
        let file = UploadedFile {
            name: "a\"; x=\"\r\nContent-Length: 0\u{85}ä.png",
            media_type: "image/png",
            content: b"\0\xff",
        };
        let expected: &[&[u8]] = &[
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; ",
            "filename=\"a%22; x=%22%0D%0AContent-Length: 0%C2%85ä.png\"\r\n".as_bytes(),
            b"Content-Type: image/png\r\n\r\n\0\xff\r\n--b--\r\n",
        ];
        assert_eq!(file.as_form("b"), expected.concat());
    }
}
