//! One of several processes at a time: leader election by a Lease (coordination.k8s.io/v1, KEP-589).
//!
//! A [`Leadership`] asks for the Lease on a task of its own, so that a caller who is kept waiting elsewhere stays the leader. It
//! renews every 2 seconds; after 10 without success it has lost; after 15 without a change another candidate takes over. The rules
//! and what they rest on are told in `lease/election.rs`.
//!
//! # What an overlap does
//!
//! Two processes may both be at work for a moment all the same: somebody deletes the Lease, a machine sleeps, a record is on its way
//! through a pipe. That is harmless where records are merged by their identity (cluster, collection, uid, resourceVersion): both
//! print the same records. A checkpoint is not stored by who knows that it has lost.

mod election;
mod holding;

use crate::connect::{Cluster, ConnectError};
use crate::machine::Failure;
use crate::request;
use election::{Ask, Election, Now, Reply, Step, Timing};
use holding::Seen;
use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How long giving the Lease back may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// Which Lease, and who asks for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidacy {
    /// The cluster whose Lease it is.
    pub cluster: Cluster,
    /// Its namespace; empty means that of the kubeconfig's context, or of the pod.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who asks: nobody else's name, in no other run either.
    pub identity: String,
}

/// How a candidate is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Another one leads, or it is not known yet.
    Standby {
        /// Who does; empty when nobody does or it is not known.
        leader: String,
        /// What is wrong with the last request, and what to do about it.
        complaint: Option<String>,
    },
    /// This one leads.
    Leading,
    /// This one led, and must not go on: why.
    Lost(String),
}

/// A candidate at work; dropping it leaves the Lease to expire.
#[derive(Debug)]
pub struct Leadership {
    place: String,
    standing: watch::Receiver<Standing>,
    leave: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Candidacy {
    /// Names a Lease and a candidate.
    #[must_use]
    pub fn new(cluster: Cluster, namespace: impl Into<String>, name: impl Into<String>, identity: impl Into<String>) -> Self {
        Self { cluster, namespace: namespace.into(), name: name.into(), identity: identity.into() }
    }

    /// Begins to ask for the Lease, on a task of the current runtime.
    ///
    /// Rights: `get`, `create` and `update` on `leases` of `coordination.k8s.io`; all but `create` can be narrowed to its name.
    ///
    /// # Errors
    ///
    /// There is no client for the cluster. That the server does not answer is no error: it is asked again.
    pub async fn begin(self) -> Result<Leadership, ConnectError> {
        let client = self.cluster.connect().await?;
        let namespace = if self.namespace.is_empty() { client.default_namespace().to_owned() } else { self.namespace.clone() };
        let place = format!("{namespace}/{}", self.name);
        let standing = Standing::Standby { leader: String::new(), complaint: None };
        let (sender, receiver) = watch::channel(standing);
        let leave = CancellationToken::new();
        let candidate = Candidate {
            election: Election::new(self.identity.clone(), Timing::default()),
            begun: Instant::now(),
            client,
            path: format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
            place: place.clone(),
            lease: json!({
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"namespace": namespace, "name": self.name},
            }),
            candidacy: self,
            standing: sender,
            leave: leave.clone(),
        };
        let task = tokio::spawn(candidate.run());
        Ok(Leadership { place, standing: receiver, leave, task })
    }
}

impl Leadership {
    /// Returns which Lease it is: namespace and name.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns how the candidate is doing.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Returns a look at how the candidate is doing, for others.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Waits for a change. Dropping the future loses nothing.
    pub async fn changed(&mut self) -> Standing {
        if self.standing.changed().await.is_err() {
            // The task is gone, and nothing comes after the last word.
            return match self.standing() {
                Standing::Lost(why) => Standing::Lost(why),
                Standing::Standby { .. } | Standing::Leading => Standing::Lost("it is no longer renewed".to_owned()),
            };
        }
        self.standing.borrow_and_update().clone()
    }

    /// Gives the Lease back, if it is ours, so that another candidate need not wait; takes at most three seconds.
    pub async fn release(self) {
        self.leave.cancel();
        // Whether it could be given back or expires makes no difference to us.
        let _ = timeout(FAREWELL, self.task).await;
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        let left = |standing: &mut Standing| match standing {
            Standing::Leading => {
                *standing = Standing::Lost("it is no longer renewed".to_owned());
                true
            }
            Standing::Standby { .. } | Standing::Lost(_) => false,
        };
        self.standing.send_if_modified(left);
    }
}

struct Candidate {
    candidacy: Candidacy,
    election: Election,
    begun: Instant,
    client: kube::Client,
    path: String,
    place: String,
    /// The object as it was last seen, with what others wrote there.
    lease: Value,
    standing: watch::Sender<Standing>,
    leave: CancellationToken,
}

impl Candidate {
    async fn run(mut self) {
        let leave = self.leave.clone();
        loop {
            let now = self.now();
            let step = self.election.poll(now);
            self.publish();
            tokio::select! {
                biased;
                () = leave.cancelled() => break,
                over = self.carry_out(step) => if over { return },
            }
        }
        // A renewal that was under way may have arrived.
        for _ in 0..2 {
            let Some(ask) = self.election.release(self.now()) else { return };
            if self.send(&ask).await != Reply::Conflict {
                return;
            }
            let reply = self.send(&Ask::Read).await;
            self.election.answered(&Ask::Read, reply, self.now());
        }
    }

    /// Does what is to be done; tells whether that was all.
    async fn carry_out(&mut self, step: Step) -> bool {
        match step {
            Step::Over => return true,
            Step::Wait(until) => sleep_until(self.begun + until).await,
            Step::Send(ask) => {
                let patience = self.election.patience(self.now());
                let late = |_| Reply::Failed(format!("no answer within {} ms", patience.as_millis()));
                let reply = timeout(patience, self.send(&ask)).await.unwrap_or_else(late);
                self.election.answered(&ask, reply, self.now());
            }
        }
        false
    }

    fn now(&self) -> Now {
        Now { elapsed: self.begun.elapsed(), time: SystemTime::now().into() }
    }

    fn publish(&self) {
        let standing = match self.election.loss() {
            Some(why) => Standing::Lost(why.to_owned()),
            None if self.election.is_leading(self.begun.elapsed()) => Standing::Leading,
            None => Standing::Standby {
                leader: self.election.holder().to_owned(),
                complaint: self.election.trouble().map(|trouble| format!("Lease `{}`: {trouble}", self.place)),
            },
        };
        self.standing.send_if_modified(|before| {
            let differs = *before != standing;
            *before = standing;
            differs
        });
    }

    async fn send(&mut self, ask: &Ask) -> Reply {
        let name = format!("{}/{}", self.path, self.candidacy.name);
        let answer = match ask {
            Ask::Read => request::document(&self.client, &name, request::JSON).await,
            Ask::Create(holding) => {
                let mut lease = self.lease.clone();
                if let Some(metadata) = lease["metadata"].as_object_mut() {
                    // Those of one that is gone.
                    metadata.retain(|key, _| matches!(&**key, "name" | "namespace" | "labels" | "annotations"));
                }
                holding.put_into(&mut lease);
                request::write(&self.client, Method::POST, &self.path, request::JSON, lease.to_string()).await
            }
            Ask::Replace(version, holding) => {
                let mut lease = self.lease.clone();
                lease["metadata"]["resourceVersion"] = json!(version);
                holding.put_into(&mut lease);
                request::write(&self.client, Method::PUT, &name, request::JSON, lease.to_string()).await
            }
        };
        match answer {
            Ok(text) => match serde_json::from_str::<Value>(&text) {
                Ok(lease) => {
                    let seen = Seen::of(&lease);
                    self.lease = lease;
                    Reply::Done(seen)
                }
                Err(error) => Reply::Failed(format!("the answer is no Lease: {error}")),
            },
            Err(Failure::Status { code: 404, .. }) if matches!(ask, Ask::Read | Ask::Replace(..)) => Reply::Absent,
            Err(Failure::Status { code: 409, .. }) => Reply::Conflict,
            Err(failure) => {
                self.renew_credentials(&failure).await;
                Reply::Failed(said(&failure))
            }
        }
    }

    /// Reads the credentials again when they were not accepted.
    async fn renew_credentials(&mut self, failure: &Failure) {
        if matches!(failure, Failure::Status { code: 401, .. })
            && let Ok(client) = self.candidacy.cluster.connect().await
        {
            self.client = client;
        }
    }
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Connection { message } => message.clone(),
        Failure::Status { code: 403, message, .. } => format!(
            r#"403 Forbidden: {message}; add the rule {{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"]}}"#
        ),
        Failure::Status { code, reason, message, .. } => format!("{code} {reason}: {message}"),
    }
}
