//! Types of the elements of a tensor.

use std::fmt;

/// Type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point: fed from and given back as 32-bit.
    F16,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
    /// True or false.
    Bool,
    /// Byte.
    U8,
    /// Any other type, which can be neither fed nor read.
    Other,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::Other => "other",
        })
    }
}
