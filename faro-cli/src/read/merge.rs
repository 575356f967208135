//! Brings the values of several inputs into one order: those without a moment of delivery first, in the order given, then by that
//! moment. Within an input the order stays as it is.

use super::{Batch, Input, Next, Parsed, Pool};
use crate::failure::Failure;
use faro_core::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::{Entry, HashMap};
use std::ops::ControlFlow;

/// Inputs beyond this many wait closed until their time comes.
const OPEN: usize = 16;

/// Inputs that are read ahead of the one at hand.
const NEXT: usize = 4;

/// What is done with the values.
pub(crate) trait Receiver {
    /// Takes a value of the input of that number.
    fn value(&mut self, input: usize, value: Parsed<'_>);
    /// Takes several values of the input of that number, the same as one after another.
    fn values(&mut self, input: usize, values: &mut dyn Iterator<Item = Parsed<'_>>) {
        values.for_each(|value| self.value(input, value));
    }
    /// Some values were taken: a moment for what need not happen at each. Tells whether to go on.
    fn pause(&mut self) -> ControlFlow<()>;
    /// Nothing is there at the moment.
    fn idle(&mut self);
}

/// The inputs on their way into one order.
pub(crate) struct Merge<'p> {
    pool: &'p Pool,
    lanes: usize,
    /// The batch at hand of each lane that has begun.
    batches: HashMap<usize, Batch>,
}

enum Head {
    Untimed,
    Timed(Nanos),
    End,
}

/// Ends a merge early.
enum Stop {
    /// Asked for, by a signal or the receiver.
    Asked,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<'p> Merge<'p> {
    /// Hands every value to `receiver`, until the inputs end or somebody asks to stop.
    pub(crate) fn run(pool: &'p Pool, inputs: &[Input], receiver: &mut impl Receiver) -> Result<(), Failure> {
        let mut merge = Self { pool, lanes: inputs.len(), batches: HashMap::new() };
        match merge.all(inputs, receiver) {
            Ok(()) | Err(Stop::Asked) => Ok(()),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }

    fn all(&mut self, inputs: &[Input], receiver: &mut impl Receiver) -> Result<(), Stop> {
        if let [_] = inputs {
            self.pool.want([0]);
            return self.rest(0, receiver);
        }
        let mut heap = BinaryHeap::new();
        let mut asleep = vec![false; self.lanes];
        for lane in 0..self.lanes {
            self.pool.want(lane..self.lanes.min(lane + NEXT));
            let mut begun = false;
            let Some(time) = self.untimed(lane, &mut begun, receiver)? else { continue };
            heap.push(Reverse((time, lane)));
            // Nothing of it was handed over: it can be read again.
            if heap.len() > OPEN && matches!(inputs[lane], Input::File(_)) && !begun {
                self.batches.remove(&lane);
                self.pool.close(lane);
                asleep[lane] = true;
            }
        }
        self.merge(heap, &mut asleep, receiver)
    }

    fn merge(
        &mut self,
        mut heap: BinaryHeap<Reverse<(Nanos, usize)>>,
        asleep: &mut [bool],
        receiver: &mut impl Receiver,
    ) -> Result<(), Stop> {
        let mut active = usize::MAX;
        while let Some(Reverse((_, lane))) = heap.pop() {
            if heap.is_empty() {
                self.pool.want([lane]);
                return self.rest(lane, receiver);
            }
            if lane != active {
                // The lane at hand, and those whose turn comes soon.
                asleep[lane] = false;
                active = lane;
                self.pool.want(std::iter::once(lane).chain(heap.iter().map(|Reverse((_, lane))| *lane).filter(|&lane| !asleep[lane])));
            }
            let limit = heap.peek().map(|Reverse(next)| *next);
            loop {
                match self.head(lane, receiver)? {
                    Head::End => {
                        self.batches.remove(&lane);
                        break;
                    }
                    Head::Timed(time) if limit.is_some_and(|limit| (time, lane) > limit) => {
                        heap.push(Reverse((time, lane)));
                        break;
                    }
                    Head::Timed(_) | Head::Untimed => self.one(lane, receiver),
                }
            }
        }
        Ok(())
    }

    /// Hands over all that comes before the lane's first moment, and returns that.
    fn untimed(&mut self, lane: usize, begun: &mut bool, receiver: &mut impl Receiver) -> Result<Option<Nanos>, Stop> {
        loop {
            match self.head(lane, receiver)? {
                Head::Untimed => {
                    *begun = true;
                    self.one(lane, receiver);
                }
                Head::Timed(time) => return Ok(Some(time)),
                Head::End => {
                    self.batches.remove(&lane);
                    return Ok(None);
                }
            }
        }
    }

    fn one(&mut self, lane: usize, receiver: &mut impl Receiver) {
        if let Some(batch) = self.batches.get_mut(&lane) {
            batch.one(|value| receiver.value(lane, value));
        }
    }

    /// Looks at the lane's next value.
    fn head(&mut self, lane: usize, receiver: &mut impl Receiver) -> Result<Head, Stop> {
        loop {
            if let Entry::Occupied(batch) = self.batches.entry(lane) {
                match batch.get().head() {
                    Some(Some(time)) => return Ok(Head::Timed(time)),
                    Some(None) => return Ok(Head::Untimed),
                    None => batch.remove(),
                };
                pause(receiver)?;
            }
            match self.pool.next(lane, || receiver.idle())? {
                Next::Batch(batch) => {
                    self.batches.insert(lane, batch);
                }
                Next::End => return Ok(Head::End),
                Next::Interrupted => return Err(Stop::Asked),
            }
        }
    }

    /// Hands over all that is left of a lane.
    fn rest(&mut self, lane: usize, receiver: &mut impl Receiver) -> Result<(), Stop> {
        let mut at_hand = self.batches.remove(&lane);
        loop {
            if let Some(mut batch) = at_hand.take() {
                batch.all(|values| receiver.values(lane, values));
                pause(receiver)?;
            }
            at_hand = match self.pool.next(lane, || receiver.idle())? {
                Next::Batch(batch) => Some(batch),
                Next::End => return Ok(()),
                Next::Interrupted => return Err(Stop::Asked),
            };
        }
    }
}

fn pause(receiver: &mut impl Receiver) -> Result<(), Stop> {
    match receiver.pause() {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Stop::Asked),
    }
}
