//! Label Studio's label config: the XML of a labelling screen, its tags, and checks against them.

mod attributes;
mod config;
mod control;
mod create_regions;
mod error;
mod label_map;
mod limits;
mod object;
mod pair;
mod parsed;
mod parser;
mod prediction_validation;
mod problems;
mod region_builder;
mod repeater;
mod results_check;
mod sample_task;
mod tag;
mod tag_names;
mod validation;

pub use attributes::Attributes;
pub use config::LabelConfig;
pub use control::{Conditional, ConditionalKind, Control, Label};
pub use error::LabelConfigError;
pub use object::{ChildTag, Object};
pub use pair::Pair;
pub use parsed::parse_config;
pub use region_builder::RegionBuilder;
pub use sample_task::SampleTask;
pub use tag::Tag;
pub use tag_names::TagNames;
