//! Buckets that files are put into.

use url::Url;

use super::{
    Addressing, AwsError, BucketArgs, UrlStyle,
    credentials::Credentials,
    signing::{S3Request, Signer, Timestamp, encode_path},
};
use crate::{Deadline, ServiceClient, ServiceError, ServiceRequest, first_filled};

const CACHE_CONTROL: &str = "public, max-age=31536000";
const ADDRESS_SETTINGS: &str = "S3_BUCKET, S3_FOLDER and S3_ENDPOINT_URL";

/// Bucket that files are put into.
#[derive(Debug)]
pub struct Bucket {
    client: ServiceClient,
    /// `None` in a dry run.
    credentials: Option<Credentials>,
    name: String,
    region: String,
    /// Empty, or it ends with a slash.
    folder: String,
    base: String,
    public_base: String,
    acl: Option<String>,
    sse: Option<String>,
    style: UrlStyle,
    presign_seconds: u32,
}

/// File to put into a bucket.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Name of the file, without the bucket's folder.
    pub name: &'a str,
    /// Content of the file.
    pub bytes: &'a [u8],
    /// Type of the content, such as `audio/mpeg`.
    pub content_type: &'a str,
}

impl Bucket {
    /// Creates the bucket of the flags. Nothing is sent yet.
    ///
    /// # Errors
    /// When a setting is missing, or there are no credentials.
    pub fn new(args: &BucketArgs, client: ServiceClient) -> Result<Self, AwsError> {
        let not_set = |variable| AwsError::NotSet { variable };
        let name = first_filled([&args.s3_bucket]).ok_or_else(|| not_set("S3_BUCKET"))?;
        let region = args.region().ok_or_else(|| not_set("AWS_DEFAULT_REGION"))?;
        let credentials = args.credentials()?;
        Ok(Self {
            credentials: Some(credentials),
            ..Self::located(args, client, name, region)?
        })
    }

    /// Creates a bucket that stores nothing, to try a backend out; `folder` is used when the flags name none.
    pub fn dry_run(
        args: &BucketArgs,
        client: ServiceClient,
        folder: &str,
    ) -> Result<Self, AwsError> {
        let name = first_filled([&args.s3_bucket]).unwrap_or("test-bucket");
        let region = args.region().unwrap_or("us-east-1");
        let mut bucket = Self::located(args, client, name, region)?;
        if bucket.folder.is_empty() {
            bucket.folder = format!("{folder}/");
        }
        Ok(bucket)
    }

    fn located(
        args: &BucketArgs,
        client: ServiceClient,
        name: &str,
        region: &str,
    ) -> Result<Self, AwsError> {
        let base = base_url(args, name, region);
        if Url::parse(&base).is_err() {
            return Err(AwsError::Address {
                text: base,
                setting: ADDRESS_SETTINGS,
            });
        }
        let folder = first_filled([&args.s3_folder]).unwrap_or_default();
        let folder = folder.trim_matches('/');
        let public_base = first_filled([&args.s3_public_url]).unwrap_or(&base);
        let acl = args.s3_acl.trim();
        Ok(Self {
            client,
            credentials: None,
            name: name.to_owned(),
            region: region.to_owned(),
            folder: if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            },
            public_base: public_base.trim_end_matches('/').to_owned(),
            base,
            acl: (!acl.is_empty()).then(|| acl.to_owned()),
            sse: first_filled([&args.s3_sse]).map(str::to_owned),
            style: args.s3_url_style,
            presign_seconds: args.s3_presign_seconds,
        })
    }

    /// Puts a file into the bucket, and returns the address for the task.
    pub fn put(&self, object: &Object<'_>, deadline: Deadline) -> Result<String, AwsError> {
        let key = format!("{}{}", self.folder, object.name);
        let path = encode_path(&key);
        let address = |base: &str| format!("{base}/{path}");
        let url = Url::parse(&address(&self.base)).map_err(|_| AwsError::Address {
            text: address(&self.base),
            setting: ADDRESS_SETTINGS,
        })?;
        let Some(credentials) = &self.credentials else {
            return Ok(match self.style {
                UrlStyle::S3 => format!("s3://{}/{key}", self.name),
                UrlStyle::Presigned | UrlStyle::Public => address(&self.public_base),
            });
        };
        let signer = Signer {
            credentials,
            region: &self.region,
        };
        let now = Timestamp::now();
        let request = self.put_request(&signer, &url, object, &now);
        let sent = request.and_then(|request| self.client.send(&request, deadline));
        sent.map_err(|source| AwsError::Put {
            bucket: self.name.clone(),
            hint: hint(&source),
            source,
        })?;
        Ok(match self.style {
            UrlStyle::S3 => format!("s3://{}/{key}", self.name),
            UrlStyle::Presigned => signer
                .presigned_get(&url, self.presign_seconds, &now)
                .into(),
            UrlStyle::Public => address(&self.public_base),
        })
    }

    fn put_request(
        &self,
        signer: &Signer<'_>,
        url: &Url,
        object: &Object<'_>,
        now: &Timestamp,
    ) -> Result<ServiceRequest, ServiceError> {
        let acl = self.acl.as_deref().map(|acl| ("x-amz-acl", acl));
        let sse = self.sse.as_deref();
        let sse = sse.map(|sse| ("x-amz-server-side-encryption", sse));
        let headers: Vec<_> = [
            ("cache-control", CACHE_CONTROL),
            ("content-type", object.content_type),
        ]
        .into_iter()
        .chain(acl)
        .chain(sse)
        .collect();
        let with_signature = signer.signed_headers(
            &S3Request {
                method: "PUT",
                url,
                headers: &headers,
                body: object.bytes,
            },
            now,
        );
        let request = ServiceRequest::put(url.as_str())?
            .hiding(&signer.credentials.secret_access_key)
            .bytes(object.content_type, object.bytes.to_vec());
        // The request has the content type already.
        let others = with_signature
            .iter()
            .filter(|(name, _)| name != "content-type");
        Ok(others.fold(request, |request, (name, value)| {
            request.header(name, value)
        }))
    }
}

/// Returns the address of the bucket, without a slash at its end.
fn base_url(args: &BucketArgs, name: &str, region: &str) -> String {
    let endpoint = first_filled([&args.s3_endpoint_url]);
    let addressing = args.s3_addressing.unwrap_or(match endpoint {
        // The certificate of S3's hosts does not cover names with a dot.
        None if !name.contains('.') => Addressing::Virtual,
        _ => Addressing::Path,
    });
    let amazon = format!("https://s3.{region}.amazonaws.com");
    let endpoint = endpoint.unwrap_or(&amazon).trim_end_matches('/');
    match addressing {
        Addressing::Virtual => endpoint.replacen("://", &format!("://{name}."), 1),
        Addressing::Path => format!("{endpoint}/{name}"),
    }
}

/// Returns what to do about an error of S3.
fn hint(error: &ServiceError) -> &'static str {
    let text = error.to_string();
    if text.contains("AccessControlListNotSupported") {
        "; it takes no ACLs: set S3_ACL to an empty text and make the folder readable by a bucket policy"
    } else if matches!(error.status(), Some(300..=399))
        || text.contains("AuthorizationHeaderMalformed")
    {
        "; set AWS_DEFAULT_REGION to its region"
    } else {
        ""
    }
}
