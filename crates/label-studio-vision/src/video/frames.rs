//! The frames of a video, one after the other.

use std::{
    io::Read as _,
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::Duration,
};

use image::RgbImage;
use label_studio_inference::program::{ProgramError, ProgramKiller, ProgramStream};

use super::{Video, VideoError};

/// Decoded frames that wait for the caller, besides one that is being decoded.
const N_WAITING: usize = 1;
/// Time between two looks at whether the caller still wants frames.
const LOOK_TIME: Duration = Duration::from_millis(50);
/// A video may be shorter than its header says by this part of it, and by [`SHORT_SECONDS`].
const SHORT_PART: f64 = 0.05;
/// Seconds by which containers round the duration of a video, or of its sound.
const SHORT_SECONDS: f64 = 0.5;

/// Which frames there are, and which number each has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Numbering {
    /// Every frame of the stream, as OpenCV counts them. Right for a constant frame rate.
    EveryFrame,
    /// The frame that is shown at each tick of this rate in Hz, as Label Studio's editor counts
    /// them: frames of a variable rate are repeated or left out.
    AtRate(f64),
}

impl Numbering {
    /// Returns the numbering of Label Studio for a video: every frame counts, unless the rate
    /// varies. Then the rate of the `Video` tag counts, or else the average one.
    pub fn of(video: &Video, tag_rate: Option<f64>) -> Self {
        if video.has_variable_rate {
            let is_usable = |rate: &f64| rate.is_finite() && *rate > 0.0 && *rate <= 1000.0;
            Self::AtRate(tag_rate.filter(is_usable).unwrap_or(video.rate))
        } else {
            Self::EveryFrame
        }
    }
}

/// The frames of a video in order, decoded while the caller works on the ones before.
///
/// Dropping it ends the program that decodes.
#[derive(Debug)]
pub struct Frames {
    video: Video,
    rate: f64,
    /// Whether the number of frames says how long they last.
    has_length: bool,
    received: Receiver<Result<RgbImage, ProgramError>>,
    killer: ProgramKiller,
    count: u64,
    has_ended: bool,
}

impl Frames {
    pub(super) fn new(video: Video, numbering: Numbering, stream: ProgramStream) -> Self {
        let killer = stream.killer();
        let (sender, received) = mpsc::sync_channel(N_WAITING);
        let size = (video.width, video.height);
        thread::spawn(move || send_frames(stream, size, &sender));
        Self {
            rate: match numbering {
                Numbering::EveryFrame => video.rate,
                Numbering::AtRate(rate) => rate,
            },
            has_length: !video.has_variable_rate || numbering != Numbering::EveryFrame,
            video,
            received,
            killer,
            count: 0,
            has_ended: false,
        }
    }

    /// Returns the number of frames so far, which is that of the last one: frames count from 1.
    pub fn n_frames(&self) -> u64 {
        self.count
    }

    /// Returns frames per second.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Returns the seconds that the frames so far last.
    #[expect(clippy::cast_precision_loss, reason = "no video has 2^52 frames")]
    pub fn seconds(&self) -> f64 {
        self.count as f64 / self.rate
    }

    /// Returns the next frame; `None` after the last one.
    ///
    /// While it waits it asks `is_cancelled` every 50 ms.
    ///
    /// # Errors
    /// When the video cannot be decoded, or ends long before its header says; when the program was
    /// killed; when the caller has cancelled.
    pub fn next_frame(
        &mut self,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<RgbImage>, VideoError> {
        loop {
            if is_cancelled() {
                self.has_ended = true;
                self.killer.kill();
                return Err(VideoError::Cancelled);
            }
            if self.has_ended {
                return Ok(None);
            }
            match self.received.recv_timeout(LOOK_TIME) {
                Ok(Ok(frame)) => {
                    self.count += 1;
                    return Ok(Some(frame));
                }
                Ok(Err(error)) => {
                    self.has_ended = true;
                    return Err(VideoError::of_file(&self.video.path, error));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.has_ended = true;
                    return self.check_length().map(|()| None);
                }
            }
        }
    }

    fn check_length(&self) -> Result<(), VideoError> {
        let seconds = self.seconds();
        let expected = self.video.duration.unwrap_or(0.0);
        let missing = expected - seconds;
        let is_short = missing > SHORT_SECONDS && missing > SHORT_PART * expected;
        if self.count > 0 && !(is_short && self.has_length) {
            return Ok(());
        }
        Err(VideoError::Truncated {
            path: self.video.path.clone(),
            n_frames: self.count,
            seconds,
            expected,
        })
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.killer.kill();
    }
}

/// Sends frames until the last one, or until the receiver is gone.
fn send_frames(
    mut stream: ProgramStream,
    (width, height): (u32, u32),
    sender: &SyncSender<Result<RgbImage, ProgramError>>,
) {
    loop {
        let mut frame = RgbImage::new(width, height);
        let result = match stream.read_exact(&mut frame) {
            Ok(()) => Ok(frame),
            // The end: an error of the program comes within its own kind of error.
            Err(error) => match error.downcast::<ProgramError>() {
                Ok(error) => Err(error),
                Err(_) => return,
            },
        };
        let is_last = result.is_err();
        if sender.send(result).is_err() || is_last {
            return;
        }
    }
}
