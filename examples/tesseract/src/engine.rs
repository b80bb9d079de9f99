//! The program that reads text.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use label_studio_inference::program::{Program, ProgramError, ProgramLimits};
use label_studio_ml::anyhow::{self, Context, ensure};
use label_studio_services::{Deadline, Permits};
use label_studio_vision::images::RgbImage;

use crate::{Languages, Reading, Settings, TesseractArgs};

/// Longest side that the program takes.
const MAX_SIDE: u32 = 32_767;
/// The program finds no text in images with a shorter side than this, and says so on its log.
const MIN_SIDE: u32 = 3;
const INSTALL: &str = "install Tesseract with `apt-get install tesseract-ocr` or `brew install tesseract`, or say \
                       where it is with TESSERACT_CMD";
const LIST_TIME: Duration = Duration::from_secs(10);
const MAX_OUTPUT_BYTES: u64 = 64 << 20;

/// Tesseract as a program, which runs once for each image.
#[derive(Debug)]
pub struct Tesseract {
    path: PathBuf,
    tessdata: Option<PathBuf>,
    time: Duration,
    permits: Permits,
    languages: Languages,
}

/// An image as a PNM file, which costs no time to pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pnm {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// The file.
    pub bytes: Vec<u8>,
}

impl Pnm {
    /// Writes an image.
    pub fn new(image: &RgbImage) -> Self {
        let (width, height) = image.dimensions();
        let head = format!("P6\n{width} {height}\n255\n");
        Self {
            size: (width, height),
            bytes: [head.as_bytes(), image.as_raw()].concat(),
        }
    }
}

impl Tesseract {
    /// Finds the program and its languages.
    pub fn find(args: &TesseractArgs) -> anyhow::Result<Self> {
        let tessdata = args.tessdata_folder();
        let mut list = folder_args(tessdata.as_deref());
        list.push("--list-langs".into());
        let limits = ProgramLimits {
            time: LIST_TIME,
            ..ProgramLimits::default()
        };
        let printed = program(&args.tesseract_cmd).text(list, Vec::new(), limits);
        let printed = printed.map_err(|error| match error {
            ProgramError::Start { .. } => anyhow::Error::from(error).context(INSTALL),
            other => other.into(),
        })?;
        Ok(Self {
            languages: Languages::parse(&printed),
            path: args.tesseract_cmd.clone(),
            tessdata,
            time: args.tesseract_timeout,
            permits: Permits::new(args.n_jobs().get()),
        })
    }

    /// Returns the languages that are installed.
    pub fn languages(&self) -> &Languages {
        &self.languages
    }

    /// Reads the text of an image, once fewer programs run than may. Fails when none ends before
    /// `deadline`.
    pub fn read(
        &self,
        image: Pnm,
        settings: &Settings,
        deadline: Deadline,
    ) -> anyhow::Result<Reading> {
        let (width, height) = image.size;
        if width.min(height) < MIN_SIDE {
            return Ok(Reading::default());
        }
        ensure!(
            width.max(height) <= MAX_SIDE,
            "what is to be read has {width} x {height} pixels, and tesseract takes at most {MAX_SIDE} a side"
        );
        let mut args = folder_args(self.tessdata.as_deref());
        args.extend(["stdin", "stdout", "-l", &settings.languages, "--psm"].map(Into::into));
        args.push(settings.page_segmentation.to_string().into());
        // Both kinds of output from one run: the text as it is printed, and a score for each word.
        args.extend(["txt", "tsv"].map(Into::into));
        let limits = ProgramLimits {
            time: self.time,
            bytes: MAX_OUTPUT_BYTES,
        };
        let _permit = self.permits.take(deadline).context(
            "other images took all the time: raise TESSERACT_JOBS on a machine with more cores",
        )?;
        let printed = program(&self.path)
            .output(args, image.bytes, limits)
            .map_err(|error| {
                let is_late = matches!(error, ProgramError::Timeout { .. });
                let error = anyhow::Error::from(error);
                if is_late {
                    error.context("raise TESSERACT_TIMEOUT, or draw a smaller region")
                } else {
                    error
                }
            })?;
        Ok(Reading::parse(&String::from_utf8_lossy(&printed)))
    }
}

fn program(path: &Path) -> Program<'_> {
    Program {
        path,
        setting: "TESSERACT_CMD",
    }
}

fn folder_args(tessdata: Option<&Path>) -> Vec<OsString> {
    tessdata.map_or_else(Vec::new, |folder| {
        vec!["--tessdata-dir".into(), folder.into()]
    })
}
