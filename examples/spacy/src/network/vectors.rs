//! Vectors of words, which some pipelines have beside their networks.

use std::collections::HashMap;

use label_studio_ml::{
    Value,
    anyhow::{self, Context, bail, ensure},
    serde_json,
};
use rmpv::decode::read_value;

use super::thinc::Tensor;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Vectors of words, by the numbers of the words.
#[derive(Debug)]
pub(crate) struct WordVectors {
    rows: HashMap<u64, usize>,
    table: Tensor,
}

impl WordVectors {
    /// Reads the files `vectors`, `key2row` and `vectors.cfg` of a vocabulary.
    pub(crate) fn read(vectors: &[u8], rows: &[u8], config: Option<&[u8]>) -> anyhow::Result<Self> {
        let config: Value = match config {
            Some(json) => serde_json::from_slice(json).context("vectors.cfg is no JSON")?,
            None => Value::Null,
        };
        if let Some(mode) = config["mode"].as_str()
            && mode != "default"
        {
            bail!(
                "the vectors of words are of the mode {mode}; only the mode default is supported"
            );
        }
        let table = read_array(vectors).context("vectors")?;
        ensure!(table.shape.len() == 2, "vectors is no table");
        let rows = read_value(&mut &*rows).context("key2row is no MessagePack")?;
        let rows = rows.as_map().context("key2row is no map")?.iter();
        let row = |(key, row): &(rmpv::Value, rmpv::Value)| {
            let row = usize::try_from(row.as_u64()?).ok()?;
            Some((key.as_u64()?, row)).filter(|(_, row)| *row < table.shape[0])
        };
        Ok(Self {
            rows: rows.filter_map(row).collect(),
            table,
        })
    }

    /// Returns how long the vectors are.
    pub(crate) fn width(&self) -> usize {
        self.table.shape[1]
    }

    /// Returns the vector of a word.
    pub(crate) fn get(&self, word: u64) -> Option<&[f32]> {
        let row = self.rows.get(&word)?;
        Some(&self.table.values[row * self.width()..][..self.width()])
    }
}

/// Reads an array of numpy (`numpy.lib.format`).
fn read_array(bytes: &[u8]) -> anyhow::Result<Tensor> {
    let rest = bytes
        .strip_prefix(MAGIC)
        .context("it is no array of numpy")?;
    let short = "it is cut short";
    let (version, rest) = rest.split_first_chunk::<2>().context(short)?;
    let (n_bytes, rest) = if version[0] == 1 {
        let (length, rest) = rest.split_first_chunk::<2>().context(short)?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>().context(short)?;
        (usize::try_from(u32::from_le_bytes(*length))?, rest)
    };
    let (header, data) = rest.split_at_checked(n_bytes).context(short)?;
    let header = std::str::from_utf8(header).context("its header is no text")?;
    let after = |name: &str| header.split_once(name).map(|(_, rest)| rest.trim_start());
    let quoted = after("'descr':").and_then(|rest| rest.strip_prefix('\''));
    let kind = quoted
        .and_then(|rest| rest.split_once('\''))
        .context("it has no type")?
        .0;
    let shape = after("'shape':").and_then(|rest| rest.strip_prefix('('));
    let shape = shape
        .and_then(|rest| rest.split_once(')'))
        .context("it has no shape")?
        .0;
    let sizes = shape
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty());
    let shape = sizes.map(|size| size.parse().context("it has no shape"));
    ensure!(
        !header.contains("'fortran_order': True"),
        "it is in Fortran order"
    );
    Tensor::from_bytes(kind, shape.collect::<anyhow::Result<_>>()?, data)
}
