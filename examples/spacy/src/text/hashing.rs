//! The hashes of spaCy's `StringStore` and of thinc's `HashEmbed`: `MurmurHash2` (64A) and
//! `MurmurHash3` (x64, 128 bits) of <https://github.com/aappleby/smhasher>.

use super::symbols::SYMBOLS;

/// Seed with which `spacy.strings.hash_string` hashes.
const STRING_SEED: u64 = 1;

/// Returns the number that spaCy's `StringStore` gives a string.
pub(crate) fn string_id(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    match SYMBOLS.binary_search_by(|(symbol, _)| (*symbol).cmp(text)) {
        Ok(idx) => SYMBOLS[idx].1,
        Err(_) => murmur_hash_64a(text.as_bytes(), STRING_SEED),
    }
}

/// Returns the four numbers with which a `HashEmbed` layer looks up an attribute.
pub(crate) fn hash_keys(value: u64, seed: u32) -> [u32; 4] {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    const N_BYTES: u64 = 8;

    let seed = u64::from(seed);
    let mixed = value.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mut h1 = (seed ^ mixed) ^ N_BYTES;
    let mut h2 = seed ^ N_BYTES;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    let ([a, b], [c, d]) = (halves(h1), halves(h2));
    [a, b, c, d]
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are wanted")]
fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

fn finish(mut value: u64) -> u64 {
    value ^= value >> 33;
    value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^= value >> 33;
    value = value.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ (value >> 33)
}

fn murmur_hash_64a(bytes: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const R: u32 = 47;

    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let (blocks, tail) = bytes.as_chunks::<8>();
    for block in blocks {
        let mut key = u64::from_le_bytes(*block).wrapping_mul(M);
        key ^= key >> R;
        hash = (hash ^ key.wrapping_mul(M)).wrapping_mul(M);
    }
    if !tail.is_empty() {
        let mut last = [0; 8];
        last[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(M);
    }
    hash ^= hash >> R;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> R)
}

#[cfg(test)]
mod tests {
    use super::{SYMBOLS, hash_keys, string_id};

    #[test]
    fn symbols_are_sorted() {
        assert!(SYMBOLS.is_sorted_by_key(|(symbol, _)| symbol));
    }

    /// From spaCy 3.8.7: `StringStore().add(text)`.
    #[test]
    fn strings_have_the_numbers_of_spacy() {
        assert_eq!(string_id(""), 0);
        assert_eq!(string_id("NORM"), 67);
        assert_eq!(string_id("PERSON"), 380);
        assert_eq!(string_id("coffee"), 3_197_928_453_018_144_401);
        assert_eq!(string_id("because"), 16_950_148_841_647_037_698);
    }

    /// From thinc 8.3.4: `NumpyOps().hash(numpy.array([value], dtype="uint64"), seed)`.
    #[test]
    fn keys_are_those_of_thinc() {
        assert_eq!(hash_keys(0, 8), [0; 4]);
        let keys = [2_750_598_018, 3_251_727_970, 914_169_445, 2_562_981_563];
        assert_eq!(hash_keys(3_197_928_453_018_144_401, 11), keys);
    }
}
