//! What reads videos.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use label_studio_inference::program::{Program, ProgramError, ProgramLimits};

use super::{Frames, Numbering, Video, VideoError, probe::Answer};

/// Containers that are read. Playlists and scripts, which may name other files, are not among them.
const FORMATS: &str = "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf,gif,mxf,h264,hevc,ivf,m4v,wav,mp3,aac,flac";
/// Bytes of an answer of `ffprobe`, which lists streams: generous for thousands of them.
const MAX_ANSWER_BYTES: u64 = 4 << 20;
/// The first packets, whose times show whether the frame rate varies.
const PACKETS: &str = "%+#600";
/// Time in which `ffprobe` must answer.
const PROBE_TIME: Duration = Duration::from_secs(30);

/// Reads videos with the programs `ffmpeg` and `ffprobe`.
#[derive(Debug, Clone)]
pub struct VideoReader {
    /// The program that decodes.
    pub ffmpeg: PathBuf,
    /// The program that says what is in a file.
    pub ffprobe: PathBuf,
    /// Most pixels of a frame.
    pub max_pixels: u64,
    /// Time after which the decoding of a video is given up.
    pub time: Duration,
}

impl Default for VideoReader {
    /// The programs in `PATH`, frames of up to 8192 x 4320 pixels, an hour.
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            max_pixels: Self::MAX_PIXELS,
            time: Self::TIME,
        }
    }
}

impl VideoReader {
    /// Pixels of the largest frame by default: those of 8K video.
    pub const MAX_PIXELS: u64 = 8192 * 4320;
    /// Time for one video by default.
    pub const TIME: Duration = Duration::from_secs(3600);

    /// Checks that both programs run; returns the version of `ffmpeg`.
    pub fn version(&self) -> Result<String, ProgramError> {
        self.ffprobe().version("-version")?;
        self.ffmpeg().version("-version")
    }

    /// Returns what the video file `path` holds.
    ///
    /// # Errors
    /// When it has no video stream or no frame rate, when its frames are too large, or when it is no
    /// file of a known container.
    pub fn open(&self, path: &Path) -> Result<Video, VideoError> {
        // A missing file has its own error, and the system's reason.
        File::open(path).map_err(|source| VideoError::Read {
            path: path.to_owned(),
            source,
        })?;
        let entries = "stream=index,codec_type,width,height,avg_frame_rate,r_frame_rate,nb_frames,\
             duration:stream_disposition=attached_pic:stream_side_data=rotation:stream_tags=rotate:\
             format=duration:packet=stream_index,pts_time";
        let output = ["-v", "error", "-show_entries", entries, "-of", "json"];
        let packets = ["-read_intervals", PACKETS];
        let args = output.into_iter().chain(packets).map(OsString::from);
        let mut args: Vec<_> = args.collect();
        args.extend(input(path));
        let limits = ProgramLimits {
            time: PROBE_TIME,
            bytes: MAX_ANSWER_BYTES,
        };
        let answer = self.ffprobe().output(args, Vec::new(), limits);
        let answer = answer.map_err(|error| VideoError::of_file(path, error))?;
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|source| VideoError::Answer {
                path: path.to_owned(),
                source,
            })?;
        answer.video(path, self.max_pixels)
    }

    /// Starts to decode a video from its first frame.
    pub fn frames(&self, video: &Video, numbering: Numbering) -> Result<Frames, VideoError> {
        let filter = format!("scale={}:{}", video.width, video.height);
        let (filter, mode) = match numbering {
            Numbering::EveryFrame => (filter, "passthrough"),
            Numbering::AtRate(rate) => (format!("fps={rate},{filter}"), "passthrough"),
        };
        let mut args: Vec<OsString> = ["-nostdin", "-hide_banner", "-loglevel", "error"]
            .map(OsString::from)
            .into();
        args.extend(input(&video.path));
        let stream = format!("0:{}", video.stream_idx);
        let output = ["-map", &stream, "-vf", &filter, "-fps_mode", mode];
        let format = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"];
        args.extend(output.into_iter().chain(format).map(OsString::from));
        let stream = self.ffmpeg().stream(args, Vec::new(), self.time)?;
        Ok(Frames::new(video.clone(), numbering, stream))
    }

    fn ffmpeg(&self) -> Program<'_> {
        Program {
            path: &self.ffmpeg,
            setting: "FFMPEG_CMD",
        }
    }

    fn ffprobe(&self) -> Program<'_> {
        Program {
            path: &self.ffprobe,
            setting: "FFPROBE_CMD",
        }
    }
}

/// Returns the arguments of both programs that name the input.
///
/// Files only, so that no video makes them connect anywhere, and containers only.
fn input(path: &Path) -> [OsString; 6] {
    let mut url = OsString::from("file:");
    url.push::<&OsStr>(path.as_ref());
    let [protocols, files, formats, known, flag] = [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-i",
    ]
    .map(OsString::from);
    [protocols, files, formats, known, flag, url]
}
