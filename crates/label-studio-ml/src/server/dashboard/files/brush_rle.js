// Masks in Label Studio's run-length encoding: a stream of bits, which holds the number of values
// (32 bits), the bits of a value minus 1 (5), four lengths of run counts minus 1 (4 each), and then
// runs: whether all values are equal (1), which length of count (2), the count minus 1, the values.

/** Decodes a mask into RGBA bytes, `max_bytes` at most. */
export function decodeMask(rle, maxBytes) {
  let at = 0;
  const bits = (n) => {
    let value = 0;
    for (let end = at + n; at < end; at++) value = value * 2 + (((rle[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const n = Math.min(bits(32), maxBytes);
  const wordBits = bits(5) + 1;
  const countBits = [bits(4) + 1, bits(4) + 1, bits(4) + 1, bits(4) + 1];
  const bytes = new Uint8ClampedArray(n);
  for (let idx = 0; idx < n && at < rle.length * 8;) {
    const areEqual = bits(1), end = idx + 1 + bits(countBits[bits(2)]);
    if (areEqual) {
      bytes.fill(bits(wordBits), idx, Math.min(end, n));
      idx = end;
    } else {
      for (; idx < end && idx < n; idx++) bytes[idx] = bits(wordBits);
    }
  }
  return bytes;
}
