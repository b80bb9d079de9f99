//! From masks to the packed stream.

use super::error::BrushRleError;

/// Bits of the count field, by size class, and of a value, as Label Studio's own encoders choose them.
const COUNT_BITS: [u32; 4] = [3, 4, 8, 16];
const WORD_BITS: u32 = 8;

/// Most values in one packet.
const LONGEST_PACKET: u64 = 1 << COUNT_BITS[3];

/// Joins equal values, also across calls to `push`, and writes each maximal run.
pub(super) struct Encoder {
    bits: BitWriter,
    /// How often each value is written.
    repeat: u64,
    value: u8,
    run: u64,
    pushed: u64,
}

impl Encoder {
    pub(super) fn new(repeat: u64) -> Self {
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

    pub(super) fn push(&mut self, values: &[u8]) {
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

    pub(super) fn finish(mut self) -> Result<Vec<u8>, BrushRleError> {
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
