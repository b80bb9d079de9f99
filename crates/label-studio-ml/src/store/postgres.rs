//! A store in PostgreSQL, which replicas share.

use std::sync::Arc;

use postgres::types::Type;

use super::{Store, StoreError, recent::Known, shared_values::SharedValues};
use crate::{
    postgres::{Database, News},
    project_id::ProjectId,
};

const READ: &str = "SELECT value FROM label_studio_ml_cache WHERE project_id = $1 AND key = $2";
/// Writes a value that is new, and tells all replicas so in the same commit.
const WRITE: &str = "WITH changed AS (
        INSERT INTO label_studio_ml_cache AS cache (project_id, key, value) VALUES ($1, $2, $3)
        ON CONFLICT (project_id, key) DO UPDATE SET value = excluded.value
        WHERE cache.value IS DISTINCT FROM excluded.value RETURNING 1)
    SELECT pg_notify('label_studio_ml_' || current_schema()::regnamespace::oid::text, $4)
    FROM changed";
const VALUES: &str =
    "SELECT DISTINCT value FROM label_studio_ml_cache WHERE key = $1 ORDER BY value";
const PROJECTS: &str = "SELECT DISTINCT project_id FROM label_studio_ml_cache ORDER BY project_id";
/// Longest payload of a notification, in bytes; PostgreSQL takes 7999.
const MAX_NOTICE_BYTES: usize = 7000;

/// A store in PostgreSQL.
///
/// Values are read once and then answered from memory, until a notification says that a replica
/// has changed them: a few milliseconds after the change. While no notifications arrive, each read
/// asks the database.
#[derive(Debug)]
pub struct PostgresStore {
    database: Arc<Database>,
    values: Arc<SharedValues>,
}

impl PostgresStore {
    /// Creates a store in a database.
    pub fn new(database: &Arc<Database>) -> Self {
        let values = Arc::new(SharedValues::default());
        let heard = Arc::downgrade(&values);
        database.subscribe(Box::new(move |news| {
            let Some(values) = heard.upgrade() else {
                return;
            };
            match news {
                News::Listening => values.start(),
                News::Deaf => values.stop(),
                News::Value(notice) => match notice.split_once(SEPARATOR) {
                    Some((project, key)) => values.forget(&ProjectId::parse(project), key),
                    None => values.start(),
                },
                News::Jobs => {}
            }
        }));
        Self {
            database: Arc::clone(database),
            values,
        }
    }
}

/// Between project and key in a notification.
const SEPARATOR: char = '\u{1f}';

impl Store for PostgresStore {
    fn get(&self, project: &ProjectId, key: &str) -> Result<Option<String>, StoreError> {
        if let Some(Known(value)) = self.values.get(project, key) {
            return Ok(value);
        }
        let mark = self.values.mark();
        let (id, name) = (text(project.as_str()), text(key));
        let bytes = self.database.run(move |client| {
            let values: [(&(dyn postgres::types::ToSql + Sync), Type); 2] =
                [(&id, Type::TEXT), (&name, Type::TEXT)];
            let row = client.query_typed(READ, &values)?;
            row.first().map(|row| row.try_get(0)).transpose()
        })?;
        let value = bytes.map(utf8);
        self.values.keep(mark, project, key, value.as_deref());
        Ok(value)
    }

    fn set(&self, project: &ProjectId, key: &str, value: &str) -> Result<(), StoreError> {
        let (id, name) = (text(project.as_str()), text(key));
        let bytes = value.as_bytes().to_vec();
        let what = format!("{id}{SEPARATOR}{name}");
        let is_short = what.len() <= MAX_NOTICE_BYTES;
        let notice = format!("value {}", if is_short { &*what } else { "" });
        let written = self.database.run(move |client| {
            let values: [(&(dyn postgres::types::ToSql + Sync), Type); 4] = [
                (&id, Type::TEXT),
                (&name, Type::TEXT),
                (&bytes, Type::BYTEA),
                (&notice, Type::TEXT),
            ];
            client.query_typed(WRITE, &values).map(drop)
        });
        // Its own notification comes later than the next read.
        self.values.forget(project, key);
        Ok(written?)
    }

    fn values(&self, key: &str) -> Result<Vec<String>, StoreError> {
        let key = text(key);
        let rows: Vec<Vec<u8>> = self.database.run(move |client| {
            let values: [(&(dyn postgres::types::ToSql + Sync), Type); 1] = [(&key, Type::TEXT)];
            let rows = client.query_typed(VALUES, &values)?;
            rows.iter().map(|row| row.try_get(0)).collect()
        })?;
        Ok(rows.into_iter().map(utf8).collect())
    }

    fn projects(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.database.run(|client| {
            let rows = client.query_typed(PROJECTS, &[])?;
            rows.iter().map(|row| row.try_get(0)).collect()
        })?)
    }

    fn probe(&self) -> Result<(), StoreError> {
        Ok(self
            .database
            .run(|client| client.batch_execute("SELECT 1"))?)
    }
}

/// Returns a text that PostgreSQL takes: it knows no character 0.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
