//! A cluster by numbers: nodes, workloads with their pods, Services and configuration, written as the lines of a watch.

/// When the cluster begins.
pub const START: i64 = 1_757_714_051_000_000_000;

/// Pods of one workload.
pub const REPLICAS: u64 = 50;

/// How many there are of what.
#[derive(Clone, Copy, Debug)]
pub struct Cluster {
    /// Nodes.
    pub nodes: u64,
    /// Pods, [`REPLICAS`] of each workload.
    pub pods: u64,
}

impl Cluster {
    /// How many workloads there are.
    #[must_use]
    pub const fn workloads(self) -> u64 {
        self.pods.div_ceil(REPLICAS)
    }

    /// The name of a pod.
    #[must_use]
    pub fn pod_name(self, pod: u64) -> String {
        let workload = pod / REPLICAS;
        format!("shelf-{workload}-7c9d8f6b5-{pod:05x}")
    }

    /// The node of a pod.
    #[must_use]
    pub const fn node_of(self, pod: u64) -> u64 {
        pod.wrapping_mul(0x9E37_79B9_7F4A_7C15) % self.nodes
    }

    /// The namespace of a workload.
    #[must_use]
    pub fn namespace(self, workload: u64) -> String {
        format!("team-{}", workload % 100)
    }

    /// Every object, what others depend on last: nothing may rely on order.
    pub fn objects(self) -> impl Iterator<Item = String> {
        self.objects_with(|_| true)
    }

    /// The same, with pods that are not ready.
    pub fn objects_with(self, ready: impl Fn(u64) -> bool) -> impl Iterator<Item = String> {
        let pods = (0..self.pods).map(move |pod| self.pod(pod, 1, ready(pod)));
        let workloads = (0..self.workloads()).flat_map(move |workload| self.workload(workload));
        pods.chain(workloads).chain((0..self.nodes).map(move |node| self.node(node)))
    }

    /// A pod, as a line.
    #[must_use]
    pub fn pod(self, pod: u64, version: u64, ready: bool) -> String {
        let (workload, name, node) = (pod / REPLICAS, self.pod_name(pod), self.node_of(pod));
        let namespace = self.namespace(workload);
        let state = if ready {
            r#"{"running":{"startedAt":"2025-09-12T20:00:07Z"}}"#
        } else {
            if Self::is_hit(pod) {
                r#"{"waiting":{"reason":"ContainerCreating"}}"#
            } else {
                r#"{"waiting":{"reason":"CrashLoopBackOff","message":"back-off"}}"#
            }
        };
        let truth = if ready { "True" } else { "False" };
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{pod:08x}-83cc-4d2a-9a4e-1f2e3d4c5b6a","resourceVersion":"{version}{pod}","creationTimestamp":"2025-09-12T20:00:00Z","labels":{{"app":"shelf-{workload}","pod-template-hash":"7c9d8f6b5"}},"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"shelf-{workload}-7c9d8f6b5","uid":"{workload:08x}-1111-4d2a-9a4e-1f2e3d4c5b6a","controller":true,"blockOwnerDeletion":true}}]}},"spec":{{"nodeName":"node-{node}","serviceAccountName":"shelf","restartPolicy":"Always","containers":[{{"name":"app","image":"registry.example/shelf-{workload}:1.4.2","ports":[{{"name":"http","containerPort":8080}}],"envFrom":[{{"configMapRef":{{"name":"shelf-{workload}"}}}}],"resources":{{"requests":{{"cpu":"100m","memory":"128Mi"}},"limits":{{"memory":"256Mi"}}}},"readinessProbe":{{"httpGet":{{"path":"/ready","port":"http"}},"periodSeconds":10}}}}],"volumes":[{{"name":"token","secret":{{"secretName":"shelf-{workload}-token"}}}}]}},"status":{{"phase":"Running","podIP":"10.1.2.3","conditions":[{{"type":"PodScheduled","status":"True","lastTransitionTime":"2025-09-12T20:00:01Z"}},{{"type":"Ready","status":"{truth}","lastTransitionTime":"2025-09-12T20:00:09Z"}}],"containerStatuses":[{{"name":"app","ready":{ready},"restartCount":0,"image":"registry.example/shelf-{workload}:1.4.2","state":{state}}}]}}}}"#
        )
    }

    fn workload(self, workload: u64) -> Vec<String> {
        let namespace = self.namespace(workload);
        let metadata = |name: &str, kind: u64| {
            format!(
                r#""metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{workload:08x}-{kind:04x}-4d2a-9a4e-1f2e3d4c5b6a","resourceVersion":"{kind}{workload}","creationTimestamp":"2025-09-12T19:00:00Z""#
            )
        };
        let name = format!("shelf-{workload}");
        let template = format!(
            r#""replicas":{REPLICAS},"template":{{"metadata":{{"labels":{{"app":"{name}"}}}},"spec":{{"containers":[{{"name":"app","image":"registry.example/{name}:1.4.2"}}]}}}}"#
        );
        let ready = format!(r#""status":{{"replicas":{REPLICAS},"readyReplicas":{REPLICAS},"updatedReplicas":{REPLICAS}}}"#);
        let owner = format!(r#","ownerReferences":[{{"kind":"Deployment","name":"{name}","controller":true}}]"#);
        vec![
            format!(
                r#"{{"apiVersion":"apps/v1","kind":"ReplicaSet",{}{owner}}},"spec":{{{template}}},{ready}}}"#,
                metadata(&format!("{name}-7c9d8f6b5"), 0x1111)
            ),
            format!(r#"{{"apiVersion":"apps/v1","kind":"Deployment",{}}},"spec":{{{template}}},{ready}}}"#, metadata(&name, 0x2222)),
            format!(
                r#"{{"apiVersion":"v1","kind":"Service",{}}},"spec":{{"selector":{{"app":"{name}"}},"ports":[{{"port":80,"targetPort":"http"}}]}}}}"#,
                metadata(&name, 0x3333)
            ),
            format!(r#"{{"apiVersion":"v1","kind":"ConfigMap",{}}},"data":{{"mode":"quick","level":"info"}}}}"#, metadata(&name, 0x4444)),
        ]
    }

    fn node(self, node: u64) -> String {
        format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"node-{node}","uid":"{node:08x}-5555-4d2a-9a4e-1f2e3d4c5b6a","resourceVersion":"5{node}","creationTimestamp":"2025-09-12T18:00:00Z","labels":{{"kubernetes.io/hostname":"node-{node}"}}}},"spec":{{"podCIDR":"10.1.0.0/24"}},"status":{{"conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"2025-09-12T18:00:30Z"}}]}}}}"#
        )
    }

    /// Whether a pod is hit by the storm: one in thirty.
    #[must_use]
    pub const fn is_hit(pod: u64) -> bool {
        pod.is_multiple_of(30)
    }

    /// An Event of a storm: the pods that are hit get no network, or no image from one registry.
    #[must_use]
    pub fn event(self, number: u64, at: i64) -> String {
        let pod = number.wrapping_mul(0x2545_F491_4F6C_DD1D) % (self.pods / 30) * 30;
        let (name, namespace, node) = (self.pod_name(pod), self.namespace(pod / REPLICAS), self.node_of(pod));
        let (reason, message) = if pod.is_multiple_of(60) {
            (
                "Failed",
                format!(
                    r#"Failed to pull image \"registry.example/shelf-{}:1.4.2\": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry.example/v2/: 429 Too Many Requests"#,
                    pod / REPLICAS
                ),
            )
        } else {
            (
                "FailedCreatePodSandBox",
                format!(
                    r#"Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"{number:x}\": plugin type=\"bridge-cni\" name=\"bridge\" failed (add): timed out"#
                ),
            )
        };
        let time = faro_core::Nanos(at);
        format!(
            r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"{name}.{number:x}","namespace":"{namespace}","uid":"{number:08x}-9999-4d2a-9a4e-1f2e3d4c5b6a","resourceVersion":"9{number}"}},"type":"Warning","reason":"{reason}","message":"{message}","count":1,"firstTimestamp":"{time}","lastTimestamp":"{time}","involvedObject":{{"apiVersion":"v1","kind":"Pod","namespace":"{namespace}","name":"{name}","uid":"{pod:08x}-83cc-4d2a-9a4e-1f2e3d4c5b6a"}},"source":{{"component":"kubelet","host":"node-{node}"}}}}"#
        )
    }
}
