//! Writes rows, so that none is lost and no value lands in another column.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use label_studio_ml::{
    Value,
    anyhow::{self, Context},
};
use label_studio_services::Deadline;

use super::{Cell, Presto, PrestoError, Row, Table, row::ID, sql::kind};

/// Placeholder for the id, in a statement that begins a transaction.
const NO_TRANSACTION: &str = "NONE";

/// Columns of the table: names and types.
pub(super) type Columns = Vec<(String, String)>;

/// Writes the rows of one table.
#[derive(Debug)]
pub(super) struct Writer {
    presto: Presto,
    table: Table,
    columns: Mutex<Option<Columns>>,
    lacks_transactions: AtomicBool,
}

impl Writer {
    pub(super) fn new(presto: Presto, table: Table) -> Self {
        Self {
            presto,
            table,
            columns: Mutex::default(),
            lacks_transactions: AtomicBool::new(false),
        }
    }

    /// Makes sure that the table exists and has a column for every value. Returns its columns.
    pub(super) fn prepare(&self, row: &Row, deadline: Deadline) -> anyhow::Result<Columns> {
        self.presto.execute(&self.table.create(row)?, deadline)?;
        // One at a time: a column must not be added twice.
        let mut known = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        let mut columns = match known.take() {
            Some(columns) => columns,
            None => self.read_columns(row, deadline)?,
        };
        for (name, cell) in row.columns() {
            if !columns
                .iter()
                .any(|(column, _)| column.eq_ignore_ascii_case(name))
            {
                self.presto
                    .execute(&self.table.add_column(name, cell)?, deadline)?;
                columns.push((name.to_owned(), kind(cell).to_owned()));
            }
        }
        *known = Some(columns.clone());
        Ok(columns)
    }

    fn read_columns(&self, row: &Row, deadline: Deadline) -> anyhow::Result<Columns> {
        let rows = self.presto.execute(&self.table.columns(), deadline)?;
        let column = |row: &Vec<Value>| {
            let text = |idx: usize| Some(row.get(idx)?.as_str()?.to_owned());
            Some((text(0)?, text(1)?))
        };
        let columns: Columns = rows.iter().filter_map(column).collect();
        Ok(if columns.is_empty() {
            own_columns(row)
        } else {
            columns
        })
    }

    /// Inserts a row. When the engine refuses it, another program may have changed the table: its columns are read again, and the
    /// row is tried once more. A row whose fate is unknown is not, since it could then be there twice.
    pub(super) fn insert(
        &self,
        row: &Row,
        columns: &Columns,
        deadline: Deadline,
    ) -> anyhow::Result<()> {
        let sql = self.insertion(row, columns)?;
        match self.presto.execute(&sql, deadline) {
            Err(PrestoError::Refused { name, message }) => {
                tracing::warn!(
                    task = row.id,
                    name,
                    message,
                    "row refused; trying once more"
                );
                let columns = self.prepare_again(row, deadline)?;
                self.presto
                    .execute(&self.insertion(row, &columns)?, deadline)?;
                Ok(())
            }
            done => done.map(|_| ()).map_err(Into::into),
        }
    }

    pub(super) fn delete(
        &self,
        id: i64,
        of_whom: Option<&str>,
        deadline: Deadline,
    ) -> anyhow::Result<()> {
        self.presto
            .execute(&self.table.delete(id, of_whom), deadline)?;
        Ok(())
    }

    /// Replaces the rows of a task, or those of one annotator: both steps or none, where the catalog has transactions.
    pub(super) fn replace(
        &self,
        row: &Row,
        columns: &Columns,
        of_whom: Option<&str>,
        deadline: Deadline,
    ) -> anyhow::Result<()> {
        let delete = self.table.delete(row.id, of_whom);
        if !self.lacks_transactions.load(Ordering::Relaxed) {
            let both = |columns| anyhow::Ok([delete.clone(), self.insertion(row, columns)?]);
            let done = match self.in_transaction(&both(columns)?, deadline) {
                Err(PrestoError::Refused { name, message }) => {
                    tracing::warn!(
                        task = row.id,
                        name,
                        message,
                        "row refused; trying once more"
                    );
                    let columns = self.prepare_again(row, deadline)?;
                    self.in_transaction(&both(&columns)?, deadline)?
                }
                done => done?,
            };
            if done {
                return Ok(());
            }
            self.lacks_transactions.store(true, Ordering::Relaxed);
        }
        self.presto.execute(&delete, deadline)?;
        self.insert(row, columns, deadline).with_context(|| {
            format!("the row of task {} is deleted and could not be written again; save the annotation again", row.id)
        })
    }

    /// Reads the columns again: another program may have changed the table.
    fn prepare_again(&self, row: &Row, deadline: Deadline) -> anyhow::Result<Columns> {
        *self.columns.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.prepare(row, deadline)
    }

    /// Runs steps in a transaction; returns whether the catalog has transactions: without them, no step is run.
    fn in_transaction(&self, steps: &[String], deadline: Deadline) -> Result<bool, PrestoError> {
        let started = match self
            .presto
            .run("START TRANSACTION", Some(NO_TRANSACTION), deadline)
        {
            Ok(outcome) => outcome.started_transaction,
            Err(PrestoError::Refused { message, .. }) => {
                tracing::debug!(message, "no transactions");
                None
            }
            Err(error) => return Err(error),
        };
        let Some(id) = started else {
            return Ok(false);
        };
        let carried_out = steps
            .iter()
            .try_for_each(|step| self.presto.run(step, Some(&id), deadline).map(|_| ()));
        let ended = carried_out.and_then(|()| self.presto.run("COMMIT", Some(&id), deadline));
        let Err(error) = ended else {
            return Ok(true);
        };
        if let Err(error) = self.presto.run("ROLLBACK", Some(&id), deadline) {
            tracing::debug!(%error, "the transaction ends by itself");
        }
        match error {
            // Iceberg and others: "Catalog only supports writes using autocommit".
            PrestoError::Refused { message, .. }
                if message.to_lowercase().contains("autocommit") =>
            {
                Ok(false)
            }
            error => Err(error),
        }
    }

    fn insertion(&self, row: &Row, columns: &Columns) -> anyhow::Result<String> {
        if has_exactly(columns, row) {
            return Ok(self.table.insert(row));
        }
        self.table.insert_into(columns, row)
    }
}

fn own_columns(row: &Row) -> Columns {
    let id = (ID.to_owned(), "bigint".to_owned());
    let others = row
        .columns()
        .map(|(name, cell)| (name.to_owned(), kind(cell).to_owned()));
    std::iter::once(id).chain(others).collect()
}

/// Returns whether a table has the columns of a row, in their order and of their types.
fn has_exactly(columns: &Columns, row: &Row) -> bool {
    let own = own_columns(row);
    let cells = std::iter::once(&Cell::Integer(0)).chain(row.columns().map(|(_, cell)| cell));
    columns.len() == own.len()
        && columns
            .iter()
            .zip(&own)
            .zip(cells)
            .all(|((column, own), cell)| {
                let same_kind = *cell == Cell::Null || column.1.starts_with(&own.1);
                column.0.eq_ignore_ascii_case(&own.0) && same_kind
            })
}
