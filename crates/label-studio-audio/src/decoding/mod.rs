//! The best tokens of CTC, RNNT and TDT models, and their frames.
//!
//! [`ctc`] reads the scores of all frames. [`transducer`] asks a [`Joint`] as it goes, for several
//! frames at a time: the last token decides what comes next, and most frames have none.

#![expect(clippy::cast_precision_loss, reason = "tokens last a few frames")]

mod best;
mod ctc;
mod token;
mod transducer;

pub use ctc::ctc;
pub use token::Token;
pub use transducer::{Joint, Step, TransducerOptions, transducer};
