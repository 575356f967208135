//! The shell around the machines: connections, a clock, and one bounded stream of lines.

mod access;
mod driver;
mod supervisor;

use crate::checkpoint::{Progress, WatchProgress};
use crate::connect::{Cluster, ConnectError};
use crate::feed::{Feed, Stamps};
use crate::health::Health;
use crate::selection::{PlanError, Selection};
use chrono::{DateTime, Utc};
use driver::Command;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use supervisor::{Supervisor, Wanted};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// How many lines may wait for the reader, at most.
const LINES: usize = 4096;

/// How many pages of lists are held in memory at once, for each cluster.
const PAGES: usize = 2;

/// Why watching does not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no client for a cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server did not say what it has.
    #[error("{}cannot discover what the API server{} has (GET {path}): {message}", of(cluster), at(server))]
    Discover {
        /// The cluster's name; empty when there is none.
        cluster: String,
        /// The server's address; empty when it is not known.
        server: String,
        /// What was asked for.
        path: String,
        /// What happened.
        message: String,
    },
    /// Selections that cannot be watched.
    #[error("{}{source}", of(cluster))]
    Plan {
        /// The cluster's name; empty when there is none.
        cluster: String,
        /// What is wrong with them.
        source: PlanError,
    },
}

fn of(cluster: &str) -> String {
    if cluster.is_empty() { String::new() } else { format!("cluster `{cluster}`: ") }
}

fn at(server: &str) -> String {
    if server.is_empty() { String::new() } else { format!(" at {server}") }
}

/// The shell's clock.
pub(crate) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What to watch, and how; see [`Watcher::builder`].
#[derive(Clone)]
pub struct WatcherBuilder {
    clusters: Vec<(Cluster, Vec<Selection>)>,
    clock: Clock,
    seed: u64,
    buffer: NonZeroUsize,
    resume: Progress,
}

impl std::fmt::Debug for WatcherBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WatcherBuilder").field("clusters", &self.clusters).field("buffer", &self.buffer).finish_non_exhaustive()
    }
}

impl WatcherBuilder {
    /// Adds a cluster and what to watch there.
    #[must_use]
    pub fn cluster(mut self, cluster: Cluster, selections: impl IntoIterator<Item = Selection>) -> Self {
        self.clusters.push((cluster, selections.into_iter().collect()));
        self
    }

    /// Sets the clock of `receivedAt`; the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the seed of the jitter between requests; taken from the clock.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many bytes of lines may wait for the reader; 4 MiB. A larger line waits alone.
    #[must_use]
    pub const fn buffer(mut self, bytes: NonZeroUsize) -> Self {
        self.buffer = bytes;
        self
    }

    /// Goes on from where an earlier run was; from the beginning. Watches that it does not name begin with their list.
    #[must_use]
    pub fn resume(mut self, progress: Progress) -> Self {
        self.resume = progress;
        self
    }

    /// Connects, discovers, and begins to watch. Every first list is announced before the first object comes.
    ///
    /// # Errors
    ///
    /// A cluster cannot be reached or does not let us in, or selections cannot be watched there. A collection that the server does
    /// not have is no error: it may come (see [`Health::missing`]); nor is one that may not be read.
    pub async fn start(self) -> Result<Watcher, StartError> {
        let (sender, receiver) = mpsc::channel(LINES);
        let capacity = self.buffer.get().div_ceil(1024);
        let buffer = Arc::new(Semaphore::new(capacity.min(Semaphore::MAX_PERMITS)));
        let health = Health::new(Arc::clone(&buffer), capacity);
        let drivers = Drivers::default();
        let stop = CancellationToken::new();
        let mut supervisors = Vec::new();
        for (index, (cluster, selections)) in self.clusters.into_iter().enumerate() {
            let seed = self.seed.wrapping_add(index as u64);
            let wanted = Wanted { selections, resume: self.resume.clone(), seed, clock: Arc::clone(&self.clock) };
            let line = Line { sender: sender.clone(), buffer: Arc::clone(&buffer), capacity };
            supervisors.push(Supervisor::begin(cluster, wanted, line, health.clone(), drivers.clone(), stop.clone()).await?);
        }
        let mut queue = VecDeque::new();
        // Every list is announced before any driver runs.
        for supervisor in &mut supervisors {
            queue.extend(supervisor.announce());
        }
        for supervisor in supervisors {
            supervisor.run();
        }
        Ok(Watcher {
            queue,
            receiver,
            stamps: Stamps::new(self.clock),
            health,
            drivers,
            stop,
            awaited: BTreeSet::new(),
            gathered: BTreeMap::new(),
            mark: Mark::None,
        })
    }
}

/// The way from a driver to the reader.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    sender: mpsc::Sender<Message>,
    buffer: Arc<Semaphore>,
    capacity: usize,
}

/// The reader is gone.
#[derive(Clone, Copy, Debug)]
struct Closed;

impl Line {
    /// Sends a line when the reader has room for it.
    async fn send(&self, line: String) -> Result<(), Closed> {
        let size = u32::try_from((line.len() / 1024 + 1).min(self.capacity)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.buffer).acquire_many_owned(size).await.map_err(|_| Closed)?;
        let feed = Feed { line, received_at: faro_core::Nanos(0), permit: Some(permit) };
        self.sender.send(Message::Feed(feed)).await.map_err(|_| Closed)
    }

    async fn mark(&self, driver: u64, progress: WatchProgress) -> Result<(), Closed> {
        self.sender.send(Message::Mark { driver, progress }).await.map_err(|_| Closed)
    }
}

#[derive(Debug)]
enum Message {
    Feed(Feed),
    Mark { driver: u64, progress: WatchProgress },
}

/// The drivers that run, so that they can be told something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drivers(Arc<Mutex<BTreeMap<u64, mpsc::UnboundedSender<Command>>>>);

impl Drivers {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<u64, mpsc::UnboundedSender<Command>>) -> T) -> T {
        // What is behind the lock is valid at any moment.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, commands: mpsc::UnboundedSender<Command>) -> u64 {
        self.with(|drivers| {
            let id = drivers.last_key_value().map_or(0, |(id, _)| id + 1);
            drivers.insert(id, commands);
            id
        })
    }

    fn remove(&self, id: u64) {
        self.with(|drivers| drivers.remove(&id));
    }

    fn tell(&self, id: u64, command: Command) {
        self.with(|drivers| drivers.get(&id).map(|driver| driver.send(command)));
    }

    /// Tells all of them, and returns which they are.
    fn tell_all(&self, command: Command) -> BTreeSet<u64> {
        self.with(|drivers| drivers.iter().filter(|(_, driver)| driver.send(command).is_ok()).map(|(id, _)| *id).collect())
    }
}

/// What a watcher hands out.
#[derive(Debug)]
pub enum Output {
    /// A line for the engine.
    Feed(Feed),
    /// Where the watches stand: everything handed out before is covered by it, nothing after. Once that is delivered, it may be
    /// stored.
    Progress(Progress),
}

/// Whether a mark was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    None,
    Asked,
    /// The last one, of watches that have ended, was handed out.
    Last,
}

/// Watches clusters and hands out what happens there, line by line.
///
/// # Order
///
/// Lines about one object come in the API's order. The first lists of all watches are announced before the first object, so that an
/// engine takes them for one list.
///
/// # Memory
///
/// What is known of objects ([`crate::known::Known`]), at most 4,096 lines and the bytes of [`WatcherBuilder::buffer`] that wait
/// for the reader, and up to 2 pages of 500 objects for each cluster while it lists. A reader that stops reading stops the connections.
///
/// # Example
///
/// ```no_run
/// use faro_watch::{Cluster, Output, Selection, Watcher};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = Cluster::find(None, None)?;
/// let mut watcher = Watcher::builder().cluster(cluster, [Selection::new("v1/events"), Selection::new("v1/pods")]).start().await?;
/// while let Some(output) = watcher.next().await {
///     if let Output::Feed(feed) = output {
///         println!("{}", feed.line());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Watcher {
    queue: VecDeque<Feed>,
    receiver: mpsc::Receiver<Message>,
    stamps: Stamps,
    health: Health,
    drivers: Drivers,
    stop: CancellationToken,
    awaited: BTreeSet<u64>,
    gathered: BTreeMap<(String, String), WatchProgress>,
    mark: Mark,
}

impl Watcher {
    /// Begins to say what to watch.
    #[must_use]
    pub fn builder() -> WatcherBuilder {
        let clock: Clock = Arc::new(|| SystemTime::now().into());
        let seed = clock().timestamp_nanos_opt().unwrap_or_default().unsigned_abs();
        let buffer = const { NonZeroUsize::new(4 * 1024 * 1024).expect("not zero") };
        WatcherBuilder { clusters: Vec::new(), clock, seed, buffer, resume: Progress::default() }
    }

    /// Returns the next line, or where the watches stand when that was asked for; `None` once they have ended. Dropping the future
    /// loses nothing.
    pub async fn next(&mut self) -> Option<Output> {
        loop {
            if let Some(feed) = self.queue.pop_front() {
                return Some(Output::Feed(self.stamped(feed)));
            }
            if self.mark == Mark::Asked && self.awaited.is_empty() {
                self.mark = Mark::None;
                return Some(Output::Progress(self.progress()));
            }
            match self.receiver.recv().await {
                Some(Message::Feed(feed)) => return Some(Output::Feed(self.stamped(feed))),
                Some(Message::Mark { driver, progress }) => {
                    self.awaited.remove(&driver);
                    // A collection that went and came again has one place.
                    self.gathered.insert((progress.cluster.clone(), progress.watch.clone()), progress);
                }
                None if self.mark == Mark::Last => return None,
                // What ended told where it stood.
                None => {
                    self.mark = Mark::Last;
                    return Some(Output::Progress(self.progress()));
                }
            }
        }
    }

    /// Asks where the watches stand; [`Watcher::next`] hands it out. Asking again before that changes nothing.
    pub fn mark(&mut self) {
        if self.mark == Mark::None {
            self.mark = Mark::Asked;
            self.awaited = self.drivers.tell_all(Command::Mark);
        }
    }

    /// Returns a look at how the watches are doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Returns what ends the watches when it is cancelled. What had been received is still handed out, then where the watches
    /// stand, then `None`.
    #[must_use]
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    fn stamped(&mut self, mut feed: Feed) -> Feed {
        self.stamps.stamp(&mut feed);
        // It is the reader's from here on.
        feed.permit = None;
        feed
    }

    fn progress(&self) -> Progress {
        Progress { watches: self.gathered.values().cloned().collect() }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
