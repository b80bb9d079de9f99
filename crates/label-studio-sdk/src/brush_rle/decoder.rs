//! From the packed stream back to values.

use super::error::BrushRleError;

/// Reader of a stream whose header has been read.
pub(super) struct Decoder<'a> {
    bits: BitReader<'a>,
    pub(super) announced: u32,
    word_bits: u32,
    count_bits: [u32; 4],
}

impl<'a> Decoder<'a> {
    pub(super) fn new(rle: &'a [u8]) -> Result<Self, BrushRleError> {
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
    pub(super) fn for_each_run(self, mut visit: impl FnMut(u32, u32)) -> Result<(), BrushRleError> {
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
            // The field has at most 16 bits, so this cannot overflow.
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
    /// Takes the next `size` bits, at most 32; `None` when fewer are left.
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
