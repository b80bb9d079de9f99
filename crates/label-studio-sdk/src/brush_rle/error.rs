//! Why a mask cannot be read or written.

/// Why a brush mask cannot be packed or unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrushRleError {
    /// The mask does not have one byte per pixel.
    #[error("mask of {len} bytes does not fit {width}x{height} pixels")]
    MaskSize {
        /// Wanted width in pixels.
        width: u32,
        /// Wanted height in pixels.
        height: u32,
        /// Bytes in the mask.
        len: usize,
    },
    /// The mask holds more values than the 32 bits of the header can count.
    #[error("mask of {values} values is too large for brush RLE")]
    TooLarge {
        /// Values in the mask, four per pixel.
        values: u64,
    },
    /// The stream announces more than the caller allows.
    #[error("brush RLE of {announced} values is over the limit of {limit}")]
    Limit {
        /// Number of values, announced by the stream or needed for the wanted size.
        announced: u64,
        /// Number of values that the caller allows.
        limit: u64,
    },
    /// The stream belongs to an image of another size.
    #[error("brush RLE of {announced} values does not fit {width}x{height} pixels")]
    SizeMismatch {
        /// Number of values that the stream announces, four per pixel.
        announced: u32,
        /// Wanted width in pixels.
        width: u32,
        /// Wanted height in pixels.
        height: u32,
    },
    /// The stream ends before the announced number of values.
    #[error("brush RLE ends after {decoded} of {announced} values")]
    Truncated {
        /// Values that were complete.
        decoded: u32,
        /// Number of values that the stream announces; 0 when the header itself is cut off.
        announced: u32,
    },
    /// A packet holds more values than the stream announces.
    #[error("brush RLE packet runs over the announced {announced} values")]
    Overrun {
        /// Number of values that the stream announces.
        announced: u32,
    },
}
