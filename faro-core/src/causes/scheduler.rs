//! What the scheduler says of the nodes that do not take a pod.

use std::cmp::Reverse;

/// Taints of nodes that are not meant for workloads.
const CONTROL_PLANE: [&str; 4] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/controlplane",
    "node-role.kubernetes.io/etcd",
    "node-role.kubernetes.io/master",
];

/// Taints that controllers put on nodes that are in trouble or about to go.
const TROUBLE: [&str; 3] = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "ToBeDeletedByClusterAutoscaler"];

/// The scheduler's checks in their order. A node tells only the first one that it fails: one that fails a later check was nearer to
/// taking the pod.
const CHECKS: [&str; 8] =
    ["unschedulable", "taint", "node affinity", "free ports", "Insufficient ", "olume", "topology spread", "affinity rules"];

/// A message, reduced to the reason that keeps most nodes from taking a pod.
#[derive(Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) text: String,
    /// The other reasons.
    pub(super) others: Vec<String>,
}

/// Reads `0/N nodes are available: N reason, M reason. preemption: …`. Nothing when it is no such message.
pub(super) fn verdict(message: &str) -> Option<Verdict> {
    const LIST: &str = " nodes are available: ";
    let (nodes, list) = message.split_once(LIST)?;
    let end = [". preemption: ", ". no new claims to deallocate"].iter().filter_map(|end| list.find(end)).min().unwrap_or(list.len());
    let mut clauses = split(list[..end].trim_end_matches(['.', ' ']));
    let decisive = (0..clauses.len()).max_by_key(|&place| (weight(clauses[place]), Reverse(place)))?;
    let decisive = clauses.remove(decisive);
    Some(Verdict { text: format!("{nodes}{LIST}{decisive}"), others: clauses.into_iter().map(str::to_owned).collect() })
}

/// The reasons of a list, each with its number of nodes; they may have commas of their own.
fn split(list: &str) -> Vec<&str> {
    let mut clauses = Vec::new();
    let mut from = 0;
    for (at, _) in list.match_indices(", ") {
        if counted(&list[at + 2..]).is_some() {
            clauses.push(&list[from..at]);
            from = at + 2;
        }
    }
    clauses.push(&list[from..]);
    clauses
}

fn counted(clause: &str) -> Option<(u64, &str)> {
    let (count, reason) = clause.split_once(' ')?;
    Some((count.parse().ok()?, reason))
}

/// What is the node's own trouble decides only where nothing else does; then the number of nodes.
fn weight(clause: &str) -> (u8, u64, usize) {
    // Without a number it holds wherever the pod would run.
    let (count, reason) = counted(clause).unwrap_or((u64::MAX, clause));
    let taint = reason.split_once("taint {").map(|(_, taint)| taint.split([':', '}']).next().unwrap_or_default());
    let matter = match taint {
        Some(taint) if CONTROL_PLANE.contains(&taint) => 0,
        Some(taint) if TROUBLE.iter().any(|trouble| taint.starts_with(trouble)) => 1,
        Some(_) | None => 2,
    };
    let check = CHECKS.iter().rposition(|check| reason.contains(check)).map_or(0, |check| check + 1);
    (matter, count, check)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTROL: &str = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }";

    #[test]
    fn what_excludes_most_nodes_decides() {
        check(&format!("{CONTROL}, 5 node(s) didn't match pod topology spread constraints"), 1);
        check("1 Insufficient cpu, 3 node(s) didn't match Pod's node affinity/selector", 1);
        check("4 Insufficient cpu, 2 node(s) had untolerated taint {pool: gpu}", 0);
        check("3 node(s) had taint {pool: gpu}, that the pod didn't tolerate, 1 Insufficient cpu", 0);
    }

    #[test]
    fn taints_of_the_control_plane_and_of_nodes_in_trouble_decide_last() {
        check("5 node(s) had untolerated taint {node-role.kubernetes.io/master: }, 1 Insufficient cpu", 1);
        check("5 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 Insufficient cpu", 1);
        check(
            "5 node(s) had untolerated taint {node-role.kubernetes.io/master: }, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
            1,
        );
        check(CONTROL, 0);
    }

    #[test]
    fn of_as_many_nodes_those_that_failed_later_decide() {
        check("2 node(s) didn't match Pod's node affinity/selector, 2 Insufficient cpu", 1);
        check("3 node(s) had volume node affinity conflict, 3 node(s) didn't match Pod's node affinity/selector", 0);
        check("2 Insufficient cpu, 2 Insufficient memory", 0);
        check("3 Insufficient cpu, pod has unbound immediate PersistentVolumeClaims", 0);
    }

    #[test]
    fn what_is_no_list_of_nodes_is_left_alone() {
        assert_eq!(verdict("no nodes available to schedule pods"), None);
        assert_eq!(verdict(""), None);
    }

    /// Each ending of the message; `decisive` is the place of the clause.
    #[track_caller]
    fn check(list: &str, decisive: usize) {
        for end in ["", ".", ". preemption: 0/6 nodes are available: 6 x.", ". no new claims to deallocate, preemption: 0/6 y"] {
            let found = verdict(&format!("0/6 nodes are available: {list}{end}")).unwrap();
            let clauses = split(list);
            assert_eq!(found.text, format!("0/6 nodes are available: {}", clauses[decisive]));
            assert_eq!(found.others.len(), clauses.len() - 1);
        }
    }
}
