//! Keeps files in S3.

use label_studio_ml::anyhow::{self, Context};
use label_studio_services::{
    Credentials, Deadline, ServiceClient, ServiceError, ServiceRequest, Signer, Timestamp,
    uri_encoded,
};
use url::Url;

use crate::{Addressing, Audio, BucketArgs, UrlStyle, credentials};

const CACHE_CONTROL: &str = "public, max-age=31536000";

/// A bucket that files are put into.
#[derive(Debug)]
pub struct Bucket {
    client: ServiceClient,
    credentials: Option<Credentials>,
    name: String,
    region: String,
    folder: String,
    base: String,
    public_base: String,
    acl: Option<String>,
    sse: Option<String>,
    style: UrlStyle,
    presign_seconds: u32,
}

impl Bucket {
    /// Creates the bucket of the flags. Nothing is sent yet.
    ///
    /// # Errors
    /// When a flag is missing, or there are no credentials.
    pub fn new(args: &BucketArgs, client: ServiceClient) -> anyhow::Result<Self> {
        let name = filled(args.s3_bucket.as_ref()).context("S3_BUCKET is not set")?;
        let region = args.region().context("AWS_DEFAULT_REGION is not set")?;
        let credentials = credentials::find(args)?;
        Self::with(args, client, name, region, Some(credentials))
    }

    /// Creates a bucket that keeps nothing, for trying things out.
    pub fn fake(args: &BucketArgs, client: ServiceClient) -> anyhow::Result<Self> {
        let name = filled(args.s3_bucket.as_ref()).unwrap_or("test-bucket");
        let region = args.region().unwrap_or("us-east-1");
        let mut bucket = Self::with(args, client, name, region, None)?;
        if filled(args.s3_folder.as_ref()).is_none() {
            "tts/".clone_into(&mut bucket.folder);
        }
        Ok(bucket)
    }

    fn with(
        args: &BucketArgs,
        client: ServiceClient,
        name: &str,
        region: &str,
        credentials: Option<Credentials>,
    ) -> anyhow::Result<Self> {
        let endpoint = filled(args.s3_endpoint_url.as_ref());
        let addressing = args.s3_addressing.unwrap_or(match endpoint {
            // A dot in the name would not fit the certificate of the host.
            None if !name.contains('.') => Addressing::Virtual,
            _ => Addressing::Path,
        });
        let amazon = format!("https://s3.{region}.amazonaws.com");
        let amazon = match addressing {
            Addressing::Virtual => amazon.replacen("://", &format!("://{name}."), 1),
            Addressing::Path => format!("{amazon}/{name}"),
        };
        let base = match (endpoint, addressing) {
            (None, _) => amazon,
            (Some(endpoint), Addressing::Virtual) => {
                endpoint
                    .trim_end_matches('/')
                    .replacen("://", &format!("://{name}."), 1)
            }
            (Some(endpoint), Addressing::Path) => {
                format!("{}/{name}", endpoint.trim_end_matches('/'))
            }
        };
        Url::parse(&base)
            .with_context(|| format!("S3_BUCKET and S3_ENDPOINT_URL make no address: {base:?}"))?;
        let folder = filled(args.s3_folder.as_ref())
            .unwrap_or_default()
            .trim_matches('/');
        let public_base = filled(args.s3_public_url.as_ref()).unwrap_or(&base);
        Ok(Self {
            client,
            credentials,
            name: name.to_owned(),
            region: region.to_owned(),
            folder: if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            },
            public_base: public_base.trim_end_matches('/').to_owned(),
            base,
            acl: Some(args.s3_acl.trim().to_owned()).filter(|acl| !acl.is_empty()),
            sse: filled(args.s3_sse.as_ref()).map(str::to_owned),
            style: args.s3_url_style,
            presign_seconds: args.s3_presign_seconds,
        })
    }

    /// Puts audio into the bucket, and returns the address for the task.
    pub fn put(
        &self,
        file_name: &str,
        audio: &Audio,
        deadline: Deadline,
    ) -> anyhow::Result<String> {
        let key = format!("{}{file_name}", self.folder);
        let path = uri_encoded(&key, true);
        let now = Timestamp::now();
        let address = |base: &str| format!("{base}/{path}");
        let url = Url::parse(&address(&self.base)).context("the key makes no address")?;
        if let Some(credentials) = &self.credentials {
            self.send(&url, audio, credentials, &now, deadline)?;
        }
        Ok(match (self.style, &self.credentials) {
            (UrlStyle::S3, _) => format!("s3://{}/{key}", self.name),
            (UrlStyle::Presigned, Some(credentials)) => {
                let signer = Signer {
                    credentials,
                    region: &self.region,
                };
                signer
                    .presigned_get(&url, self.presign_seconds, &now)
                    .into()
            }
            (UrlStyle::Presigned | UrlStyle::Public, _) => address(&self.public_base),
        })
    }

    fn send(
        &self,
        url: &Url,
        audio: &Audio,
        credentials: &Credentials,
        now: &Timestamp,
        deadline: Deadline,
    ) -> anyhow::Result<()> {
        let mut headers = vec![
            ("cache-control", CACHE_CONTROL),
            ("content-type", audio.content_type.as_str()),
        ];
        headers.extend(self.acl.as_deref().map(|acl| ("x-amz-acl", acl)));
        headers.extend(
            self.sse
                .as_deref()
                .map(|sse| ("x-amz-server-side-encryption", sse)),
        );
        let signer = Signer {
            credentials,
            region: &self.region,
        };
        let headers = signer.signed_headers("PUT", url, &headers, &audio.bytes, now);
        let request = ServiceRequest::put(url.as_str())?
            .hiding(&credentials.secret_access_key)
            .bytes(&audio.content_type, audio.bytes.clone());
        let request = headers
            .iter()
            .filter(|(name, _)| name != "content-type")
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            });
        let sent = self.client.send(&request, deadline);
        sent.map(|_| ())
            .map_err(|error| explained(error, &self.name))
    }
}

/// Adds the mend that an error of S3 calls for.
fn explained(error: ServiceError, bucket: &str) -> anyhow::Error {
    let text = error.to_string();
    let mend = if text.contains("AccessControlListNotSupported") {
        "; it takes no ACLs: set S3_ACL to nothing and let a bucket policy make the folder readable"
    } else if matches!(error.status(), Some(300..=399))
        || text.contains("AuthorizationHeaderMalformed")
    {
        "; set AWS_DEFAULT_REGION to its region"
    } else {
        ""
    };
    anyhow::Error::from(error).context(format!(
        "the audio cannot be put into bucket {bucket:?}{mend}"
    ))
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}
