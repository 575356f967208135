//! What one writes first to find what Events have in common: lists of objects that are looked through for each Event.

/// A pod as the scanning correlator keeps it.
#[derive(Clone, Debug)]
pub struct ScannedPod {
    name: String,
    namespace: String,
    node: String,
    workload: String,
    failing: bool,
}

/// Looks through all pods for each Event; without states, changes, lags, resolution or anything that prints.
#[derive(Debug, Default)]
pub struct Scan {
    pods: Vec<ScannedPod>,
}

impl Scan {
    /// Takes a pod.
    pub fn pod(&mut self, namespace: String, name: String, node: String, workload: String) {
        self.pods.push(ScannedPod { name, namespace, node, workload, failing: false });
    }

    /// Marks the pod of an Event, and returns how many fail on its node and of its workload: the larger one is called the cause.
    pub fn event(&mut self, namespace: &str, name: &str) -> (usize, usize) {
        let Some(of) = self.pods.iter_mut().find(|pod| pod.name == name && pod.namespace == namespace) else { return (0, 0) };
        of.failing = true;
        let (node, workload) = (of.node.clone(), of.workload.clone());
        let failing = self.pods.iter().filter(|pod| pod.failing);
        failing.fold((0, 0), |(on_node, of_workload), pod| {
            (on_node + usize::from(pod.node == node), of_workload + usize::from(pod.workload == workload))
        })
    }
}
