//! How the XML of a label config is read.

mod limits;
mod problems;
mod tags;
mod vectors;
