//! Keys and values of the tokens that a sequence has so far.

/// Keys and values of a sequence.
#[derive(Debug, Clone)]
pub(in crate::generation) struct Cache {
    n_tokens: usize,
    layers: Vec<LayerCache>,
}

/// Keys and values of a layer, token by token.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerCache {
    pub(super) keys: Vec<f32>,
    pub(super) values: Vec<f32>,
}

impl Cache {
    pub(super) fn new(n_layers: usize) -> Self {
        Self {
            n_tokens: 0,
            layers: vec![LayerCache::default(); n_layers],
        }
    }

    /// Returns how many tokens there are.
    pub(in crate::generation) fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// Returns a copy with room for `n_tokens` tokens.
    pub(in crate::generation) fn with_room(&self, n_tokens: usize) -> Self {
        let copy = |numbers: &[f32]| {
            let width = numbers.len().checked_div(self.n_tokens).unwrap_or(0);
            let mut copy = Vec::with_capacity(width * n_tokens.max(self.n_tokens));
            copy.extend_from_slice(numbers);
            copy
        };
        let layers = self.layers.iter().map(|layer| LayerCache {
            keys: copy(&layer.keys),
            values: copy(&layer.values),
        });
        Self {
            n_tokens: self.n_tokens,
            layers: layers.collect(),
        }
    }

    pub(super) fn layer(&mut self, idx: usize) -> &mut LayerCache {
        &mut self.layers[idx]
    }

    /// Counts tokens whose keys and values are in all layers.
    pub(super) fn count(&mut self, n_tokens: usize) {
        self.n_tokens += n_tokens;
    }
}
