//! Why media cannot be had as a local file.

use std::{io, net::IpAddr, path::PathBuf, string::FromUtf8Error, sync::Arc};

use crate::ClientError;

/// Why media cannot be had as a local file.
///
/// Messages name the address and say what to change. None contains a token or the signature of a presigned address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The value is not an address that can be fetched.
    #[error(
        "{value:?} is neither a web address nor a file of Label Studio (upload/<project>/<file>, \
         /data/local-files/?d=<path>, s3://, gs://, azure-blob://); paths of this machine are not read"
    )]
    Unsupported {
        /// Start of the value.
        value: String,
    },
    /// The address names no file.
    #[error("{value:?} names no file")]
    MissingFileName {
        /// Start of the value.
        value: String,
    },
    /// The path leads out of the folder that may be read.
    #[error("{path:?} is outside {}", root.display())]
    OutsideRoot {
        /// Path as it stands in the task's data.
        path: String,
        /// Folder that may be read.
        root: PathBuf,
    },
    /// The file lies in Label Studio, whose address is not known.
    #[error("{value:?} lies in Label Studio; set LABEL_STUDIO_URL")]
    MissingLabelStudioUrl {
        /// Value in the task's data.
        value: String,
    },
    /// The file lies in Label Studio, and there is no token for it.
    #[error("{value:?} lies in Label Studio; set LABEL_STUDIO_API_KEY")]
    MissingToken {
        /// Value in the task's data.
        value: String,
    },
    /// Files of cloud storage are asked for by task.
    #[error("{value:?} lies in cloud storage, and its task has no id to ask Label Studio for it")]
    MissingTaskId {
        /// Value in the task's data.
        value: String,
    },
    /// Label Studio's address or token cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The host is in a private network.
    #[error(
        "{host} has the private address {address}; \
         allow private addresses if task data may point into this network"
    )]
    PrivateAddress {
        /// Host of the address, or of what it redirects to.
        host: String,
        /// Address that it resolves to.
        address: IpAddr,
    },
    /// A redirect leads to something other than a web address, or from https to http.
    #[error("{url} redirects to {target}, which is not followed")]
    BadRedirect {
        /// Address that was asked.
        url: String,
        /// Where it redirects to.
        target: String,
    },
    /// The address redirects again and again.
    #[error("{url} redirects too often")]
    TooManyRedirects {
        /// Address that was asked first.
        url: String,
    },
    /// Label Studio wants a login.
    #[error(
        "{url} asks for a login; LABEL_STUDIO_API_KEY must be a token of this server whose owner may see the project"
    )]
    LoginRequired {
        /// Address that was asked.
        url: String,
    },
    /// The server answered with an error.
    #[error("{url} answered {status}{}", details(url, *status, body, fallback.as_deref()))]
    Status {
        /// Address that was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// Start of the answer.
        body: String,
        /// How the second address of an upload failed.
        fallback: Option<Box<Self>>,
    },
    /// The file is larger than allowed.
    #[error("{url} is larger than {limit} bytes")]
    TooLarge {
        /// Address of the file.
        url: String,
        /// Size that is allowed.
        limit: u64,
    },
    /// The connection ended before the file did.
    #[error("the download of {url} ended early")]
    Truncated {
        /// Address of the file.
        url: String,
    },
    /// The server took too long.
    #[error("the download of {url} took too long")]
    Timeout {
        /// Address of the file.
        url: String,
        /// Which limit was exceeded.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The server sends the file too slowly.
    #[error(
        "the download of {url} is too slow: {rate} bytes per second, at least {min_rate} are needed"
    )]
    TooSlow {
        /// Address of the file.
        url: String,
        /// Bytes per second of the last seconds.
        rate: u64,
        /// Bytes per second that are needed.
        min_rate: u64,
    },
    /// The server could not be reached, or does not speak HTTP.
    #[error("cannot download {url}")]
    Connection {
        /// Address of the file.
        url: String,
        /// What went wrong.
        #[source]
        source: Box<ureq::Error>,
    },
    /// A `data:` address cannot be decoded.
    #[error("{value:?} is not a valid data address")]
    DataUrl {
        /// Start of the value.
        value: String,
    },
    /// The file is not text.
    #[error("{url} is not UTF-8 text")]
    NotText {
        /// Address of the file.
        url: String,
        /// Where the text ends.
        #[source]
        source: FromUtf8Error,
    },
    /// Several threads wanted the same file at once, and the one that downloaded it failed.
    #[error(transparent)]
    Shared(Arc<Self>),
    /// A local file cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
}

fn details(url: &str, status: u16, body: &str, fallback: Option<&MediaError>) -> String {
    let mut details = String::new();
    if !body.is_empty() {
        details = format!("; {body}");
    }
    details += match status {
        404 if url.ends_with("/presign/") => {
            "; connect the bucket to the project, under Cloud Storage in Label Studio"
        }
        401 => "; LABEL_STUDIO_API_KEY is not accepted, or the address has expired",
        403 => "; the token's owner may not see the file, or the address has expired",
        404 => "; the file does not exist, or LABEL_STUDIO_URL lacks a path such as /label-studio",
        _ => "",
    };
    if let Some(fallback) = fallback {
        details = format!("{details}; then {fallback}");
    }
    details
}
