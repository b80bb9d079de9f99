//! Joining the boxes of a frame to tracks.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
};

use super::{
    FoundBox, Kalman, TrackedBox, TrackerParams,
    assignment::assign,
    track::{State, Track, distance, measured},
};
use crate::video::motion::Affine;

/// Largest distance of a box with a low score from its track.
const LOW_LIMIT: f64 = 0.5;
/// Largest distance of a box from a track that has only one so far.
const UNCONFIRMED_LIMIT: f64 = 0.7;
/// Nearer tracks follow the same object.
const SAME_LIMIT: f32 = 0.15;
/// Removed tracks that are remembered.
const N_REMOVED: usize = 1000;

/// Joins the boxes of a video's frames to tracks, one frame after the other.
#[derive(Debug, Clone)]
pub struct Tracker {
    params: TrackerParams,
    frame: u64,
    n_tracks: u64,
    /// The tracks of both lists by number.
    tracks: BTreeMap<u64, Track>,
    /// Tracks with a box in the latest frame, and those that wait for a second one.
    tracked: Vec<u64>,
    /// Tracks without a box in the latest frame.
    lost: Vec<u64>,
    removed: VecDeque<u64>,
}

/// Boxes and tracks that may be joined.
struct Step<'a> {
    tracks: &'a [u64],
    found: &'a [FoundBox],
    /// Largest distance.
    limit: f64,
    fuses_score: bool,
}

/// What a step joined, and what it left alone.
#[derive(Default)]
struct Joined {
    tracks: Vec<u64>,
    lonely_tracks: Vec<u64>,
    lonely_boxes: Vec<FoundBox>,
}

impl Tracker {
    /// Creates a tracker for one video.
    pub fn new(params: TrackerParams) -> Self {
        Self {
            params,
            frame: 0,
            n_tracks: 0,
            tracks: BTreeMap::new(),
            tracked: Vec::new(),
            lost: Vec::new(),
            removed: VecDeque::new(),
        }
    }

    /// Returns whether [`Tracker::update`] needs the motion of the camera.
    pub fn needs_motion(&self) -> bool {
        self.params.follows_camera
    }

    /// Takes the boxes of the next frame, and returns those that belong to confirmed tracks.
    ///
    /// `motion` maps points of the frame before to this one; it counts if
    /// [`Tracker::needs_motion`].
    pub fn update(&mut self, found: &[FoundBox], motion: &Affine) -> Vec<TrackedBox> {
        self.frame += 1;
        let (sure, unsure) = self.by_score(found);
        let is_confirmed = |id: &u64| self.tracks[id].is_confirmed;
        let (confirmed, unconfirmed): (Vec<_>, Vec<_>) =
            self.tracked.iter().copied().partition(is_confirmed);
        let pool = united(&confirmed, &self.lost);
        self.predict(&pool, &unconfirmed, motion);

        let first = self.join(&Step {
            tracks: &pool,
            found: &sure,
            limit: self.params.match_thresh,
            fuses_score: self.params.fuse_score,
        });
        let mut rest = first.lonely_tracks;
        rest.retain(|id| self.tracks[id].state == State::Tracked);
        // The overlap alone counts here: scores are low anyway.
        let second = self.join(&Step {
            tracks: &rest,
            found: &unsure,
            limit: LOW_LIMIT,
            fuses_score: false,
        });
        let lost = second.lonely_tracks;
        self.set_state(&lost, State::Lost);
        let third = self.join(&Step {
            tracks: &unconfirmed,
            found: &first.lonely_boxes,
            limit: UNCONFIRMED_LIMIT,
            fuses_score: self.params.fuse_score,
        });
        let mut removed = third.lonely_tracks;
        self.set_state(&removed, State::Removed);
        let mut active = [first.tracks, second.tracks, third.tracks].concat();
        for found in third.lonely_boxes {
            if found.score >= self.params.new_track_thresh {
                active.push(self.start(&found));
            }
        }
        removed.extend(self.stale());
        self.set_state(&removed, State::Removed);
        self.sort(&active, &lost, removed);
        let tracked = self.tracked.iter().map(|id| &self.tracks[id]);
        let confirmed = tracked.filter(|track| track.is_confirmed);
        confirmed.map(Track::tracked_box).collect()
    }

    /// Returns the boxes with a high score, and those with a low one.
    fn by_score(&self, found: &[FoundBox]) -> (Vec<FoundBox>, Vec<FoundBox>) {
        let is_box = |found: &&FoundBox| {
            let [left, top, right, bottom] = found.bounds;
            right > left && bottom > top && found.bounds.iter().all(|side| side.is_finite())
        };
        let boxes = found.iter().filter(is_box).copied();
        let is_enough = |found: &FoundBox| found.score > self.params.track_low_thresh;
        let is_sure = |found: &FoundBox| found.score >= self.params.track_high_thresh;
        let (sure, rest): (Vec<_>, Vec<_>) = boxes.partition(is_sure);
        (sure, rest.into_iter().filter(is_enough).collect())
    }

    /// Moves tracks to the new frame; those that wait for a second box stay where they are, but for
    /// the motion of the camera.
    fn predict(&mut self, pool: &[u64], unconfirmed: &[u64], motion: &Affine) {
        let (pool, unconfirmed): (BTreeSet<_>, BTreeSet<_>) =
            (pool.iter().collect(), unconfirmed.iter().collect());
        for (id, track) in &mut self.tracks {
            if pool.contains(id) {
                if track.state != State::Tracked {
                    track.kalman.stop_growing();
                }
                track.kalman.predict();
            }
            if self.params.follows_camera && (pool.contains(id) || unconfirmed.contains(id)) {
                track.kalman.warp(motion);
            }
        }
    }

    fn join(&mut self, step: &Step<'_>) -> Joined {
        let costs = self.costs(step);
        let columns = assign(&costs, step.found.len(), step.limit);
        let mut joined = Joined::default();
        let mut is_taken = vec![false; step.found.len()];
        for (id, column) in step.tracks.iter().zip(columns) {
            let (Some(column), Some(track)) = (column, self.tracks.get_mut(id)) else {
                joined.lonely_tracks.push(*id);
                continue;
            };
            is_taken[column] = true;
            track.add(&step.found[column], self.params.measure(), self.frame);
            joined.tracks.push(*id);
        }
        let boxes = step.found.iter().zip(is_taken);
        let lonely = boxes.filter_map(|(found, is_taken)| (!is_taken).then_some(*found));
        joined.lonely_boxes = lonely.collect();
        joined
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "scores are 32-bit floats in Ultralytics"
    )]
    fn costs(&self, step: &Step<'_>) -> Vec<Vec<f32>> {
        let cost = |bounds: [f64; 4], found: &FoundBox| {
            let distance = distance(bounds, found.bounds);
            if step.fuses_score {
                1.0 - (1.0 - distance) * found.score as f32
            } else {
                distance
            }
        };
        let row = |id: &u64| {
            let bounds = self.tracks[id].kalman.bounds();
            let costs = step.found.iter().map(|found| cost(bounds, found));
            costs.collect()
        };
        step.tracks.iter().map(row).collect()
    }

    fn start(&mut self, found: &FoundBox) -> u64 {
        self.n_tracks += 1;
        let measure = self.params.measure();
        let track = Track {
            id: self.n_tracks,
            state: State::Tracked,
            is_confirmed: self.frame == 1,
            kalman: Kalman::new(measure, measured(found, measure)),
            score: found.score,
            class: found.class,
            first_frame: self.frame,
            last_frame: self.frame,
        };
        self.tracks.insert(track.id, track);
        self.n_tracks
    }

    /// Returns the tracks that were lost for too long.
    fn stale(&self) -> Vec<u64> {
        let is_stale =
            |id: &&u64| self.frame - self.tracks[id].last_frame > self.params.track_buffer;
        self.lost.iter().filter(is_stale).copied().collect()
    }

    fn set_state(&mut self, ids: &[u64], state: State) {
        for id in ids {
            if let Some(track) = self.tracks.get_mut(id) {
                track.state = state;
            }
        }
    }

    /// Sorts tracks into tracked and lost ones after a frame.
    ///
    /// A track that was lost for too long stays among the lost ones for one more frame, in which it
    /// may be found again: so it is in Ultralytics.
    fn sort(&mut self, active: &[u64], lost: &[u64], removed: Vec<u64>) {
        let is_lost: BTreeSet<_> = self.lost.iter().copied().collect();
        let (found_again, active): (Vec<_>, Vec<_>) =
            active.iter().copied().partition(|id| is_lost.contains(id));
        let mut tracked = mem::take(&mut self.tracked);
        tracked.retain(|id| self.tracks[id].state == State::Tracked);
        self.tracked = united(&united(&tracked, &active), &found_again);
        self.lost.retain(|id| !self.tracked.contains(id));
        self.lost.extend(lost);
        self.lost.retain(|id| !self.removed.contains(id));
        self.drop_same();
        self.removed.extend(removed);
        let n_forgotten = self.removed.len().saturating_sub(N_REMOVED);
        self.removed.drain(..n_forgotten);
        let kept: BTreeSet<_> = self.tracked.iter().chain(&self.lost).copied().collect();
        self.tracks.retain(|id, _| kept.contains(id));
    }

    /// Drops the shorter one of a tracked and a lost track at the same place.
    fn drop_same(&mut self) {
        let age = |track: &Track| track.last_frame - track.first_frame;
        let mut dropped = BTreeSet::new();
        for (tracked, lost) in self.tracked.iter().flat_map(|id| {
            self.lost
                .iter()
                .map(|lost| (&self.tracks[id], &self.tracks[lost]))
        }) {
            if distance(tracked.kalman.bounds(), lost.kalman.bounds()) < SAME_LIMIT {
                let is_longer = age(tracked) > age(lost);
                dropped.insert(if is_longer { lost.id } else { tracked.id });
            }
        }
        self.tracked.retain(|id| !dropped.contains(id));
        self.lost.retain(|id| !dropped.contains(id));
    }
}

/// Returns the numbers of the first list, then those that only the second one has.
fn united(first: &[u64], second: &[u64]) -> Vec<u64> {
    let known: BTreeSet<_> = first.iter().copied().collect();
    let others = second.iter().copied().filter(|id| !known.contains(id));
    first.iter().copied().chain(others).collect()
}
