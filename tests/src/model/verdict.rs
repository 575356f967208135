//! What the oracle knows of severity: its own short table, from the text of the contract.

/// The oracle's idea of how bad a report is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Verdict {
    pub(super) family: &'static str,
    /// 0 is info, 4 is critical.
    pub(super) severity: u8,
    /// What raises it.
    pub(super) raise: Option<Raise>,
}

/// Evidence that makes a group high.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Raise {
    /// So many occurrences.
    After(u64),
    /// So many seconds from first to last.
    Lasting(i64),
}

/// The severity that evidence raises a group to.
pub(super) const HIGH: u8 = 3;

const NAMES: [&str; 5] = ["info", "low", "medium", "high", "critical"];

/// The rank of a severity's name.
pub(super) fn rank(name: &str) -> u8 {
    NAMES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at).ok()).expect("a severity")
}

pub(super) fn judge(reason: &str, type_: &str, message: &str) -> Verdict {
    let (family, severity, raise) = match reason {
        "FailedCreatePodSandBox" => ("pod-sandbox", 4, None),
        "BackOff" if message.starts_with("Back-off restarting failed container") => ("crash-loop", 4, None),
        "BackOff" if message.starts_with("Back-off pulling image") => ("image-pull", 4, None),
        "Unhealthy" if message.starts_with("Readiness probe failed") => ("probe", 2, Some(Raise::Lasting(300))),
        "Unhealthy" if message.starts_with("Liveness probe failed") => ("probe", HIGH, None),
        "Rebooted" => ("lifecycle", 2, Some(Raise::After(3))),
        "Pulled" => ("lifecycle", 0, None),
        _ if type_ == "Warning" => ("other", 2, None),
        _ => ("other", 0, None),
    };
    Verdict { family, severity, raise }
}
