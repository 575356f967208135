//! Whether a run moves, and whether it is ready: a status and a few lines for people.

use super::{Monitor, Step};
use faro_watch::{Standing, WatchHealth};
use std::time::Duration;

/// The longest that one step of the engine may take; most take microseconds, the snapshot of a large cluster seconds.
const STUCK: Duration = Duration::from_secs(60);

/// An HTTP status, and why.
pub(super) type Verdict = (u16, String);

impl Monitor {
    /// Whether the process turns its loop. A reader who does not read is no reason to restart it: it would not read then either, and
    /// nothing is lost meanwhile.
    pub(super) fn livez(&self) -> Verdict {
        let (step, since) = self.step();
        alive(step, since)
    }

    /// Whether every watch is synced. A standby is ready: all there is to do for it is to take over, and were it not ready, a rollout
    /// that waits for it would wait for the leader's end.
    pub(super) fn readyz(&self) -> Verdict {
        let standing = self.leadership.get().map(|candidate| (&candidate.place, candidate.standing.borrow().clone()));
        match standing {
            Some((_, Standing::Standby { complaint: Some(complaint), .. })) => return (503, format!("{complaint}\n")),
            Some((place, Standing::Standby { leader, .. })) if leader.is_empty() => return (200, format!("standby: Lease `{place}`\n")),
            Some((place, Standing::Standby { leader, .. })) => {
                return (200, format!("standby: `{leader}` leads, by Lease `{place}`\n"));
            }
            Some((place, Standing::Lost(why))) => return (503, format!("Lease `{place}` is lost: {why}\n")),
            Some((_, Standing::Leading)) | None => {}
        }
        let Some(health) = self.health.get() else { return (503, "the cluster has not been reached yet\n".to_owned()) };
        let complaints: Vec<String> = health.watches().iter().filter_map(WatchHealth::complaint).collect();
        if complaints.is_empty() { (200, "ok\n".to_owned()) } else { (503, complaints.join("\n") + "\n") }
    }
}

fn alive(step: Step, since: Duration) -> Verdict {
    let seconds = since.as_secs();
    match step {
        Step::Works if since >= STUCK => (503, format!("the engine has been at one step for {seconds} s\n")),
        Step::Prints if seconds > 0 => (200, format!("ok; waits for the reader of standard output, {seconds} s so far\n")),
        Step::Works | Step::Prints | Step::Waits => (200, "ok\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::watch;

    #[test]
    fn only_an_engine_that_is_stuck_is_dead() {
        for (step, seconds, code, text) in [
            (Step::Waits, 100_000, 200, "ok\n"),
            (Step::Works, 59, 200, "ok\n"),
            (Step::Works, 75, 503, "the engine has been at one step for 75 s\n"),
            (Step::Prints, 75, 200, "ok; waits for the reader of standard output, 75 s so far\n"),
        ] {
            assert_eq!(alive(step, Duration::from_secs(seconds)), (code, text.to_owned()));
        }
    }

    #[test]
    fn standby_is_ready_and_a_loser_is_not() {
        let standby = |leader: &str, complaint: Option<&str>| Standing::Standby {
            leader: leader.to_owned(),
            complaint: complaint.map(str::to_owned),
        };
        for (standing, code, text) in [
            (standby("", None), 200, "standby: Lease `ns/faro`\n"),
            (standby("other", None), 200, "standby: `other` leads, by Lease `ns/faro`\n"),
            (standby("other", Some("403")), 503, "403\n"),
            (Standing::Lost("late".to_owned()), 503, "Lease `ns/faro` is lost: late\n"),
            (Standing::Leading, 503, "the cluster has not been reached yet\n"),
        ] {
            let monitor = Monitor::new();
            monitor.stands("ns/faro", watch::channel(standing).1);
            assert_eq!(monitor.readyz(), (code, text.to_owned()));
        }
    }
}
