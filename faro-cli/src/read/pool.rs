//! Makes batches ahead of the one who uses them, on a second thread, and on the user's own when it would otherwise wait.
//!
//! Each input is a lane of slots in order. Whoever has time takes the next work of the lanes that are wanted: read a chunk, or find
//! out what a chunk means. So two threads share the work evenly, whatever its parts cost, and one alone does all of it. An input that
//! may keep its reader waiting (a pipe) is read by a thread of its own.

use super::{Batch, Chunk, Input, Source};
use crate::failure::Failure;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many chunks of one lane exist at most.
const AHEAD: usize = 4;

enum Slot {
    Read(Chunk),
    /// Somebody is at it.
    Taken,
    Done(Batch),
}

enum Reader {
    Unopened,
    Idle(Box<Source>),
    /// Somebody is reading.
    Busy,
    Ended,
}

struct Lane {
    input: Input,
    reader: Reader,
    slots: VecDeque<Slot>,
    /// The number of the first slot.
    first: u64,
}

struct State {
    lanes: Vec<Lane>,
    /// The lanes to work for, the most urgent first.
    wanted: Vec<usize>,
    chunk: usize,
    failure: Option<Failure>,
    interrupted: bool,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    /// Something changed.
    changed: Condvar,
    read: Arc<AtomicU64>,
}

/// Tells everybody when a thread ends by a defect, so that nobody waits for it.
struct Watched<'a>(&'a Shared);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().failure.get_or_insert_with(|| Failure::failed("a thread that reads ended by a defect"));
            self.0.changed.notify_all();
        }
    }
}

/// Work that somebody has taken.
enum Work {
    Open(usize, Input),
    Read(usize, Box<Source>),
    Parse(usize, u64, Chunk),
}

/// What comes next in a lane.
pub(crate) enum Next {
    /// Values.
    Batch(Batch),
    /// No more.
    End,
    /// A signal asks to stop.
    Interrupted,
}

/// Inputs, and the threads that read them.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

/// Stops a pool from elsewhere.
#[derive(Clone)]
pub(crate) struct Stopper(Arc<Shared>);

impl Stopper {
    /// Lets the next wait end at once.
    pub(crate) fn stop(&self) {
        self.0.lock().interrupted = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No work is done under the lock that could leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Does some work and puts what came of it in its place.
    fn perform(&self, work: Work) {
        match work {
            Work::Open(lane, input) => {
                let chunk = self.lock().chunk;
                let opened = Source::open(&input, chunk, &self.read).map(Box::new);
                self.settle(lane, opened.map(|source| (source, None)));
            }
            Work::Read(lane, mut source) => {
                let read = source.next();
                self.settle(lane, read.map(|chunk| (source, Some(chunk))));
            }
            Work::Parse(lane, number, chunk) => {
                let batch = Batch::read(chunk);
                let mut state = self.lock();
                let lane = &mut state.lanes[lane];
                let place = number.checked_sub(lane.first).and_then(|at| usize::try_from(at).ok());
                if let Some(slot) = place.and_then(|at| lane.slots.get_mut(at)) {
                    *slot = Slot::Done(batch);
                }
            }
        }
        self.changed.notify_all();
    }

    fn settle(&self, lane: usize, result: std::io::Result<(Box<Source>, Option<Option<Chunk>>)>) {
        let mut state = self.lock();
        let at = &mut state.lanes[lane];
        match result {
            Ok((_, Some(None))) => at.reader = Reader::Ended,
            Ok((source, chunk)) => {
                at.slots.extend(chunk.flatten().map(Slot::Read));
                at.reader = Reader::Idle(source);
            }
            Err(error) => {
                at.reader = Reader::Ended;
                state.fail(lane, &error);
            }
        }
    }

    /// Works until the pool is closed.
    fn help(&self) {
        let _watched = Watched(self);
        loop {
            let mut state = self.lock();
            let work = loop {
                if state.closed {
                    return;
                }
                match state.find() {
                    Some(work) => break work,
                    None => state = self.wait(state),
                }
            };
            drop(state);
            self.perform(work);
        }
    }

    /// Reads a lane that may keep its reader waiting.
    fn pump(&self, lane: usize, input: &Input) {
        let _watched = Watched(self);
        let chunk = self.lock().chunk;
        let mut source = match Source::open(input, chunk.min(256 << 10), &self.read) {
            Ok(source) => source,
            Err(error) => {
                self.lock().fail(lane, &error);
                return self.changed.notify_all();
            }
        };
        loop {
            let mut state = self.lock();
            while state.lanes[lane].slots.len() >= AHEAD && !state.closed {
                state = self.wait(state);
            }
            if state.closed {
                return;
            }
            drop(state);
            let read = source.next();
            let mut state = self.lock();
            match read {
                Ok(Some(chunk)) => state.lanes[lane].slots.push_back(Slot::Read(chunk)),
                Ok(None) => {
                    state.lanes[lane].reader = Reader::Ended;
                    return self.changed.notify_all();
                }
                Err(error) => {
                    state.fail(lane, &error);
                    return self.changed.notify_all();
                }
            }
            drop(state);
            self.changed.notify_all();
        }
    }
}

impl State {
    /// The first failure is the one that is told.
    fn fail(&mut self, lane: usize, error: &std::io::Error) {
        let name = self.lanes[lane].input.name();
        self.failure.get_or_insert_with(|| Failure::io("cannot read", Path::new(&name), error));
    }

    /// Takes the most urgent work.
    fn find(&mut self) -> Option<Work> {
        for &index in &self.wanted {
            let lane = &mut self.lanes[index];
            for (number, slot) in (lane.first..).zip(&mut lane.slots) {
                if let Slot::Read(_) = slot
                    && let Slot::Read(chunk) = std::mem::replace(slot, Slot::Taken)
                {
                    return Some(Work::Parse(index, number, chunk));
                }
            }
            if lane.slots.len() < AHEAD {
                match std::mem::replace(&mut lane.reader, Reader::Busy) {
                    Reader::Idle(source) => return Some(Work::Read(index, source)),
                    Reader::Unopened => return Some(Work::Open(index, lane.input.clone())),
                    reader @ (Reader::Busy | Reader::Ended) => lane.reader = reader,
                }
            }
        }
        None
    }
}

impl Pool {
    /// Starts the threads; what is read is counted in `read`.
    pub(crate) fn new(inputs: &[Input], read: &Arc<AtomicU64>) -> std::io::Result<Self> {
        // Many open inputs share what one may use.
        let chunk = ((4 << 20) / inputs.len().max(1)).clamp(64 << 10, 512 << 10);
        let lanes = inputs.iter().map(|input| {
            let reader = if matches!(input, Input::File(_)) { Reader::Unopened } else { Reader::Busy };
            Lane { input: input.clone(), reader, slots: VecDeque::new(), first: 0 }
        });
        let state = State { lanes: lanes.collect(), wanted: Vec::new(), chunk, failure: None, interrupted: false, closed: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), read: Arc::clone(read) });
        for (lane, input) in inputs.iter().enumerate().filter(|(_, input)| !matches!(input, Input::File(_))) {
            let (shared, input) = (Arc::clone(&shared), input.clone());
            std::thread::Builder::new().name("reader".to_owned()).spawn(move || shared.pump(lane, &input))?;
        }
        // With one core a second thread would only take turns.
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("parser".to_owned()).spawn(move || shared.help())?;
        }
        Ok(Self { shared })
    }

    /// What stops this pool.
    pub(crate) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.shared))
    }

    /// Says which lanes to work for, the most urgent first.
    pub(crate) fn want(&self, lanes: impl IntoIterator<Item = usize>) {
        let mut state = self.shared.lock();
        state.wanted.clear();
        state.wanted.extend(lanes);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Returns the next values of a lane; `idle` is called before a wait for an input that has nothing at the moment.
    pub(crate) fn next(&self, lane: usize, mut idle: impl FnMut()) -> Result<Next, Failure> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        let mut told = false;
        loop {
            if state.interrupted {
                return Ok(Next::Interrupted);
            }
            if let Some(failure) = state.failure.take() {
                return Err(failure);
            }
            let at = &mut state.lanes[lane];
            let waits = at.slots.is_empty() && !matches!(at.input, Input::File(_));
            match at.slots.front_mut() {
                Some(Slot::Done(_) | Slot::Read(_)) => {
                    at.first += 1;
                    let slot = at.slots.pop_front();
                    drop(state);
                    shared.changed.notify_all();
                    return Ok(match slot {
                        Some(Slot::Done(batch)) => Next::Batch(batch),
                        Some(Slot::Read(chunk)) => Next::Batch(Batch::read(chunk)),
                        Some(Slot::Taken) | None => Next::End,
                    });
                }
                None if matches!(at.reader, Reader::Ended) => return Ok(Next::End),
                Some(Slot::Taken) | None => {}
            }
            if let Some(work) = state.find() {
                drop(state);
                shared.perform(work);
                state = shared.lock();
            } else if waits && !told {
                // What is known flows on before the wait.
                drop(state);
                told = true;
                idle();
                state = shared.lock();
            } else {
                state = shared.wait(state);
                told = false;
            }
        }
    }

    /// Forgets what was read of a file, so that it is opened anew when it is wanted next.
    pub(crate) fn close(&self, lane: usize) {
        let mut state = self.shared.lock();
        // A reader or parser that is at it would put its result into the new slots.
        while matches!(state.lanes[lane].reader, Reader::Busy) || state.lanes[lane].slots.iter().any(|slot| matches!(slot, Slot::Taken)) {
            state = self.shared.wait(state);
        }
        let lane = &mut state.lanes[lane];
        lane.slots.clear();
        lane.reader = Reader::Unopened;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}
