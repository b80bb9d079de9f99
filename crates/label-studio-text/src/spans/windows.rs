//! Windows of a long text.

use tokenizers::Encoding;

/// The windows of one text, as a tokenizer with windows gives them.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a> {
    encoding: &'a Encoding,
    n_shared: usize,
}

impl<'a> Windows<'a> {
    /// Creates the windows of an encoding, of which `n_shared` tokens repeat the end of the window
    /// before.
    pub fn new(encoding: &'a Encoding, n_shared: usize) -> Self {
        Self { encoding, n_shared }
    }

    /// Returns the windows in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'a Encoding> {
        std::iter::once(self.encoding).chain(self.encoding.get_overflowing())
    }

    /// Returns for each window which of its tokens to use, so that every token of the text is used
    /// once, and from the window in which it is farther from the edge. Special tokens are not used.
    pub fn used(&self) -> Vec<Vec<usize>> {
        let n_windows = 1 + self.encoding.get_overflowing().len();
        let used = self.iter().enumerate().map(|(idx, window)| {
            let special = window.get_special_tokens_mask().iter().enumerate();
            let text: Vec<usize> = special
                .filter(|(_, is_special)| **is_special == 0)
                .map(|(token, _)| token)
                .collect();
            // The first half of the shared tokens is that of the window before.
            let skipped = if idx == 0 { 0 } else { self.n_shared / 2 };
            let is_last = idx + 1 == n_windows;
            let left = if is_last {
                0
            } else {
                self.n_shared - self.n_shared / 2
            };
            let end = text.len().saturating_sub(left);
            text.get(skipped..end).unwrap_or_default().to_vec()
        });
        used.collect()
    }
}
