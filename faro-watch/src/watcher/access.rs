//! The client of a cluster, made anew when its credentials are refused.

use crate::connect::Cluster;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// How often credentials are read at most, however many watches are refused.
const EVERY: Duration = Duration::from_secs(5);

/// A cluster and the client that is in use.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) cluster: Cluster,
    current: RwLock<Current>,
}

struct Current {
    client: kube::Client,
    made: Instant,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("made", &self.made).finish_non_exhaustive()
    }
}

impl Access {
    pub(super) fn new(cluster: Cluster, client: kube::Client) -> Self {
        Self { cluster, current: RwLock::new(Current { client, made: Instant::now() }) }
    }

    pub(super) fn client(&self) -> kube::Client {
        self.current.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Reads the credentials again. When that fails the old client stays: the next refusal tries again.
    pub(super) async fn renew(&self) {
        let made = self.current.read().unwrap_or_else(PoisonError::into_inner).made;
        if made.elapsed() < EVERY {
            return;
        }
        if let Ok(client) = self.cluster.connect().await {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { client, made: Instant::now() };
        }
    }
}
