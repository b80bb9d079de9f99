//! Who the token belongs to and what answers at the address.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Client, ClientError};

/// Version of a Label Studio server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServerVersion {
    /// Release, such as `1.23.2`.
    #[serde(default)]
    pub release: String,
    /// Versions of the server's parts.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A user of Label Studio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Number of the user.
    pub id: i64,
    /// Address that the user logs in with.
    #[serde(default)]
    pub email: String,
    /// Fields that the SDK does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Label Studio sends the bare list; its enterprise edition sends pages.
#[derive(Deserialize)]
#[serde(untagged)]
enum UserPage {
    All(Vec<User>),
    Page { results: Vec<User> },
}

impl Client {
    /// Asks for the server's version. Needs no token: it fails for a wrong address only.
    pub fn version(&self) -> Result<ServerVersion, ClientError> {
        self.get_public("api/version")
    }

    /// Asks for the users of the organisation.
    pub fn users(&self) -> Result<Vec<User>, ClientError> {
        let (UserPage::All(users) | UserPage::Page { results: users }) =
            self.get("api/users/", &[])?;
        Ok(users)
    }

    /// Asks whom the token belongs to.
    pub fn whoami(&self) -> Result<User, ClientError> {
        self.get("api/current-user/whoami", &[])
    }
}
