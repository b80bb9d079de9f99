//! How one image is read.

use std::{fmt, str::FromStr};

use label_studio_ml::{
    Control,
    anyhow::{self, Context},
};

use crate::Languages;

/// How one image is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Languages, joined with `+`; all are installed.
    pub languages: String,
    /// Page segmentation mode.
    pub page_segmentation: PageSegmentation,
}

/// A page segmentation mode that finds text: 1, or 3 to 13.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSegmentation(u8);

impl Settings {
    /// Returns these settings, or those that the attributes `ocr_lang` and `ocr_psm` of a
    /// `TextArea` name.
    pub fn of(&self, text_area: &Control, installed: &Languages) -> anyhow::Result<Self> {
        let attribute = |name: &str| {
            format!(
                "attribute {name} of <{} name={:?}>",
                text_area.tag, text_area.name
            )
        };
        let languages = match text_area.attr("ocr_lang") {
            Some(text) => installed
                .select(text)
                .with_context(|| attribute("ocr_lang"))?,
            None => self.languages.clone(),
        };
        let page_segmentation = match text_area.attr("ocr_psm") {
            Some(text) => text
                .parse()
                .map_err(anyhow::Error::msg)
                .with_context(|| attribute("ocr_psm"))?,
            None => self.page_segmentation,
        };
        Ok(Self {
            languages,
            page_segmentation,
        })
    }
}

impl FromStr for PageSegmentation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(mode @ (1 | 3..=13)) => Ok(Self(mode)),
            Ok(0 | 2) => Err(format!(
                "page segmentation mode {text} reads no text: say 1, or 3 to 13"
            )),
            _ => Err(format!(
                "{text:?} is no page segmentation mode: say 1, or 3 to 13"
            )),
        }
    }
}

impl fmt::Display for PageSegmentation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
