//! Which processes are alive.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use postgres::{Client, types::Type};

use super::{rows::count, sql};
use crate::{jobs::JobId, postgres::LOCK_CLASS};

/// How long a process must have been without its lock before it counts as dead: one that only lost
/// its connection is back sooner.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// A job that some process works on.
pub(super) struct Running {
    id: JobId,
    worker: String,
    lock_number: Option<i32>,
    attempts: u32,
    is_expired: bool,
}

/// A job whose process has died or hangs.
pub(super) struct Orphan {
    pub(super) id: JobId,
    pub(super) worker: String,
    pub(super) attempts: u32,
    pub(super) is_dead: bool,
}

/// Processes that seem to be dead, and since when.
#[derive(Debug, Default)]
pub(super) struct Workers(Mutex<HashMap<i32, Instant>>);

/// Reads which jobs run, and the numbers of the processes that are alive.
pub(super) fn running(
    client: &mut Client,
) -> Result<(Vec<Running>, HashSet<i32>), postgres::Error> {
    let rows = client.query_typed(sql::RUNNING, &[])?;
    let running = rows.iter().map(|row| {
        Ok(Running {
            id: JobId(row.try_get(0)?),
            worker: row.try_get(1)?,
            lock_number: row.try_get(2)?,
            attempts: count(row, 3)?,
            is_expired: row.try_get(4)?,
        })
    });
    let running: Vec<_> = running.collect::<Result<_, postgres::Error>>()?;
    if running.is_empty() {
        return Ok((running, HashSet::new()));
    }
    let class = i64::from(LOCK_CLASS);
    let rows = client.query_typed(sql::ALIVE, &[(&class, Type::INT8)])?;
    let alive = rows.iter().map(|row| row.try_get(0));
    Ok((running, alive.collect::<Result<_, _>>()?))
}

impl Workers {
    /// Returns the jobs that must be taken back.
    pub(super) fn orphans(
        &self,
        running: Vec<Running>,
        alive: &HashSet<i32>,
        own: i32,
    ) -> Vec<Orphan> {
        let mut missing_since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A pool of connections between here and the database may lose the locks of sessions.
        let can_tell = alive.contains(&own);
        let missing: HashSet<_> = running
            .iter()
            .filter_map(|job| job.lock_number)
            .filter(|number| can_tell && !alive.contains(number))
            .collect();
        missing_since.retain(|number, _| missing.contains(number));
        for number in missing {
            missing_since.entry(number).or_insert_with(Instant::now);
        }
        let orphan = |job: Running| {
            let is_dead = job
                .lock_number
                .and_then(|number| missing_since.get(&number))
                .is_some_and(|since| since.elapsed() >= DEAD_AFTER);
            (is_dead || job.is_expired).then_some(Orphan {
                id: job.id,
                worker: job.worker,
                attempts: job.attempts,
                is_dead,
            })
        };
        running.into_iter().filter_map(orphan).collect()
    }
}
