//! Waiting to lead, where several processes share a Lease.

use crate::args::LeaseName;
use crate::failure::Failure;
use crate::notice;
use faro_watch::{Candidacy, Cluster, Leadership, Standing};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::time::sleep;

/// Why waiting ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ended {
    /// This process leads.
    Leading,
    /// It was asked to end, or its time is over.
    Stopped,
}

/// Begins to ask for the Lease of the first cluster.
pub(crate) async fn stand(lease: &LeaseName, clusters: &[Cluster]) -> Result<Leadership, Failure> {
    let Some(cluster) = clusters.first() else { return Err(Failure::failed("there is no cluster whose Lease could be asked for")) };
    let candidacy = Candidacy::new(cluster.clone(), lease.namespace.as_str(), lease.name.as_str(), identity());
    candidacy.begin().await.map_err(Failure::failed)
}

/// Waits until this process leads, and says what it waits for.
pub(crate) async fn wait(leadership: &mut Leadership, asked: &Notify, patience: Option<Duration>) -> Result<Ended, Failure> {
    let over = sleep(patience.unwrap_or_default());
    tokio::pin!(over);
    let (mut known, mut told) = (None, None);
    loop {
        let standing = tokio::select! {
            biased;
            () = asked.notified() => return Ok(Ended::Stopped),
            () = &mut over, if patience.is_some() => return Ok(Ended::Stopped),
            standing = leadership.changed() => standing,
        };
        match standing {
            Standing::Leading => {
                notice::info(&format!("leads, by Lease `{}`", leadership.place()));
                return Ok(Ended::Leading);
            }
            Standing::Lost(why) => return Err(lost(leadership.place(), &why)),
            Standing::Standby { complaint: Some(complaint), .. } if told.as_ref() != Some(&complaint) => {
                notice::warn(&complaint);
                told = Some(complaint);
            }
            Standing::Standby { complaint: None, leader } if known.as_ref() != Some(&leader) => {
                notice::info(&format!("standby: Lease `{}` is held by `{leader}`", leadership.place()));
                known = Some(leader);
            }
            Standing::Standby { .. } => {}
        }
    }
}

/// How a run ends that must not go on.
pub(crate) fn lost(place: &str, why: &str) -> Failure {
    Failure::failed(format!("Lease `{place}` is lost: {why}"))
}

/// A name that no other process has, nor this one's successor: the host's, which in a pod is the pod's, and something unique.
fn identity() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let host = read("/proc/sys/kernel/hostname").or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "faro".to_owned());
    let unique = read("/proc/sys/kernel/random/uuid").unwrap_or_else(|| {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        format!("{}-{nanos}", std::process::id())
    });
    format!("{host}_{unique}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_differ() {
        assert_ne!(identity(), identity());
    }
}
