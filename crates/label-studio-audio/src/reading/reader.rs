//! Starts ffmpeg for files.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use label_studio_inference::program::{Program, ProgramLimits};

use super::{AudioError, AudioStream, ReadingArgs, stream::Source};

const SETTING: &str = "FFMPEG_CMD";
/// Time that ffmpeg gets to say how it was built.
const START_TIME: Duration = Duration::from_secs(20);
/// Demuxers that open other files or devices than the one they are given, so that a task could name
/// what it must not read.
const REFERRING: [&str; 27] = [
    "alsa",
    "applehttp",
    "avisynth",
    "bluray",
    "concat",
    "dash",
    "fbdev",
    "hls",
    "iec61883",
    "image2",
    "imf",
    "jack",
    "kmsgrab",
    "lavfi",
    "libcdio",
    "libdc1394",
    "mlv",
    "openal",
    "oss",
    "pulse",
    "rtp",
    "rtsp",
    "sap",
    "sdp",
    "video4linux2",
    "vobsub",
    "x11grab",
];

/// Reads audio with ffmpeg.
#[derive(Debug, Clone)]
pub struct AudioReader {
    ffmpeg: PathBuf,
    time: Duration,
    max_length: Duration,
    /// Demuxers that files may choose, separated by commas.
    formats: String,
    has_soxr: bool,
}

impl AudioReader {
    /// Finds ffmpeg, and asks which formats and which resampler it has.
    pub fn find(args: &ReadingArgs) -> Result<Self, AudioError> {
        let program = Program {
            path: &args.ffmpeg_cmd,
            setting: SETTING,
        };
        let ask = |question: &str| {
            let limits = ProgramLimits {
                time: START_TIME,
                ..ProgramLimits::default()
            };
            program.text(["-hide_banner", question], Vec::new(), limits)
        };
        let has_soxr = ask("-buildconf")?.contains("--enable-libsoxr");
        if !has_soxr {
            tracing::warn!(
                "this ffmpeg has no soxr: audio that is not at 16 kHz is resampled with its own filter, which changes \
                 what models see; install one that was built with --enable-libsoxr"
            );
        }
        Ok(Self {
            ffmpeg: args.ffmpeg_cmd.clone(),
            time: args.ffmpeg_timeout,
            max_length: args.max_audio_seconds,
            formats: formats(&ask("-demuxers")?),
            has_soxr,
        })
    }

    /// Opens the first audio track of a file, as samples of one channel at a rate of `rate` per
    /// second.
    ///
    /// Fails when the file has none, or is no media at all.
    pub fn open(&self, path: &Path, rate: u32) -> Result<AudioStream, AudioError> {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let source = Source {
            file: name.to_string_lossy().into_owned(),
            path: path.display().to_string(),
            time: self.time,
        };
        let program = Program {
            path: &self.ffmpeg,
            setting: SETTING,
        };
        let stream = program.stream(self.args(path, rate), Vec::new(), self.time)?;
        AudioStream::start(stream, source, rate, self.max_length)
    }

    fn args(&self, path: &Path, rate: u32) -> Vec<OsString> {
        let resampler = if self.has_soxr { ":resampler=soxr" } else { "" };
        let filter = format!("aresample={rate}{resampler}");
        let mut file = OsString::from("file:");
        file.push(path);
        let mut args: Vec<OsString> = Vec::new();
        let mut push = |texts: &[&str]| args.extend(texts.iter().map(OsString::from));
        push(&["-nostdin", "-hide_banner", "-loglevel", "error"]);
        push(&["-protocol_whitelist", "file"]);
        if !self.formats.is_empty() {
            push(&["-format_whitelist", &self.formats]);
        }
        push(&["-i"]);
        args.push(file);
        let mut push = |texts: &[&str]| args.extend(texts.iter().map(OsString::from));
        push(&["-map", "0:a:0", "-map_metadata", "-1", "-filter:a", &filter]);
        // All channels: ffmpeg's own mix is no mean. The header of this format says how many.
        push(&["-c:a", "pcm_f32be", "-f", "au", "pipe:1"]);
        args
    }
}

/// Returns the demuxers of ffmpeg's list that read nothing but the file that they are given.
fn formats(list: &str) -> String {
    let names = list.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let flags = columns.next()?;
        let name = columns.next()?;
        // Devices have a `d` of their own, and the legend an equals sign.
        (flags == "D" && name != "d" && name != "=").then_some(name)
    });
    let is_harmless = |name: &&str| !name.split(',').any(|name| REFERRING.contains(&name));
    names.filter(is_harmless).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::formats;

    #[test]
    fn demuxers_that_open_other_files_are_left_out() {
        let list = "File formats:\n D. = Demuxing supported\n .E = Muxing supported\n --\n \
                    D  aac             raw ADTS AAC\n D  concat          Virtual concatenation\n \
                    D  hls             Apple HTTP Live Streaming\n D d alsa            ALSA\n \
                    D  mov,mp4,m4a,3gp QuickTime / MOV\n D  wav             WAV\n";
        assert_eq!(formats(list), "aac,mov,mp4,m4a,3gp,wav");
    }
}
