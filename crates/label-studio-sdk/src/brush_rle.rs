//! Brush masks the way Label Studio stores them: RGBA pixels, run-length packed into a list of bytes.
//!
//! A mask here has one byte per pixel, row by row: 0 is empty, 255 is painted. Label Studio repeats every pixel
//! four times (red, green, blue, alpha) and reads back the alpha channel only. The packed stream, most significant
//! bit first, is: 32 bits number of values, 5 bits word size minus 1, four times 4 bits run-length size minus 1,
//! then packets of 1 bit kind (run or literal), 2 bits size class, the count minus 1, and one word for a run or
//! `count` words for a literal. Between 1 and 8 zero bits end it.
//!
//! ```
//! use label_studio_sdk::brush_rle;
//!
//! let mask = [255, 0, 0, 255];
//! let rle = brush_rle::encode_mask(2, 2, &mask)?;
//! assert_eq!(rle, [0, 0, 0, 16, 57, 27, 252, 127, 243, 128, 71, 254]);
//! assert_eq!(brush_rle::decode(&rle, 2, 2, 1_000_000)?, mask);
//! # Ok::<(), brush_rle::BrushRleError>(())
//! ```

use serde_json::{Map, Value};

/// Brightness above which [`threshold`] takes a pixel of a greyscale image as painted, as Label Studio does.
pub const IMAGE_THRESHOLD: u8 = 128;

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

/// Packs a mask, given as one byte per pixel, row by row.
///
/// Fails only for a mask of 2³⁰ pixels or more.
pub fn encode(mask: &[u8]) -> Result<Vec<u8>, BrushRleError> {
    encode_rows([mask])
}

/// Packs a mask of `width` x `height` pixels after checking its length.
pub fn encode_mask(width: u32, height: u32, mask: &[u8]) -> Result<Vec<u8>, BrushRleError> {
    if mask.len() as u64 != u64::from(width) * u64::from(height) {
        let len = mask.len();
        return Err(BrushRleError::MaskSize { width, height, len });
    }
    encode(mask)
}

/// Packs a mask whose rows lie apart, such as a view into a larger one.
pub fn encode_rows<'a>(rows: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BrushRleError> {
    let mut encoder = Encoder::new(CHANNELS);
    for row in rows {
        encoder.push(row);
    }
    encoder.finish()
}

/// Packs plain values without repeating them four times.
pub fn encode_values(values: &[u8]) -> Result<Vec<u8>, BrushRleError> {
    let mut encoder = Encoder::new(1);
    encoder.push(values);
    encoder.finish()
}

/// Builds the value of a brush region, `{"format": "rle", "rle": [..]}`, to which the labels are still to be added.
///
/// Label Studio also wants the image's size on the region, see [`Region::with_image_size`](crate::Region::with_image_size).
pub fn region_value(
    width: u32,
    height: u32,
    mask: &[u8],
) -> Result<Map<String, Value>, BrushRleError> {
    let rle = encode_mask(width, height, mask)?;
    Ok(Map::from_iter([
        ("format".to_owned(), Value::from("rle")),
        ("rle".to_owned(), Value::from(rle)),
    ]))
}

/// Turns every pixel above `limit` into 255 and the others into 0.
///
/// Use [`IMAGE_THRESHOLD`] for a greyscale image and 0 for a mask of zeros and ones.
pub fn threshold(pixels: &[u8], limit: u8) -> Vec<u8> {
    pixels.iter().map(|&pixel| paint(pixel > limit)).collect()
}

/// Turns a mask of booleans into one of 0 and 255.
pub fn from_bools(mask: &[bool]) -> Vec<u8> {
    mask.iter().map(|&painted| paint(painted)).collect()
}

/// Unpacks the mask of an image: one byte per pixel, row by row, painted where it is above 0.
///
/// Reads the alpha channel, as Label Studio does; words wider than 8 bits saturate at 255. Fails when the stream is
/// for another size or damaged, or when the image has more than `max_pixels`, which bounds the memory used.
pub fn decode(
    rle: &[u8],
    width: u32,
    height: u32,
    max_pixels: u64,
) -> Result<Vec<u8>, BrushRleError> {
    // No overflow goes unseen: a saturated number is larger than any that a stream can announce.
    let values = (u64::from(width) * u64::from(height)).saturating_mul(CHANNELS);
    check_limit(values, max_pixels.saturating_mul(CHANNELS))?;
    let stream = Stream::new(rle)?;
    let announced = stream.announced;
    if u64::from(announced) != values {
        return Err(BrushRleError::SizeMismatch {
            announced,
            width,
            height,
        });
    }
    let mut mask = Vec::new();
    let mut end = 0_usize;
    stream.for_each_run(|value, count| {
        end += count as usize;
        // A value belongs to the alpha channel of its pixel when it is the fourth, so a pixel is known once it is complete.
        mask.resize(end / 4, u8::try_from(value).unwrap_or(u8::MAX));
    })?;
    Ok(mask)
}

/// Unpacks plain values, of which the stream may announce at most `max_values`.
pub fn decode_values(rle: &[u8], max_values: u64) -> Result<Vec<u32>, BrushRleError> {
    let stream = Stream::new(rle)?;
    check_limit(u64::from(stream.announced), max_values)?;
    let mut values = Vec::new();
    stream.for_each_run(|value, count| values.resize(values.len() + count as usize, value))?;
    Ok(values)
}

/// Values per pixel: red, green, blue, alpha.
const CHANNELS: u64 = 4;

/// Bits of the count field, by size class, and of a value, as Label Studio's own encoders choose them.
const COUNT_BITS: [u32; 4] = [3, 4, 8, 16];
const WORD_BITS: u32 = 8;

/// Most values in one packet.
const LONGEST_PACKET: u64 = 1 << COUNT_BITS[3];

fn paint(painted: bool) -> u8 {
    if painted { u8::MAX } else { 0 }
}

fn check_limit(announced: u64, limit: u64) -> Result<(), BrushRleError> {
    if announced > limit {
        return Err(BrushRleError::Limit { announced, limit });
    }
    Ok(())
}

/// Joins equal values, also across calls to `push`, and writes each maximal run.
struct Encoder {
    bits: BitWriter,
    /// How often each value is written.
    repeat: u64,
    value: u8,
    run: u64,
    pushed: u64,
}

impl Encoder {
    fn new(repeat: u64) -> Self {
        let mut bits = BitWriter::default();
        bits.push(0, 32);
        bits.push(WORD_BITS - 1, 5);
        for size in COUNT_BITS {
            bits.push(size - 1, 4);
        }
        Self {
            bits,
            repeat,
            value: 0,
            run: 0,
            pushed: 0,
        }
    }

    fn push(&mut self, values: &[u8]) {
        let mut rest = values;
        while let Some(&value) = rest.first() {
            if value != self.value {
                self.write_run();
                self.value = value;
            }
            let length = run_length(rest, value);
            self.run += length as u64;
            rest = &rest[length..];
        }
        self.pushed += values.len() as u64;
    }

    fn finish(mut self) -> Result<Vec<u8>, BrushRleError> {
        self.write_run();
        let values = self.pushed * self.repeat;
        let announced = u32::try_from(values).map_err(|_| BrushRleError::TooLarge { values })?;
        let mut bytes = self.bits.finish();
        bytes[..4].copy_from_slice(&announced.to_be_bytes());
        Ok(bytes)
    }

    fn write_run(&mut self) {
        let mut count = self.run * self.repeat;
        self.run = 0;
        let class = match count {
            0 => return,
            1 => return self.write_packet(0, 0, 1),
            2..=8 => 0,
            9..=16 => 1,
            17..=256 => 2,
            _ => 3,
        };
        while count > LONGEST_PACKET {
            self.write_packet(1, class, LONGEST_PACKET);
            count -= LONGEST_PACKET;
        }
        self.write_packet(1, class, count);
    }

    fn write_packet(&mut self, kind: u32, class: u32, count: u64) {
        let count = u32::try_from(count - 1).expect("a packet holds at most 65536 values");
        let size = COUNT_BITS[class as usize];
        let head = (((kind << 2) | class) << size) | count;
        self.bits.push(
            (head << WORD_BITS) | u32::from(self.value),
            3 + size + WORD_BITS,
        );
    }
}

/// Counts how many of the first values equal `value`, eight at a time.
fn run_length(values: &[u8], value: u8) -> usize {
    let pattern = u64::from_le_bytes([value; 8]);
    let (words, tail) = values.as_chunks::<8>();
    for (idx, word) in words.iter().enumerate() {
        let difference = u64::from_le_bytes(*word) ^ pattern;
        if difference != 0 {
            return idx * 8 + difference.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + tail.iter().take_while(|&&other| other == value).count()
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    n_pending: u32,
}

impl BitWriter {
    /// Appends the low `size` bits of `bits`, at most 32.
    fn push(&mut self, bits: u32, size: u32) {
        self.pending = (self.pending << size) | u64::from(bits);
        self.n_pending += size;
        if self.n_pending >= 32 {
            self.n_pending -= 32;
            let [.., a, b, c, d] = (self.pending >> self.n_pending).to_be_bytes();
            self.bytes.extend_from_slice(&[a, b, c, d]);
        }
    }

    /// Ends the stream with zero bits: a whole byte of them when it is aligned already.
    fn finish(mut self) -> Vec<u8> {
        let padding = 8 - self.n_pending % 8;
        let n_bytes = ((self.n_pending + padding) / 8) as usize;
        let last = (self.pending << padding).to_be_bytes();
        self.bytes.extend_from_slice(&last[last.len() - n_bytes..]);
        self.bytes
    }
}

/// A stream whose header has been read.
struct Stream<'a> {
    bits: BitReader<'a>,
    announced: u32,
    word_bits: u32,
    count_bits: [u32; 4],
}

impl<'a> Stream<'a> {
    fn new(rle: &'a [u8]) -> Result<Self, BrushRleError> {
        let mut bits = BitReader {
            bytes: rle,
            pending: 0,
            n_pending: 0,
        };
        let mut field = |size| {
            bits.read(size).ok_or(BrushRleError::Truncated {
                decoded: 0,
                announced: 0,
            })
        };
        let announced = field(32)?;
        let word_bits = field(5)? + 1;
        let count_bits = [field(4)? + 1, field(4)? + 1, field(4)? + 1, field(4)? + 1];
        Ok(Self {
            bits,
            announced,
            word_bits,
            count_bits,
        })
    }

    /// Calls `visit` with each value and how often it is repeated, until the announced number is reached.
    fn for_each_run(self, mut visit: impl FnMut(u32, u32)) -> Result<(), BrushRleError> {
        let Self {
            mut bits,
            announced,
            word_bits,
            count_bits,
        } = self;
        let mut decoded = 0;
        while decoded < announced {
            let truncated = BrushRleError::Truncated { decoded, announced };
            let Some(head) = bits.read(3) else {
                return Err(truncated);
            };
            let Some(count) = bits.read(count_bits[(head & 3) as usize]) else {
                return Err(truncated);
            };
            // At most 65536, so neither this nor the literals below can be many for the bits they take.
            let count = count + 1;
            if count > announced - decoded {
                return Err(BrushRleError::Overrun { announced });
            }
            let is_run = head & 4 != 0;
            let (n_words, repeat) = if is_run { (1, count) } else { (count, 1) };
            for _ in 0..n_words {
                let Some(value) = bits.read(word_bits) else {
                    return Err(BrushRleError::Truncated { decoded, announced });
                };
                visit(value, repeat);
                decoded += repeat;
            }
        }
        Ok(())
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    pending: u64,
    n_pending: u32,
}

impl BitReader<'_> {
    /// Takes the next `size` bits, at most 32, or nothing when fewer are left.
    fn read(&mut self, size: u32) -> Option<u32> {
        while self.n_pending < size {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            self.pending = (self.pending << 8) | u64::from(byte);
            self.n_pending += 8;
        }
        self.n_pending -= size;
        let bits = (self.pending >> self.n_pending) & ((1 << size) - 1);
        Some(u32::try_from(bits).expect("at most 32 bits are taken"))
    }
}
