//! A chunk together with what its values mean: the meaning borrows the bytes, so both travel as one.

use super::source::Chunk;
use faro_core::Nanos;
use faro_core::input::{self, Body, Cause, Frame, Framer, Frames, Holder, Item, Malformed};

/// One value of the input, read.
pub(crate) type Parsed<'a> = Result<Item<'a>, Malformed>;

type Values<'a> = std::vec::IntoIter<Parsed<'a>>;

self_cell::self_cell!(
    struct Owned {
        owner: Frames,
        #[covariant]
        dependent: Values,
    }
);

/// The values of a chunk, in order.
pub(crate) struct Batch(Owned);

impl Batch {
    /// Reads every value of a chunk.
    pub(crate) fn read(chunk: Chunk) -> Self {
        let frames = if chunk.yaml { input::to_json(&chunk.frames) } else { chunk.frames };
        Self(Owned::new(frames, |frames| {
            let mut values = Vec::with_capacity(frames.frames.len());
            // One look at all bytes is cheaper than one at each value.
            let whole = std::str::from_utf8(&frames.bytes).ok();
            for frame in &frames.frames {
                match frame {
                    Ok(frame) => value(&frames.bytes, whole, frame, &mut values, 0),
                    Err(malformed) => values.push(Err(malformed.clone())),
                }
            }
            values.into_iter()
        }))
    }

    /// The time of the next value, when it has one; `None` at the end.
    pub(crate) fn head(&self) -> Option<Option<Nanos>> {
        let head = self.0.borrow_dependent().as_slice().first()?;
        Some(head.as_ref().ok().filter(|item| item.timed).and_then(|item| item.observed))
    }

    /// Hands over the next value.
    pub(crate) fn one<T>(&mut self, each: impl FnOnce(Parsed<'_>) -> T) -> Option<T> {
        self.0.with_dependent_mut(|_, values| values.next().map(each))
    }

    /// Hands over all values that are left.
    pub(crate) fn all(&mut self, take: impl FnOnce(&mut dyn Iterator<Item = Parsed<'_>>)) {
        self.0.with_dependent_mut(|_, values| take(values));
    }
}

/// How many lists may lie within one another.
const DEPTH: u8 = 16;

fn value<'a>(bytes: &'a [u8], whole: Option<&'a str>, frame: &Frame, values: &mut Vec<Parsed<'a>>, depth: u8) {
    let read = |text: &'a str| match frame.holder {
        Holder::Nothing | Holder::List => input::read(text),
        Holder::EventList => input::read_event(text),
    };
    let text = match whole {
        Some(whole) => Ok(&whole[frame.start..frame.end]),
        None => input::utf8(&bytes[frame.start..frame.end]),
    };
    match text.and_then(|text| read(text).map(|item| (text, item))) {
        Ok((_, Item { body: Body::List(list), .. })) if list.items().is_err() => {
            values.extend(list.items().err().map(|malformed| Err(frame.locate(malformed))));
        }
        Ok((text, Item { body: Body::List(_), .. })) if depth < DEPTH => items(bytes, text, frame, values, depth + 1),
        Ok((_, Item { body: Body::List(_), .. })) => {
            values.push(Err(frame.locate(Malformed::new(Cause::TooDeep, "lists within lists"))));
        }
        Ok((_, item)) => values.push(Ok(item)),
        Err(malformed) => values.push(Err(frame.locate(malformed))),
    }
}

/// Cuts a `List` that came as one value into its items, so that each has its place.
fn items<'a>(bytes: &'a [u8], list: &'a str, frame: &Frame, values: &mut Vec<Parsed<'a>>, depth: u8) {
    let mut framer = Framer::new(list.len());
    framer.fill(|buffer| buffer.extend_from_slice(list.as_bytes()));
    framer.finish();
    for item in framer.take().frames {
        let placed =
            |line: usize, column: usize| if line == 1 { (frame.line, frame.column + column - 1) } else { (frame.line + line - 1, column) };
        match item {
            Ok(item) => {
                let (line, column) = placed(item.line, item.column);
                let holder = if item.holder == Holder::Nothing { Holder::List } else { item.holder };
                let item = Frame { start: frame.start + item.start, end: frame.start + item.end, line, column, holder };
                value(bytes, None, &item, values, depth);
            }
            Err(malformed) => values.push(Err(frame.locate(malformed))),
        }
    }
}
