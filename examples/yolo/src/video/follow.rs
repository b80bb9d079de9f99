//! From the videos of tasks to regions, for the control tags that label them.

use std::cell::RefCell;

use label_studio_ml::{
    Object, Project, Region, Task,
    anyhow::{self, Context, ensure},
};
use label_studio_vision::{
    batches::{BatchModel, Inputs, in_batches},
    images::task_images,
    video::{
        Frames, Numbering, VideoError, VideoReader,
        motion::{Affine, CameraMotion},
        tracks::{FoundBox, Tracker},
    },
};

use super::{
    TrackLabels, TrackerFiles, VideoTracks,
    timeline::{Timeline, timeline_regions},
};
use crate::{
    Answer, Control, Kind,
    attributes::{number, switch},
    images::Found,
    network::Search,
};

/// Minimum score of boxes that are followed, and the overlap that suppresses others.
const DEFAULT_CONFIDENCE: f64 = 0.25;
const DEFAULT_OVERLAP: f64 = 0.7;

/// How videos are read and followed.
#[derive(Debug)]
pub(crate) struct Videos<'a> {
    pub(crate) reader: &'a VideoReader,
    pub(crate) trackers: &'a TrackerFiles,
    pub(crate) batch_size: usize,
}

/// The control tags that label the video of one object tag.
pub(crate) struct ControlsOfVideo<'a> {
    object: &'a Object,
    /// The control tags with their positions among all.
    controls: Vec<(usize, &'a Control<'a>)>,
}

/// What a control tag makes of the frames so far.
enum Follower<'a> {
    Boxes {
        tracker: Box<Tracker>,
        tracks: VideoTracks<'a>,
    },
    Timeline(Timeline<'a>),
}

/// A frame that networks are about to see.
struct SeenFrame {
    number: u64,
    motion: Affine,
}

impl<'a> ControlsOfVideo<'a> {
    /// Groups control tags by their videos, in the order of the document.
    pub(crate) fn groups(controls: &'a [Control<'a>]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let of_videos = controls.iter().enumerate();
        for (idx, control) in of_videos.filter(|(_, control)| control.kind.is_of_video()) {
            let is_same = |group: &&mut Self| group.object.value_name == control.object.value_name;
            match groups.iter_mut().find(is_same) {
                Some(group) => group.controls.push((idx, control)),
                None => groups.push(Self {
                    object: control.object,
                    controls: vec![(idx, control)],
                }),
            }
        }
        groups
    }

    /// Returns for each task what the networks find in its video, or what went wrong.
    pub(crate) fn predict(
        &self,
        project: &Project,
        tasks: &[Task],
        videos: &Videos<'_>,
    ) -> Vec<anyhow::Result<Vec<Found>>> {
        let of_task = |task| self.of_task(project, task, videos);
        tasks.iter().map(of_task).collect()
    }

    fn of_task(
        &self,
        project: &Project,
        task: &Task,
        videos: &Videos<'_>,
    ) -> anyhow::Result<Vec<Found>> {
        let sources = task_images(self.object, task)?;
        let source = sources.first().context("the task has no video")?;
        let path = project.local_path(task, source.url)?;
        let video = videos.reader.open(&path)?;
        let mut searches = Vec::new();
        let mut followers = Vec::new();
        for (_, control) in &self.controls {
            searches.push(Search {
                network: &control.network,
                confidence: number(control.tag, "model_conf")?.unwrap_or(DEFAULT_CONFIDENCE),
                max_overlap: number(control.tag, "model_iou")?.unwrap_or(DEFAULT_OVERLAP),
            });
            followers.push(Follower::new(control, videos.trackers)?);
        }
        let tag_rate = self
            .object
            .attr("framerate")
            .or(self.object.attr("frameRate"));
        let tag_rate = tag_rate.and_then(|rate| rate.trim().parse().ok());
        let frames = videos
            .reader
            .frames(&video, Numbering::of(&video, tag_rate))?;
        let job = project.job();
        let mut source = FrameSource {
            frames,
            camera: followers
                .iter()
                .any(Follower::needs_motion)
                .then(CameraMotion::default),
        };
        let expected_seconds = video.duration.unwrap_or(0.0);
        let size = (video.width, video.height);
        let is_cancelled = || job.is_cancelled();
        let n_frames = RefCell::new((0, 0.0));
        let mut has_failed = false;
        let inputs = std::iter::from_fn(|| {
            // An error is the end: nothing follows it.
            if has_failed {
                return None;
            }
            let input = source.next(&searches, &is_cancelled).transpose();
            has_failed = matches!(input, Some(Err(_)));
            *n_frames.borrow_mut() = (source.frames.n_frames(), source.frames.rate());
            input
        });
        for seen in in_batches(&searches, videos.batch_size, inputs) {
            let (frame, answers) = seen?;
            for (follower, answer) in followers.iter_mut().zip(answers?) {
                follower.add(&frame, &answer, size)?;
            }
            if expected_seconds > 0.0 {
                let (n_frames, rate) = *n_frames.borrow();
                #[expect(clippy::cast_precision_loss, reason = "no video has 2^52 frames")]
                let seconds = n_frames as f64 / rate;
                job.progress(
                    seconds / expected_seconds,
                    &format!("frame {}", frame.number),
                );
            }
        }
        let (n_frames, rate) = *n_frames.borrow();
        let found = self.controls.iter().zip(followers);
        Ok(found
            .map(|((idx, control), follower)| (*idx, follower.regions(control, n_frames, rate)))
            .collect())
    }
}

/// Frames, scaled for networks.
struct FrameSource {
    frames: Frames,
    camera: Option<CameraMotion>,
}

impl FrameSource {
    /// Returns the next frame with an input for each network.
    #[expect(
        clippy::type_complexity,
        reason = "the inputs of one model of the trait"
    )]
    fn next<'s>(
        &mut self,
        searches: &[Search<'s>],
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<(SeenFrame, Vec<<Search<'s> as BatchModel>::Input>)>, VideoError> {
        let Some(frame) = self.frames.next_frame(is_cancelled)? else {
            return Ok(None);
        };
        let inputs = searches.iter().map(|search| search.network.prepare(&frame));
        let inputs = inputs.collect();
        let motion = self.camera.as_mut().map(|camera| camera.next(&frame));
        let seen = SeenFrame {
            number: self.frames.n_frames(),
            motion: motion.unwrap_or(Affine::IDENTITY),
        };
        let input: Inputs<Search<'s>, SeenFrame, VideoError> = Ok((seen, inputs));
        input.map(Some)
    }
}

impl<'a> Follower<'a> {
    fn new(control: &'a Control<'a>, trackers: &TrackerFiles) -> anyhow::Result<Self> {
        if control.kind == Kind::Timeline {
            ensure!(
                !switch(control.tag, "model_trainable", false),
                "control tag {:?} has model_trainable=\"true\", but training on videos is not supported yet",
                control.tag.name
            );
            return Ok(Self::Timeline(Timeline::new(control)));
        }
        let params = trackers.params(control.tag)?;
        Ok(Self::Boxes {
            tracker: Box::new(Tracker::new(params)),
            tracks: VideoTracks::new(TrackLabels {
                names: &control.network.metadata().names,
                label_map: &control.label_map,
            }),
        })
    }

    fn needs_motion(&self) -> bool {
        matches!(self, Self::Boxes { tracker, .. } if tracker.needs_motion())
    }

    fn add(&mut self, frame: &SeenFrame, answer: &Answer, size: (u32, u32)) -> anyhow::Result<()> {
        match (self, answer) {
            (Self::Boxes { tracker, tracks }, Answer::Detections(found)) => {
                let boxes = found.boxes.iter().map(|found_box| FoundBox {
                    bounds: found.letterbox.box_to_image(found_box.bounds),
                    score: found_box.score,
                    class: found_box.class,
                });
                let boxes: Vec<_> = boxes.collect();
                let tracked = tracker.update(&boxes, &frame.motion);
                tracks.add(frame.number, &tracked, size);
                Ok(())
            }
            (Self::Timeline(timeline), Answer::Probabilities(probabilities)) => {
                timeline.add(probabilities);
                Ok(())
            }
            _ => anyhow::bail!("the model answers another question than the control tag asks"),
        }
    }

    fn regions(self, control: &Control<'_>, n_frames: u64, rate: f64) -> Vec<Region> {
        match self {
            Self::Boxes { tracks, .. } => tracks.regions(control, n_frames, rate),
            Self::Timeline(timeline) => timeline_regions(control, &timeline),
        }
    }
}
