//! Flags of the backend.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::{Args, ValueEnum};
use label_studio_services::{aws::S3Args, first_filled, parse_seconds};
use label_studio_vision::images::ImageArgs;

use crate::PageSegmentation;

/// How text is read
#[expect(clippy::doc_markdown, reason = "the text is the program's help")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tesseract")]
pub struct TesseractArgs {
    /// Program that reads the text
    #[arg(long, env = "TESSERACT_CMD", default_value = "tesseract")]
    pub tesseract_cmd: PathBuf,

    /// Languages of the text, such as eng or deu+eng [default: those of chi_sim, eng and deu that are installed]
    #[arg(long, env = "TESSERACT_LANG")]
    pub tesseract_lang: Option<String>,

    /// Page segmentation mode for drawn regions: 6 is a block of text, 7 a line, 8 a word
    #[arg(long, env = "TESSERACT_PSM", default_value = "6")]
    pub tesseract_psm: PageSegmentation,

    /// Folder with the language files [default: the program's own]
    #[arg(long, env = "TESSDATA_PREFIX", value_name = "DIR")]
    pub tessdata: Option<PathBuf>,

    /// Programs that run at a time, over all requests [default: one for each core]
    #[arg(long, env = "TESSERACT_JOBS")]
    pub tesseract_jobs: Option<NonZeroUsize>,

    /// Seconds that one image may take
    #[arg(long, env = "TESSERACT_TIMEOUT", default_value = "60", value_parser = parse_seconds)]
    pub tesseract_timeout: Duration,

    /// Answer with an empty text where no text is found in a region: true or false
    #[arg(long, env = "EMPTY_TEXT", default_value_t = false, action = clap::ArgAction::Set)]
    pub empty_text: bool,

    /// Whole pages.
    #[command(flatten)]
    pub pages: PageArgs,

    /// Which images are accepted.
    #[command(flatten)]
    pub images: ImageArgs,

    /// Access to images in S3.
    #[command(flatten)]
    pub s3: S3Args,

    #[arg(long, env = "AWS_ENDPOINT", hide = true)]
    aws_endpoint: Option<String>,
}

/// Pre-annotation of whole pages
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Whole pages")]
pub struct PageArgs {
    /// What of a page becomes regions when predictions are retrieved for tasks
    #[arg(long, env = "READ_PAGES", value_enum, default_value_t)]
    pub read_pages: PageUnit,

    /// Page segmentation mode for pages: 3 finds columns and blocks, 11 scattered text
    #[arg(long, env = "TESSERACT_PAGE_PSM", default_value = "3")]
    pub tesseract_page_psm: PageSegmentation,

    /// Minimum score of a region on a page, from 0 to 1
    #[arg(long, env = "SCORE_THRESHOLD", default_value_t = 0.0)]
    pub score_threshold: f64,
}

/// What of a page becomes regions
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PageUnit {
    /// Nothing: text is read in drawn regions only
    #[default]
    Off,
    /// Each line
    Lines,
    /// Each word
    Words,
}

impl TesseractArgs {
    /// Returns how many programs run at a time.
    pub fn n_jobs(&self) -> NonZeroUsize {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.tesseract_jobs.unwrap_or_else(cores)
    }

    /// Returns the folder of the language files: the given one, or `tessdata` within it, as
    /// `TESSDATA_PREFIX` named it for Tesseract 3.
    pub fn tessdata_folder(&self) -> Option<PathBuf> {
        let folder = self.tessdata.clone().filter(|path| path != Path::new(""))?;
        let has_files = |folder: &Path| {
            let entries = folder.read_dir().into_iter().flatten().flatten();
            let mut paths = entries.map(|entry| entry.path());
            paths.any(|path| path.extension().is_some_and(|kind| kind == "traineddata"))
        };
        let inner = folder.join("tessdata");
        Some(if !has_files(&folder) && has_files(&inner) {
            inner
        } else {
            folder
        })
    }

    /// Returns the access to S3, with the address of the store under either name.
    pub fn s3(&self) -> S3Args {
        let endpoint = first_filled([&self.s3.aws_endpoint_url, &self.aws_endpoint]);
        S3Args {
            aws_endpoint_url: endpoint.map(str::to_owned),
            ..self.s3.clone()
        }
    }
}
