//! Tensors of PyTorch's own files: a zip archive with a pickle that describes them.
//!
//! A pickle is a program. This one knows the few steps that a dictionary of tensors needs, calls nothing, and refuses
//! the rest.

use std::{
    collections::HashMap,
    fs::File,
    io::{Read as _, Result as IoResult},
    path::Path,
    rc::Rc,
};

use safetensors::{Dtype, tensor::TensorInfo};
use zip::{CompressionMethod, ZipArchive};

/// Largest pickle that is read: descriptions of tensors are short.
const MAX_BYTES: u64 = 64 << 20;
/// Tuples in tuples, of which a tensor has two.
const MAX_DEPTH: usize = 6;

/// A tensor in the archive.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    /// Where its numbers start in the file.
    pub(super) start: u64,
    pub(super) info: TensorInfo,
}

#[derive(Debug, Clone)]
enum Item {
    Mark,
    Int(i64),
    Text(Rc<str>),
    Name(Rc<str>),
    Tuple(Rc<[Self]>, usize),
    Storage {
        key: Rc<str>,
        kind: Dtype,
    },
    Tensor(Rc<Tensor>),
    /// A dictionary, a list, or whatever is of no interest.
    Other,
}

#[derive(Debug)]
struct Tensor {
    key: Rc<str>,
    kind: Dtype,
    offset: u64,
    shape: Vec<usize>,
}

/// Finds the tensors of a file; `None` if it is no such file, or holds more than tensors.
pub(super) fn tensors(path: &Path) -> Option<Vec<Found>> {
    let mut archive = ZipArchive::new(File::open(path).ok()?).ok()?;
    let pickle = archive
        .file_names()
        .find(|name| name.ends_with("/data.pkl"))?;
    let root = pickle.strip_suffix("data.pkl")?.to_owned();
    let mut bytes = Vec::new();
    let entry = archive.by_name(&format!("{root}data.pkl")).ok()?;
    read(entry, &mut bytes).ok()?;
    let named = Machine::default().run(&bytes)?;
    let mut found = Vec::with_capacity(named.len());
    for (name, tensor) in named {
        let entry = archive
            .by_name(&format!("{root}data/{}", tensor.key))
            .ok()?;
        if entry.compression() != CompressionMethod::Stored {
            return None;
        }
        let width = if tensor.kind == Dtype::F32 { 4 } else { 2 };
        let n_numbers = tensor
            .shape
            .iter()
            .try_fold(1_usize, |n, size| n.checked_mul(*size))?;
        let n_bytes = n_numbers.checked_mul(width)?;
        let skipped = tensor.offset.checked_mul(width as u64)?;
        if skipped.checked_add(n_bytes as u64)? > entry.size() {
            return None;
        }
        found.push(Found {
            name: name.to_string(),
            start: entry.data_start().checked_add(skipped)?,
            info: TensorInfo {
                dtype: tensor.kind,
                shape: tensor.shape.clone(),
                data_offsets: (0, n_bytes),
            },
        });
    }
    Some(found)
}

fn read(entry: impl std::io::Read, bytes: &mut Vec<u8>) -> IoResult<usize> {
    entry.take(MAX_BYTES).read_to_end(bytes)
}

/// Runs a pickle.
#[derive(Debug, Default)]
struct Machine {
    stack: Vec<Item>,
    memory: HashMap<u32, Item>,
    found: Vec<(Rc<str>, Rc<Tensor>)>,
}

/// The bytes of a pickle that are left.
struct Rest<'a>(&'a [u8]);

impl Machine {
    fn run(mut self, pickle: &[u8]) -> Option<Vec<(Rc<str>, Rc<Tensor>)>> {
        let mut rest = Rest(pickle);
        loop {
            match rest.byte()? {
                b'.' => return Some(self.found),
                0x80 => drop(rest.byte()?),
                0x95 => drop(rest.take(8)?),
                b'(' => self.stack.push(Item::Mark),
                b'}' | b']' | b'N' => self.stack.push(Item::Other),
                b')' => self.stack.push(tuple(Vec::new())?),
                0x88 => self.stack.push(Item::Int(1)),
                0x89 => self.stack.push(Item::Int(0)),
                b'K' => {
                    let number = rest.byte()?;
                    self.stack.push(Item::Int(i64::from(number)));
                }
                b'M' => {
                    let number = u16::from_le_bytes(rest.array()?);
                    self.stack.push(Item::Int(i64::from(number)));
                }
                b'J' => {
                    let number = i32::from_le_bytes(rest.array()?);
                    self.stack.push(Item::Int(i64::from(number)));
                }
                0x8a => {
                    let n_bytes = usize::from(rest.byte()?);
                    let number = long(rest.take(n_bytes)?)?;
                    self.stack.push(Item::Int(number));
                }
                b'G' => {
                    rest.take(8)?;
                    self.stack.push(Item::Other);
                }
                b'X' => {
                    let n_bytes = u32::from_le_bytes(rest.array()?);
                    let text = rest.text(usize::try_from(n_bytes).ok()?)?;
                    self.stack.push(Item::Text(text.into()));
                }
                b'U' | 0x8c => {
                    let n_bytes = usize::from(rest.byte()?);
                    let text = rest.text(n_bytes)?;
                    self.stack.push(Item::Text(text.into()));
                }
                b'c' => {
                    let (module, name) = (rest.line()?, rest.line()?);
                    self.stack
                        .push(Item::Name(format!("{module}.{name}").into()));
                }
                b'q' => {
                    let place = rest.byte()?;
                    self.keep(u32::from(place))?;
                }
                b'r' => {
                    let place = u32::from_le_bytes(rest.array()?);
                    self.keep(place)?;
                }
                0x94 => self.keep(u32::try_from(self.memory.len()).ok()?)?,
                b'h' => {
                    let place = rest.byte()?;
                    self.recall(u32::from(place))?;
                }
                b'j' => {
                    let place = u32::from_le_bytes(rest.array()?);
                    self.recall(place)?;
                }
                b't' => {
                    let items = self.since_mark()?;
                    self.stack.push(tuple(items)?);
                }
                n_items @ 0x85..=0x87 => {
                    let start = self.stack.len().checked_sub(usize::from(n_items - 0x84))?;
                    let items = self.stack.split_off(start);
                    self.stack.push(tuple(items)?);
                }
                b'Q' => {
                    let id = self.stack.pop()?;
                    self.stack.push(storage(&id)?);
                }
                b'R' => {
                    let (arguments, name) = (self.stack.pop()?, self.stack.pop()?);
                    self.stack.push(called(&name, &arguments)?);
                }
                // The state of a dictionary, and items of a list, are of no interest.
                b'a' | b'b' => drop(self.stack.pop()?),
                b's' => {
                    let (value, key) = (self.stack.pop()?, self.stack.pop()?);
                    self.set(&key, value);
                }
                b'u' => {
                    let items = self.since_mark()?;
                    for pair in items.chunks_exact(2) {
                        self.set(&pair[0], pair[1].clone());
                    }
                }
                b'e' => drop(self.since_mark()?),
                _ => return None,
            }
        }
    }

    fn set(&mut self, key: &Item, value: Item) {
        if let (Item::Text(name), Item::Tensor(tensor)) = (key, value) {
            self.found.push((Rc::clone(name), tensor));
        }
    }

    fn keep(&mut self, place: u32) -> Option<()> {
        self.memory.insert(place, self.stack.last()?.clone());
        Some(())
    }

    fn recall(&mut self, place: u32) -> Option<()> {
        self.stack.push(self.memory.get(&place)?.clone());
        Some(())
    }

    fn since_mark(&mut self) -> Option<Vec<Item>> {
        let mark = self
            .stack
            .iter()
            .rposition(|item| matches!(item, Item::Mark))?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Some(items)
    }
}

impl<'a> Rest<'a> {
    fn take(&mut self, n_bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n_bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn text(&mut self, n_bytes: usize) -> Option<&'a str> {
        str::from_utf8(self.take(n_bytes)?).ok()
    }

    fn line(&mut self) -> Option<&'a str> {
        let end = self.0.iter().position(|byte| *byte == b'\n')?;
        let line = self.text(end)?;
        self.byte()?;
        Some(line)
    }
}

/// Makes a tuple, unless it is deeper than any of a tensor: dropping it would need as much stack.
fn tuple(items: Vec<Item>) -> Option<Item> {
    let depth = items.iter().map(|item| match item {
        Item::Tuple(_, depth) => *depth,
        _ => 0,
    });
    let depth = depth.max().unwrap_or(0) + 1;
    (depth <= MAX_DEPTH).then(|| Item::Tuple(items.into(), depth))
}

/// Reads what a tensor's numbers are called: `("storage", class, key, device, length)`.
fn storage(id: &Item) -> Option<Item> {
    let Item::Tuple(items, _) = id else {
        return None;
    };
    let [Item::Text(_), Item::Name(class), Item::Text(key), ..] = &**items else {
        return None;
    };
    let kind = match &**class {
        "torch.FloatStorage" => Dtype::F32,
        "torch.HalfStorage" => Dtype::F16,
        "torch.BFloat16Storage" => Dtype::BF16,
        // Other kinds are masks and counters, which no decoder here reads.
        _ => Dtype::U8,
    };
    let key = Rc::clone(key);
    Some(Item::Storage { key, kind })
}

/// Returns what a call makes: a tensor, or an empty dictionary.
fn called(name: &Item, arguments: &Item) -> Option<Item> {
    let (Item::Name(name), Item::Tuple(arguments, _)) = (name, arguments) else {
        return None;
    };
    match &**name {
        "collections.OrderedDict" => Some(Item::Other),
        "torch._utils._rebuild_parameter" => arguments.first().cloned(),
        "torch._utils._rebuild_tensor_v2" => {
            let [
                Item::Storage { key, kind },
                Item::Int(offset),
                Item::Tuple(shape, _),
                Item::Tuple(strides, _),
                ..,
            ] = &**arguments
            else {
                return None;
            };
            let (shape, strides) = (sizes(shape)?, sizes(strides)?);
            let is_wanted = matches!(kind, Dtype::F32 | Dtype::F16 | Dtype::BF16);
            if !is_wanted || !is_contiguous(&shape, &strides) {
                return Some(Item::Other);
            }
            Some(Item::Tensor(Rc::new(Tensor {
                key: Rc::clone(key),
                kind: *kind,
                offset: u64::try_from(*offset).ok()?,
                shape,
            })))
        }
        _ => None,
    }
}

fn sizes(items: &[Item]) -> Option<Vec<usize>> {
    let size = |item: &Item| match item {
        Item::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    items.iter().map(size).collect()
}

fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1_usize;
    let pairs = shape.iter().zip(strides).rev();
    shape.len() == strides.len()
        && pairs.into_iter().all(|(size, stride)| {
            let fits = *size <= 1 || *stride == expected;
            expected = expected.saturating_mul(*size);
            fits
        })
}

/// Reads a number of up to 8 bytes.
fn long(bytes: &[u8]) -> Option<i64> {
    let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut whole = [if is_negative { 0xff } else { 0 }; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::{Machine, long};

    #[test]
    fn programs_that_do_more_than_describe_tensors_are_refused() {
        let cases: [&[u8]; 6] = [
            b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
            b"",
            b"\x80\x02}",
            b"R.",
            b"\x80\x02cbuiltins\neval\n)\x81.",
            b"X\xff\xff\xff\xffabc.",
        ];
        for pickle in cases {
            assert!(Machine::default().run(pickle).is_none(), "{pickle:?}");
        }
        let deep = [b")".as_slice(), &vec![0x85; 100_000], b"."].concat();
        assert!(Machine::default().run(&deep).is_none());
        let empty = Machine::default().run(b"\x80\x02}q\x00.").unwrap();
        assert!(empty.is_empty());
    }

    #[test]
    fn long_numbers_have_a_sign() {
        assert_eq!(long(&[]), Some(0));
        assert_eq!(long(&[0xff]), Some(-1));
        assert_eq!(long(&[0, 1]), Some(256));
        assert_eq!(long(&[0; 9]), None);
    }
}
