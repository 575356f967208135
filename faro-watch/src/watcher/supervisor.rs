//! The watches of one cluster: which there are, and when some come or go.

use super::access::Access;
use super::driver::{Command, Driver, Moments, Surroundings};
use super::{Clock, Drivers, Line, PAGES, StartError};
use crate::checkpoint::Progress;
use crate::connect::Cluster;
use crate::discovery::{self, Catalogue, Resource};
use crate::feed::Feed;
use crate::health::Health;
use crate::known::Known;
use crate::machine::backoff::Jitter;
use crate::machine::{Failure, Keeps, Machine};
use crate::request;
use crate::selection::{PlanError, Selection, Target, plan};
use faro_core::Nanos;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often the server is asked for collections that it does not have.
pub(super) const REDISCOVERY: Duration = Duration::from_secs(10);

/// What is to be watched in a cluster.
pub(super) struct Wanted {
    pub(super) selections: Vec<Selection>,
    pub(super) resume: Progress,
    pub(super) seed: u64,
    pub(super) clock: Clock,
}

/// Begins and ends the watches of one cluster.
pub(super) struct Supervisor {
    around: Surroundings,
    /// By collection.
    wanted: BTreeMap<String, Vec<Selection>>,
    resume: Progress,
    seed: u64,
    /// The drivers of each collection.
    running: BTreeMap<String, Vec<u64>>,
    /// Not begun yet.
    ready: Vec<Driver>,
}

impl Supervisor {
    /// Connects, discovers and plans; no watch runs yet.
    pub(super) async fn begin(
        cluster: Cluster,
        wanted: Wanted,
        line: Line,
        health: Health,
        drivers: Drivers,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        let name = cluster.name().to_owned();
        let client = cluster.connect().await?;
        let mut by_gvr: BTreeMap<String, Vec<Selection>> = BTreeMap::new();
        for selection in wanted.selections {
            let Some((api_version, plural)) = discovery::split(&selection.gvr) else {
                return Err(StartError::Plan { cluster: name, source: PlanError::BadGvr { gvr: selection.gvr } });
            };
            by_gvr.entry(format!("{api_version}/{plural}")).or_default().push(selection);
        }
        let catalogue = match discover(&client, by_gvr.keys()).await {
            Ok(catalogue) => catalogue,
            Err((path, failure)) => {
                let server = cluster.server().await.unwrap_or_default();
                return Err(StartError::Discover { cluster: name, server, path, message: said(&failure) });
            }
        };
        let moments = Moments { base: Nanos::from((wanted.clock)()), since: Instant::now() };
        let around = Surroundings {
            access: Arc::new(Access::new(cluster, client)),
            line,
            pages: Arc::new(Semaphore::new(PAGES)),
            missing: Arc::new(Notify::new()),
            health,
            drivers,
            stop,
            moments,
        };
        let mut supervisor =
            Self { around, wanted: by_gvr, resume: wanted.resume, seed: wanted.seed, running: BTreeMap::new(), ready: Vec::new() };
        for gvr in supervisor.wanted.keys().cloned().collect::<Vec<_>>() {
            match catalogue.find(&gvr).filter(|resource| resource.watchable) {
                Some(resource) => {
                    supervisor.prepare(resource).map_err(|source| StartError::Plan { cluster: name.clone(), source })?;
                }
                None => supervisor.absent(&gvr),
            }
        }
        Ok(supervisor)
    }

    /// Announces the first lists of the watches that are ready.
    pub(super) fn announce(&mut self) -> Vec<Feed> {
        let feed = |line| Feed { line, received_at: Nanos(0), permit: None };
        self.ready.iter_mut().flat_map(Driver::begin).map(feed).collect()
    }

    /// Runs the watches, and looks for those that are missing.
    pub(super) fn run(mut self) {
        for driver in std::mem::take(&mut self.ready) {
            tokio::spawn(driver.run());
        }
        tokio::spawn(async move {
            let stop = self.around.stop.clone();
            let missing = Arc::clone(&self.around.missing);
            loop {
                let incomplete = self.wanted.keys().any(|gvr| !self.running.contains_key(gvr));
                let again = async {
                    if incomplete {
                        tokio::time::sleep(REDISCOVERY).await;
                    } else {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = missing.notified() => {}
                    () = again => {}
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    looked = self.look() => if looked.is_err() {
                        return;
                    },
                }
            }
        });
    }

    /// Looks for each collection that is wanted: begins what has come, ends what is gone.
    async fn look(&mut self) -> Result<(), super::Closed> {
        let client = self.around.access.client();
        for gvr in self.wanted.keys().cloned().collect::<Vec<_>>() {
            let Some((api_version, _)) = discovery::split(&gvr) else { continue };
            let path = discovery::group_path(api_version);
            let found = match request::document(&client, &path, request::JSON).await {
                Ok(body) => {
                    let mut catalogue = Catalogue::default();
                    if catalogue.add_group_version(&body).is_none() {
                        continue;
                    }
                    catalogue.find(&gvr).filter(|resource| resource.watchable).cloned()
                }
                Err(Failure::Status { code: 404, .. }) => None,
                // Nobody knows.
                Err(_) => continue,
            };
            match (found, self.running.get(&gvr).cloned()) {
                (Some(resource), None) => self.appeared(&resource).await?,
                (None, Some(drivers)) => {
                    drivers.into_iter().for_each(|driver| self.around.drivers.tell(driver, Command::Vanish));
                    self.running.remove(&gvr);
                    self.absent(&gvr);
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        Ok(())
    }

    async fn appeared(&mut self, resource: &Resource) -> Result<(), super::Closed> {
        if let Err(error) = self.prepare(resource) {
            self.around.health.absent(self.around.access.cluster.name(), &resource.gvr, Some(error.to_string()));
            return Ok(());
        }
        for mut driver in std::mem::take(&mut self.ready) {
            for line in driver.begin() {
                self.around.line.send(line).await?;
            }
            tokio::spawn(driver.run());
        }
        Ok(())
    }

    fn absent(&self, gvr: &str) {
        let reason = "the server does not serve this collection, or not for watching".to_owned();
        self.around.health.absent(self.around.access.cluster.name(), gvr, Some(reason));
    }

    /// Makes the drivers of a collection.
    fn prepare(&mut self, resource: &Resource) -> Result<(), PlanError> {
        let selections: Vec<&Selection> = self.wanted.get(&resource.gvr).into_iter().flatten().collect();
        let targets = plan(resource, &selections)?;
        let cluster = self.around.access.cluster.name();
        self.around.health.absent(cluster, &resource.gvr, None);
        for target in targets {
            self.seed = self.seed.wrapping_add(1);
            let machine = machine(&target, &mut self.resume, cluster, self.seed);
            let driver = Driver::new(target, machine, self.around.clone());
            self.running.entry(resource.gvr.clone()).or_default().push(driver.id);
            self.ready.push(driver);
        }
        Ok(())
    }
}

fn machine(target: &Target, resume: &mut Progress, cluster: &str, seed: u64) -> Machine {
    let keeps = if target.resource.is_events() { Keeps::Nothing } else { Keeps::Objects };
    let machine = Machine::new(target.choice.clone(), keeps, Jitter::new(seed));
    // Once: a collection that goes and comes again begins anew.
    match resume.take(cluster, &target.key()) {
        Some((position, known)) => machine.resume(position, known.as_deref().and_then(Known::from_lines)),
        None => machine,
    }
}

/// What the server has: all of it where it says so at once, else what is asked for.
async fn discover(client: &kube::Client, wanted: impl Iterator<Item = &String>) -> Result<Catalogue, (String, Failure)> {
    let mut catalogue = Catalogue::default();
    let mut aggregated = true;
    for path in ["/api", "/apis"] {
        let body = request::document(client, path, discovery::ACCEPT).await.map_err(|failure| (path.to_owned(), failure))?;
        aggregated &= catalogue.add_aggregated(&body).is_some();
    }
    if aggregated {
        return Ok(catalogue);
    }
    let mut paths: Vec<String> =
        wanted.filter_map(|gvr| discovery::split(gvr)).map(|(api_version, _)| discovery::group_path(api_version)).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        match request::document(client, &path, request::JSON).await {
            Ok(body) if catalogue.add_group_version(&body).is_some() => {}
            Ok(_) => return Err((path, Failure::Connection { message: "the answer is no APIResourceList".to_owned() })),
            Err(Failure::Status { code: 404, .. }) => {}
            Err(failure) => return Err((path, failure)),
        }
    }
    Ok(catalogue)
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Connection { message } => message.clone(),
        Failure::Status { code, reason, message, .. } => format!("{code} {reason}: {message}"),
    }
}
