//! One machine, its requests, and the way of its lines to the reader.

use super::access::Access;
use super::{Closed, Drivers, Line};
use crate::checkpoint::WatchProgress;
use crate::feed::Composer;
use crate::health::Health;
use crate::machine::{Action, Failure, Input, Machine, Status, Ticket};
use crate::request::{self, Answer, Ask};
use crate::selection::Target;
use bytes::Bytes;
use faro_core::Nanos;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest line: etcd takes 1.5 MiB a request by default, and JSON is larger than what is stored.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// What a driver is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    /// Say where you stand.
    Mark,
    /// The collection is gone.
    Vanish,
}

/// What the machine wants done, in its order.
enum Todo {
    Deliver(String),
    List(Ticket, Ask),
    Watch(Ticket, Ask),
    Close(Ticket),
    Reauthenticate,
    Missing,
}

/// One request and what comes of it.
struct Exchange {
    ticket: Ticket,
    answers: BoxStream<'static, Answer>,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Held while a page is in memory.
    permit: Option<OwnedSemaphorePermit>,
}

/// Moments that never go back, told as times of day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) base: Nanos,
    pub(super) since: Instant,
}

impl Moments {
    fn now(self) -> Nanos {
        self.base.plus(i64::try_from(self.since.elapsed().as_nanos()).unwrap_or(i64::MAX))
    }

    /// How long until then.
    fn until(self, moment: Nanos) -> Duration {
        Duration::from_nanos(u64::try_from(moment.since(self.now())).unwrap_or(0))
    }
}

/// What a driver shares with others.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) access: Arc<Access>,
    pub(super) line: Line,
    pub(super) pages: Arc<Semaphore>,
    pub(super) missing: Arc<Notify>,
    pub(super) health: Health,
    pub(super) drivers: Drivers,
    pub(super) stop: CancellationToken,
    pub(super) moments: Moments,
}

/// Drives one machine.
pub(super) struct Driver {
    pub(super) id: u64,
    pub(super) target: Target,
    machine: Machine,
    composer: Composer,
    around: Surroundings,
    commands: mpsc::UnboundedReceiver<Command>,
    status: watch::Sender<Status>,
    exchanges: Vec<Exchange>,
    /// Held until the lines of the page at hand are on their way.
    page: Option<OwnedSemaphorePermit>,
    /// What was known at the last mark, and how often it had been changed by then.
    marked: Option<(u64, Arc<str>)>,
}

impl Driver {
    pub(super) fn new(target: Target, machine: Machine, around: Surroundings) -> Self {
        let (sender, commands) = mpsc::unbounded_channel();
        let (status, seen) = watch::channel(machine.status().clone());
        let id = around.drivers.add(sender);
        let cluster = around.access.cluster.name();
        around.health.add(id, crate::health::WatchName::new(cluster, &target), seen);
        let composer = Composer::new(cluster, &target);
        Self { id, target, machine, composer, around, commands, status, exchanges: Vec::new(), page: None, marked: None }
    }

    /// Announces the first list.
    pub(super) fn begin(&mut self) -> Vec<String> {
        let mut todo = Vec::new();
        let now = self.around.moments.now();
        let Self { machine, composer, target, .. } = self;
        machine.begin(now, &mut |action| todo.extend(plan(composer, target, action)));
        todo.into_iter().filter_map(|todo| if let Todo::Deliver(line) = todo { Some(line) } else { None }).collect()
    }

    /// Runs until it is stopped, the collection is gone, or nobody reads.
    pub(super) async fn run(mut self) {
        // A reader that is gone needs no word about it.
        let _ = self.drive().await;
        self.exchanges.clear();
        let progress = self.progress();
        let _ = self.around.line.mark(self.id, progress).await;
        self.around.drivers.remove(self.id);
        if self.around.stop.is_cancelled() {
            return;
        }
        self.around.health.remove(self.id);
    }

    async fn drive(&mut self) -> Result<(), Closed> {
        let stop = self.around.stop.clone();
        loop {
            self.status.send_replace(self.machine.status().clone());
            let deadline = self.machine.next_deadline();
            let wait = deadline.map(|deadline| self.around.moments.until(deadline));
            tokio::select! {
                // What has been received goes before what is due: a line may make it unnecessary.
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(command) = self.commands.recv() => match command {
                    Command::Mark => {
                        let progress = self.progress();
                        self.around.line.mark(self.id, progress).await?;
                    }
                    Command::Vanish => {
                        let todo = self.with_machine(|machine, now, act| machine.vanish(now, act));
                        self.carry_out(todo).await?;
                        self.status.send_replace(self.machine.status().clone());
                        return Ok(());
                    }
                },
                (ticket, answer) = next(&mut self.exchanges) => self.answered(ticket, answer).await?,
                () = sleep(wait) => self.give(Input::Tick).await?,
            }
        }
    }

    async fn answered(&mut self, ticket: Ticket, answer: Answer) -> Result<(), Closed> {
        match answer {
            Answer::Opened => self.give(Input::Opened(ticket)).await,
            Answer::Chunk(bytes) => self.lines(ticket, &bytes).await,
            Answer::Whole(body) => {
                self.page = self.close(ticket).and_then(|exchange| exchange.permit);
                let todo = self.with_machine(|machine, now, act| machine.handle(Input::Page(ticket, &body), now, act));
                drop(body);
                let done = self.carry_out(todo).await;
                self.page = None;
                done
            }
            Answer::Ended => {
                self.close(ticket);
                self.give(Input::Ended(ticket)).await
            }
            Answer::Failed(failure) => {
                self.close(ticket);
                self.give(Input::Failed(ticket, failure)).await
            }
        }
    }

    /// Cuts what has come of a watch into lines.
    async fn lines(&mut self, ticket: Ticket, bytes: &Bytes) -> Result<(), Closed> {
        let Some(exchange) = self.exchanges.iter_mut().find(|exchange| exchange.ticket == ticket) else { return Ok(()) };
        let mut partial = std::mem::take(&mut exchange.partial);
        let mut rest = &bytes[..];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let line = if partial.is_empty() {
                &rest[..end]
            } else {
                partial.extend_from_slice(&rest[..end]);
                &partial
            };
            rest = &rest[end + 1..];
            if !line.trim_ascii().is_empty() {
                self.give(Input::Line(ticket, &String::from_utf8_lossy(line))).await?;
            }
            partial.clear();
        }
        partial.extend_from_slice(rest);
        if partial.len() > LONGEST_LINE {
            self.close(ticket);
            let message = format!("a line is longer than {LONGEST_LINE} bytes");
            return self.give(Input::Failed(ticket, Failure::Connection { message })).await;
        }
        if let Some(exchange) = self.exchanges.iter_mut().find(|exchange| exchange.ticket == ticket) {
            exchange.partial = partial;
        }
        Ok(())
    }

    fn close(&mut self, ticket: Ticket) -> Option<Exchange> {
        let index = self.exchanges.iter().position(|exchange| exchange.ticket == ticket)?;
        Some(self.exchanges.remove(index))
    }

    async fn give(&mut self, input: Input<'_>) -> Result<(), Closed> {
        let todo = self.with_machine(|machine, now, act| machine.handle(input, now, act));
        self.carry_out(todo).await
    }

    fn with_machine(&mut self, act: impl FnOnce(&mut Machine, Nanos, &mut dyn FnMut(Action<'_>))) -> Vec<Todo> {
        let mut todo = Vec::new();
        let now = self.around.moments.now();
        let Self { machine, composer, target, .. } = self;
        act(machine, now, &mut |action| todo.extend(plan(composer, target, action)));
        todo
    }

    async fn carry_out(&mut self, todo: Vec<Todo>) -> Result<(), Closed> {
        for todo in todo {
            match todo {
                Todo::Deliver(line) => self.around.line.send(line).await?,
                Todo::List(ticket, ask) => {
                    // The lines of the page before it are on their way: nobody waits for a second page while holding one.
                    self.page = None;
                    let permit = permit(&self.around.stop, &self.around.pages).await?;
                    let client = self.around.access.client();
                    self.exchanges.push(Exchange { ticket, answers: request::page(client, ask), partial: Vec::new(), permit });
                }
                Todo::Watch(ticket, ask) => {
                    let answers = request::watch(self.around.access.client(), ask);
                    self.exchanges.push(Exchange { ticket, answers, partial: Vec::new(), permit: None });
                }
                Todo::Close(ticket) => drop(self.close(ticket)),
                Todo::Reauthenticate => tokio::select! {
                    () = self.around.stop.cancelled() => {}
                    () = self.around.access.renew() => {}
                },
                Todo::Missing => self.around.missing.notify_one(),
            }
        }
        Ok(())
    }

    fn progress(&mut self) -> WatchProgress {
        let known = self.machine.known();
        let text = match &self.marked {
            Some((edits, text)) if *edits == known.edits() => Arc::clone(text),
            Some(_) | None => {
                let text: Arc<str> = known.to_lines().into();
                self.marked = Some((known.edits(), Arc::clone(&text)));
                text
            }
        };
        WatchProgress {
            cluster: self.around.access.cluster.name().to_owned(),
            watch: self.target.key(),
            position: self.machine.position().cloned(),
            known: Some(text),
        }
    }
}

/// Waits until a page may be held in memory.
async fn permit(stop: &CancellationToken, pages: &Arc<Semaphore>) -> Result<Option<OwnedSemaphorePermit>, Closed> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Closed),
        permit = Arc::clone(pages).acquire_owned() => Ok(permit.ok()),
    }
}

/// What is to be done for an action.
fn plan(composer: &Composer, target: &Target, action: Action<'_>) -> Option<Todo> {
    Some(match action {
        Action::Deliver(delivery) => Todo::Deliver(composer.compose(&delivery)),
        Action::List { ticket, continue_token, limit, form } => Todo::List(ticket, Ask::list(target, limit, continue_token, form)),
        Action::Watch { ticket, resource_version, timeout } => Todo::Watch(ticket, Ask::watch(target, resource_version, timeout)),
        Action::Close(ticket) => Todo::Close(ticket),
        Action::Reauthenticate => Todo::Reauthenticate,
        Action::Missing => Todo::Missing,
    })
}

/// The next answer to any of the requests. Nothing is lost when it is not waited for.
async fn next(exchanges: &mut [Exchange]) -> (Ticket, Answer) {
    poll_fn(|context| {
        for exchange in &mut *exchanges {
            if let Poll::Ready(Some(answer)) = exchange.answers.poll_next_unpin(context) {
                return Poll::Ready((exchange.ticket, answer));
            }
        }
        Poll::Pending
    })
    .await
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
