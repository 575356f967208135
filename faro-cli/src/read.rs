//! Reads recordings: files, directories and standard input, plain or compressed, JSON or YAML, of any size in bounded memory.
//!
//! A [`Source`] turns one input into chunks of whole values, a [`Batch`] is a chunk with what it means, the [`Pool`] makes batches
//! on a second thread while the main thread uses them, and [`Merge`] brings the values of all inputs in order.

mod batch;
mod compression;
mod files;
mod merge;
mod pool;
mod source;

pub(crate) use batch::{Batch, Parsed};
pub(crate) use files::{Input, expand};
pub(crate) use merge::{Merge, Receiver};
pub(crate) use pool::{Next, Pool};
pub(crate) use source::{Chunk, Source};

#[cfg(test)]
mod tests;
