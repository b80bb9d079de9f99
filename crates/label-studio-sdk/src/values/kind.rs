//! What the SDK knows about each control tag.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    BitmaskLabelsValue, BitmaskValue, BrushLabelsValue, BrushValue, ChatMessageValue, ChoicesValue,
    DateTimeValue, EllipseLabelsValue, EllipseValue, HyperTextLabelsValue, KeyPointLabelsValue,
    KeyPointValue, LabelsValue, NumberValue, OcrLabelsValue, PairwiseValue, ParagraphLabelsValue,
    PolygonLabelsValue, PolygonValue, RankerValue, RatingValue, ReactCodeValue,
    RectangleLabelsValue, RectangleValue, TaxonomyValue, TextAreaValue, TimeSeriesLabelsValue,
    TimelineLabelsValue, VectorLabelsValue, VectorValue, VideoRectangleValue,
    VideoVectorLabelsValue, VideoVectorValue,
};

/// Per control tag: its value type, the field that takes its labels, and its fields in the order of the type.
macro_rules! value_kinds {
    ($($tag:ident($value:ident, $label_key:expr, $fields:expr);)*) => {
        /// A control tag whose regions the SDK knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ValueKind {
            $(
                #[doc = concat!("`", stringify!($tag), "`: [`", stringify!($value), "`](super::", stringify!($value), ")")]
                $tag,
            )*
        }

        impl ValueKind {
            /// Every known control tag.
            pub const ALL: &[Self] = &[$(Self::$tag),*];

            /// Returns the control tag.
            pub fn tag(self) -> &'static str {
                match self {
                    $(Self::$tag => stringify!($tag),)*
                }
            }

            /// Returns the name of the SDK's class for the control tag.
            pub fn class(self) -> &'static str {
                match self {
                    $(Self::$tag => concat!(stringify!($tag), "Tag"),)*
                }
            }

            /// Returns the name of the value's type.
            pub fn value_type(self) -> &'static str {
                match self {
                    $(Self::$tag => stringify!($value),)*
                }
            }

            /// Returns the field of the value that takes the labels, or what stands in their place.
            pub fn label_key(self) -> Option<&'static str> {
                match self {
                    $(Self::$tag => $label_key,)*
                }
            }

            /// Returns the fields of the value.
            pub fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$tag => &$fields,)*
                }
            }

            /// Reads a value and writes it with exactly the fields of its type.
            pub fn normalize(self, value: &Value) -> Result<Value, serde_json::Error> {
                match self {
                    $(Self::$tag => normalize::<$value>(value),)*
                }
            }

            /// Checks that a value can be read.
            pub fn check(self, value: &Value) -> Result<(), serde_json::Error> {
                match self {
                    $(Self::$tag => serde::Deserialize::deserialize(value).map(|_: $value| ()),)*
                }
            }
        }
    };
}

/// Makes values usable wherever JSON is taken.
macro_rules! values_into_json {
    ($($value:ident)*) => {
        $(
            impl From<$value> for Value {
                fn from(value: $value) -> Self {
                    to_json(&value)
                }
            }
        )*
    };
}

impl ValueKind {
    /// Returns the kind of a control tag, without regard to case.
    pub fn of(tag: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.tag().eq_ignore_ascii_case(tag))
    }

    /// Returns whether regions point at their own control instead of at an object.
    pub fn labels_itself(self) -> bool {
        matches!(self, Self::Pairwise | Self::ReactCode)
    }
}

fn normalize<T: DeserializeOwned + Serialize>(value: &Value) -> Result<Value, serde_json::Error> {
    T::deserialize(value).map(|value| to_json(&value))
}

fn to_json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("values have text keys only")
}

value_kinds! {
    Choices(ChoicesValue, Some("choices"), ["choices"]);
    Labels(LabelsValue, Some("labels"), ["start", "end", "labels"]);
    Brush(BrushValue, None, ["format", "rle"]);
    BrushLabels(BrushLabelsValue, Some("brushlabels"), ["format", "rle", "brushlabels"]);
    Bitmask(BitmaskValue, None, ["imageDataURL", "format"]);
    BitmaskLabels(BitmaskLabelsValue, Some("bitmasklabels"), ["imageDataURL", "format", "bitmasklabels"]);
    MagicWand(BrushValue, None, ["format", "rle"]);
    Ellipse(EllipseValue, None, ["x", "y", "radiusX", "radiusY", "rotation"]);
    EllipseLabels(EllipseLabelsValue, Some("ellipselabels"), ["x", "y", "radiusX", "radiusY", "rotation", "ellipselabels"]);
    KeyPoint(KeyPointValue, None, ["x", "y"]);
    KeyPointLabels(KeyPointLabelsValue, Some("keypointlabels"), ["x", "y", "keypointlabels"]);
    Vector(VectorValue, None, ["closed", "vertices"]);
    VectorLabels(VectorLabelsValue, Some("vectorlabels"), ["closed", "vertices", "vectorlabels"]);
    OcrLabels(OcrLabelsValue, Some("ocrlabels"), ["x", "y", "width", "height", "rotation", "ocrtext", "ocrlabels", "pageIndex"]);
    Polygon(PolygonValue, None, ["points"]);
    PolygonLabels(PolygonLabelsValue, Some("polygonlabels"), ["points", "polygonlabels"]);
    Rectangle(RectangleValue, None, ["x", "y", "width", "height", "rotation"]);
    RectangleLabels(RectangleLabelsValue, Some("rectanglelabels"), ["x", "y", "width", "height", "rotation", "rectanglelabels"]);
    VideoRectangle(VideoRectangleValue, Some("labels"), ["framesCount", "duration", "sequence", "labels"]);
    VideoVector(VideoVectorValue, None, ["framesCount", "duration", "sequence"]);
    VideoVectorLabels(VideoVectorLabelsValue, Some("labels"), ["framesCount", "duration", "sequence", "labels"]);
    Number(NumberValue, Some("number"), ["number"]);
    DateTime(DateTimeValue, Some("datetime"), ["datetime"]);
    HyperTextLabels(HyperTextLabelsValue, Some("hypertextlabels"), ["start", "end", "startOffset", "endOffset", "hypertextlabels"]);
    Pairwise(PairwiseValue, Some("selected"), ["selected"]);
    ParagraphLabels(ParagraphLabelsValue, Some("paragraphlabels"), ["start", "end", "startOffset", "endOffset", "paragraphlabels"]);
    Ranker(RankerValue, None, ["ranker"]);
    Rating(RatingValue, Some("rating"), ["rating"]);
    Taxonomy(TaxonomyValue, Some("taxonomy"), ["taxonomy"]);
    TextArea(TextAreaValue, Some("text"), ["text"]);
    TimeSeriesLabels(TimeSeriesLabelsValue, Some("timeserieslabels"), ["start", "end", "instant", "timeserieslabels"]);
    TimelineLabels(TimelineLabelsValue, Some("timelinelabels"), ["ranges", "timelinelabels"]);
    ChatMessage(ChatMessageValue, None, ["chatmessage"]);
    ReactCode(ReactCodeValue, Some("reactcode"), ["reactcode"]);
}

values_into_json! {
    BitmaskLabelsValue BitmaskValue BrushLabelsValue BrushValue ChatMessageValue ChoicesValue DateTimeValue
    EllipseLabelsValue EllipseValue HyperTextLabelsValue KeyPointLabelsValue KeyPointValue LabelsValue NumberValue
    OcrLabelsValue PairwiseValue ParagraphLabelsValue PolygonLabelsValue PolygonValue RankerValue RatingValue
    ReactCodeValue RectangleLabelsValue RectangleValue TaxonomyValue TextAreaValue TimeSeriesLabelsValue
    TimelineLabelsValue VectorLabelsValue VectorValue VideoRectangleValue VideoVectorLabelsValue VideoVectorValue
}
