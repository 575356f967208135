//! A live run: what the watches hand out, through the engine, in the order of time.

use super::clock;
use super::monitor::{Monitor, Step};
use super::recording::{self, Recording};
use super::standby;
use super::store::{self, Checkpoints};
use super::wanted::Wanted;
use crate::failure::Failure;
use crate::notice;
use crate::output::Output;
use faro_core::input::{self, Cause, Malformed};
use faro_core::{EngineConfig, Nanos, Replay};
use faro_watch::checkpoint::{Checkpoint, Progress};
use faro_watch::{Cluster, Feed, Health, Standing, Watcher};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// How many lines go through the engine before what it printed is written.
const BATCH: usize = 256;

/// The shortest time between two checkpoints. One that took long is followed by a longer pause: twenty times as long.
const CHECKPOINTS: Duration = Duration::from_secs(1);

/// How soon the first one comes: a run that is killed again and again before a second is over would else repeat what all of them
/// printed.
const FIRST_CHECKPOINT: Duration = Duration::from_millis(100);

/// How often a person is told what is wrong with the watches.
const LOOKS: Duration = Duration::from_secs(1);

/// What is run.
pub(crate) struct Job {
    pub(crate) config: EngineConfig,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) wanted: Wanted,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) once: bool,
    pub(crate) duration: Option<Nanos>,
    /// The first signal; the second ends the process wherever it is.
    pub(crate) asked: Arc<Notify>,
    pub(crate) monitor: Arc<Monitor>,
    /// The Lease by which this process leads.
    pub(crate) lease: Option<Lease>,
}

/// Which Lease, and how we stand.
pub(crate) type Lease = (String, watch::Receiver<Standing>);

/// The run.
pub(crate) struct Live {
    watcher: Watcher,
    health: Health,
    replay: Replay,
    output: Output<Box<dyn Write>>,
    recording: Option<Recording>,
    checkpoints: Option<Checkpoints>,
    /// The first signal; the second ends the process wherever it is.
    asked: Arc<Notify>,
    monitor: Arc<Monitor>,
    lease: Option<Lease>,
    once: bool,
    listed: bool,
    ends: Option<Instant>,
    /// The causes of which an example was given.
    told: BTreeSet<Cause>,
    complaints: BTreeSet<String>,
    /// Why the last checkpoint could not be stored.
    unstored: Option<String>,
    last: Nanos,
    stopping: bool,
    /// Where the watches stood in the end.
    progress: Option<Progress>,
}

/// Why the loop goes round.
enum Turn {
    Due,
    Handed(Option<faro_watch::Output>),
    Checkpoint,
    Look,
    End,
    Standing,
    Signal,
}

impl Live {
    /// Connects, and goes on where an earlier run stopped.
    pub(crate) async fn begin(job: Job, output: Output<Box<dyn Write>>, recording: Option<Recording>) -> Result<Self, Failure> {
        let Job { config, clusters, mut wanted, checkpoint, once, duration, asked, monitor, lease } = job;
        let mut checkpoints = match &checkpoint {
            Some(place) => Some(Checkpoints::open(place, &clusters).await?),
            None => None,
        };
        let (progress, replay) = match &mut checkpoints {
            Some(checkpoints) => checkpoints.resume(config).await?,
            None => (Progress::default(), Replay::new(config, None)),
        };
        let watcher = loop {
            let mut builder = Watcher::builder().resume(progress.clone());
            for cluster in &clusters {
                builder = builder.cluster(cluster.clone(), wanted.selections());
            }
            match builder.start().await {
                Ok(watcher) => break watcher,
                Err(error) if wanted.widen(&error) => {}
                Err(error) => return Err(wanted.refused(&error)),
            }
        };
        monitor.watches(watcher.health());
        let ends = duration.map(|span| Instant::now() + Duration::from_nanos(u64::try_from(span.0).unwrap_or(0)));
        Ok(Self {
            health: watcher.health(),
            watcher,
            replay,
            output,
            recording,
            checkpoints,
            asked,
            monitor,
            lease,
            once,
            listed: false,
            ends,
            told: BTreeSet::new(),
            complaints: BTreeSet::new(),
            unstored: None,
            last: Nanos(i64::MIN),
            stopping: false,
            progress: None,
        })
    }

    /// Runs until it is stopped, and ends in order.
    pub(crate) async fn run(mut self) -> Result<(), Failure> {
        if self.recording.is_some() {
            self.mark_beginning(clock::now())?;
        }
        let stopper = self.watcher.stopper();
        let mut next_checkpoint = Instant::now() + FIRST_CHECKPOINT;
        let mut next_look = Instant::now() + LOOKS;
        loop {
            self.monitor.enters(Step::Waits);
            let turn = self.turn(next_checkpoint, next_look).await;
            self.monitor.enters(Step::Works);
            match turn {
                Turn::Due => {
                    self.settle();
                    self.deliver()?;
                }
                Turn::Handed(None) => break,
                Turn::Handed(Some(handed)) => {
                    if let Some(took) = self.take_all(handed).await? {
                        next_checkpoint = Instant::now() + CHECKPOINTS.max(took * 20);
                    }
                    if self.once && self.listed && !self.replay.engine().is_listing() {
                        (self.stopping, self.once) = (true, false);
                        stopper.cancel();
                    }
                }
                Turn::Checkpoint => {
                    self.watcher.mark();
                    // Until it has come.
                    next_checkpoint = Instant::now() + Duration::from_secs(3_600);
                }
                Turn::Look => {
                    self.complain();
                    next_look = Instant::now() + LOOKS;
                }
                Turn::End => {
                    (self.stopping, self.ends) = (true, None);
                    stopper.cancel();
                }
                Turn::Standing => {
                    if self.loss().is_some() {
                        self.stopping = true;
                        stopper.cancel();
                    }
                }
                Turn::Signal => {
                    self.stopping = true;
                    stopper.cancel();
                }
            }
            if self.output.failed() {
                break;
            }
        }
        self.finish().await
    }

    async fn turn(&mut self, next_checkpoint: Instant, next_look: Instant) -> Turn {
        let due = self.replay.engine().next_deadline().map(|due| clock::until(due.into()));
        let (ends, stopping) = (self.ends, self.stopping);
        let standing = &mut self.lease;
        tokio::select! {
            // What is due happens before newer lines; a signal is not kept waiting by either.
            biased;
            () = self.asked.notified() => Turn::Signal,
            true = changed(standing), if !stopping => Turn::Standing,
            () = sleep(due.unwrap_or_default()), if due.is_some() => Turn::Due,
            () = sleep_until(ends.unwrap_or(next_look)), if ends.is_some() && !stopping => Turn::End,
            () = sleep_until(next_checkpoint), if self.checkpoints.is_some() && !stopping => Turn::Checkpoint,
            () = sleep_until(next_look), if !stopping => Turn::Look,
            handed = self.watcher.next() => Turn::Handed(handed),
        }
    }

    /// Takes what was handed out, and what else is there already; tells how long it took to store a checkpoint, if one was.
    async fn take_all(&mut self, first: faro_watch::Output) -> Result<Option<Duration>, Failure> {
        let (mut handed, mut stored) = (Some(first), None);
        for _ in 0..BATCH {
            match handed {
                None => break,
                Some(faro_watch::Output::Feed(feed)) => self.feed(&feed)?,
                Some(faro_watch::Output::Progress(progress)) => stored = self.stand(progress).await?.or(stored),
            }
            handed = tokio::select! {
                biased;
                handed = self.watcher.next() => handed,
                () = std::future::ready(()) => None,
            };
            if self.replay.engine().next_deadline().is_some_and(|due| clock::until(due.into()).is_zero()) {
                self.settle();
            }
        }
        if let Some(handed) = handed {
            match handed {
                faro_watch::Output::Feed(feed) => self.feed(&feed)?,
                faro_watch::Output::Progress(progress) => stored = self.stand(progress).await?.or(stored),
            }
        }
        self.deliver()?;
        Ok(stored)
    }

    /// Does what is due, each thing at its own time.
    fn settle(&mut self) {
        let now = clock::now();
        while let Some(due) = self.replay.engine().next_deadline().map(Nanos::from).filter(|due| *due <= now) {
            self.replay.tick(due, &mut self.output);
        }
    }

    /// Takes one line: into the recording, then through the engine, both the same text.
    fn feed(&mut self, feed: &Feed) -> Result<(), Failure> {
        let now = Nanos::from(feed.received_at());
        let line = if self.recording.is_some() { faro_watch::strip(feed.line()) } else { Cow::Borrowed(feed.line()) };
        if let Some(recording) = &mut self.recording
            && recording.rotate(line.len(), now)?
        {
            self.mark_beginning(now)?;
        }
        self.take_line(&line)?;
        self.last = now;
        self.listed |= self.replay.engine().is_listing();
        Ok(())
    }

    fn take_line(&mut self, line: &str) -> Result<(), Failure> {
        if let Some(recording) = &mut self.recording {
            recording.write(line)?;
        }
        match input::read(line) {
            Ok(item) => self.replay.feed(item, &mut self.output),
            Err(malformed) => self.malformed(&malformed),
        }
        Ok(())
    }

    fn mark_beginning(&mut self, now: Nanos) -> Result<(), Failure> {
        let line = recording::beginning(now, &self.replay.engine().snapshot())?;
        self.take_line(&line)
    }

    fn malformed(&mut self, malformed: &Malformed) {
        self.replay.malformed(malformed);
        self.monitor.counts.malformed(malformed.cause);
        if self.told.insert(malformed.cause) {
            notice::warn(&format!("a line of a watch cannot be understood: {malformed}"));
        }
    }

    /// Writes what was printed and recorded.
    fn deliver(&mut self) -> Result<(), Failure> {
        self.output.flush();
        self.recording.as_mut().map_or(Ok(()), Recording::flush)
    }

    /// Notes where the watches stand; in the end that is stored after everything was printed. Tells how long it took to store it.
    async fn stand(&mut self, progress: Progress) -> Result<Option<Duration>, Failure> {
        if self.stopping {
            self.progress = Some(progress);
            return Ok(None);
        }
        self.store(progress).await.map(Some)
    }

    /// Why the Lease by which this process led is no longer its own.
    fn loss(&self) -> Option<Failure> {
        let (place, standing) = self.lease.as_ref()?;
        if let Standing::Lost(why) = &*standing.borrow() { Some(standby::lost(place, why)) } else { None }
    }

    /// Stores where the watches stand, once everything before it is delivered. Tells how long that took, without the reader's time: a
    /// slow one makes no checkpoint rarer.
    async fn store(&mut self, progress: Progress) -> Result<Duration, Failure> {
        self.deliver()?;
        // Who leads now stores its own, and knows more.
        if self.output.failed() || self.loss().is_some() {
            return Ok(Duration::ZERO);
        }
        let Some(checkpoints) = &mut self.checkpoints else { return Ok(Duration::ZERO) };
        let begun = Instant::now();
        self.output.sync();
        if let Some(recording) = &mut self.recording {
            recording.sync()?;
        }
        let snapshot = serde_json::value::to_raw_value(&self.replay.engine().snapshot());
        let engine = snapshot.map_err(|error| Failure::failed(format!("cannot write a snapshot: {error}")))?;
        let saved = checkpoints.save(Checkpoint { progress, engine: Some(engine) }).await;
        match saved {
            Ok(()) => self.monitor.checkpoints.stored(begun.elapsed()),
            Err(error) => {
                self.monitor.checkpoints.failed();
                // A server that does not answer will; until then the last checkpoint stands.
                if self.stopping || !store::passes(&error) {
                    return Err(Failure::failed(error));
                }
                let said = error.to_string();
                if self.unstored.as_ref() != Some(&said) {
                    notice::warn(&said);
                }
                self.unstored = Some(said);
                return Ok(begun.elapsed());
            }
        }
        if self.unstored.take().is_some() {
            notice::warn("checkpoints are stored again");
        }
        Ok(begun.elapsed())
    }

    /// Tells once what is wrong with a watch, and that it is well again.
    fn complain(&mut self) {
        let watches = self.health.watches();
        let said: BTreeSet<String> = watches
            .iter()
            // Listing is no trouble.
            .filter(|watch| !watch.status.reason.is_empty())
            .filter_map(faro_watch::WatchHealth::complaint)
            .chain(self.health.missing().into_iter().map(|absent| {
                let cluster = if absent.cluster.is_empty() { String::new() } else { format!("cluster `{}`: ", absent.cluster) };
                format!("{cluster}{}: {}", absent.gvr, absent.reason)
            }))
            .collect();
        said.difference(&self.complaints).for_each(|complaint| notice::warn(complaint));
        if said.is_empty() && !self.complaints.is_empty() {
            notice::warn("all watches are well again");
        }
        self.complaints = said;
    }

    /// Ends the run: what was due has happened, what changed is printed, and the summary is the last line.
    async fn finish(mut self) -> Result<(), Failure> {
        let now = clock::now().max(self.last.plus(1));
        if self.recording.is_some() {
            self.take_line(&recording::end(now)?)?;
        } else {
            self.replay.tick(now, &mut self.output);
        }
        let summary = self.replay.finish(&mut self.output);
        self.deliver()?;
        match self.progress.take() {
            Some(progress) => drop(self.store(progress).await?),
            None => self.recording.as_mut().map_or(Ok(()), Recording::sync)?,
        }
        notice::info(&format!(
            "{} records, {} occurrences, {} groups",
            summary.records.total, summary.occurrences.total, summary.groups.total
        ));
        let lost = self.loss();
        self.output.finish()?;
        lost.map_or(Ok(()), Err)
    }
}

/// Waits until we stand differently by our Lease. Without one there is nothing to wait for.
async fn changed(lease: &mut Option<Lease>) -> bool {
    match lease {
        // Who renews it has the last word before it goes.
        Some((_, standing)) => standing.changed().await.is_ok(),
        None => false,
    }
}
