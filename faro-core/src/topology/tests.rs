use super::*;

#[test]
fn edges_follow_the_object() {
    let mut topology = Topology::new(NonZeroUsize::MAX);
    let pod = put(&mut topology, "Pod", "web-1", &[(Relation::RunsOn, "Node", "n1")], &["app=web"]);
    let node = topology.find("", "Node", "", "n1").unwrap();
    assert_eq!(topology.dependents(node, Relation::RunsOn).collect::<Vec<_>>(), [pod]);
    put(&mut topology, "Pod", "web-1", &[(Relation::RunsOn, "Node", "n2")], &["app=web"]);
    assert_eq!(topology.find("", "Node", "", "n1"), None);
    topology.delete(pod, Nanos(1));
    topology.forget(pod);
    assert_eq!(topology.len(), 0, "nothing is left of a graph that nobody names");
}

#[test]
fn service_selects_pods_that_come_before_and_after() {
    let mut topology = Topology::new(NonZeroUsize::MAX);
    let before = put(&mut topology, "Pod", "a", &[], &["app=web", "tier=x"]);
    let service = topology.named("", "Service", "shop", "web").unwrap();
    let detail = Detail::Service { selector: Box::new(["app=web".into()]), ports: Box::default() };
    topology.apply(service, "", "v1", Reading { detail, ..Reading::default() }, Nanos(0));
    let after = put(&mut topology, "Pod", "b", &[], &["app=web"]);
    put(&mut topology, "Pod", "c", &[], &["app=webshop"]);
    assert_eq!(BTreeSet::from_iter(topology.selected(service)), BTreeSet::from([before, after]));
    assert_eq!(topology.selecting(after), [service]);
}

#[test]
fn selector_that_misses_by_little_names_what_it_means() {
    let mut topology = Topology::new(NonZeroUsize::MAX);
    put(&mut topology, "Pod", "a", &[], &["app=order-api"]);
    let service = topology.named("", "Service", "shop", "order-api").unwrap();
    for (selector, want) in [("app=order_api", true), ("ap=order-api", true), ("app=billing", true), ("role=leader", false)] {
        let detail = Detail::Service { selector: Box::new([selector.into()]), ports: Box::default() };
        topology.apply(service, "", "v1", Reading { detail, ..Reading::default() }, Nanos(0));
        assert_eq!(topology.nearly_selected(service).is_some(), want, "{selector}");
    }
}

#[test]
fn cyclic_owners_end() {
    let mut topology = Topology::new(NonZeroUsize::MAX);
    let a = put(&mut topology, "ReplicaSet", "a", &[(Relation::OwnedBy, "ReplicaSet", "b")], &[]);
    put(&mut topology, "ReplicaSet", "b", &[(Relation::OwnedBy, "ReplicaSet", "a")], &[]);
    assert!(topology.workload(a).is_some());
    assert_eq!(odd(&topology), ["cyclic-owners"]);
}

#[test]
fn what_is_named_twice_is_forgotten_once() {
    let mut topology = Topology::new(NonZeroUsize::MAX);
    let pod = put(&mut topology, "Pod", "a", &[(Relation::ReadsSecret, "Secret", "s"), (Relation::PullsWith, "Secret", "s")], &[]);
    topology.delete(pod, Nanos(1));
    topology.forget(pod);
    assert_eq!(topology.len(), 0);
    let (b, c) = (topology.named("", "Pod", "shop", "b"), topology.named("", "Pod", "shop", "c"));
    assert_ne!(b, c, "no number is given away twice");
}

#[test]
fn one_more_than_there_is_room_for_is_counted() {
    let mut topology = Topology::new(NonZeroUsize::MIN);
    put(&mut topology, "Pod", "a", &[(Relation::RunsOn, "Node", "n1")], &[]);
    assert_eq!(topology.len(), 1);
    assert_eq!(odd(&topology), ["no-room"]);
}

/// The oddities that were met.
fn odd(topology: &Topology) -> Vec<&'static str> {
    topology.oddities().filter(|(_, times)| *times > 0).map(|(oddity, _)| oddity.name()).collect()
}

fn put(topology: &mut Topology, kind: &str, name: &str, refs: &[(Relation, &str, &str)], labels: &[&str]) -> Slot {
    let slot = topology.named("", kind, "shop", name).unwrap();
    let refs = refs
        .iter()
        .map(|&(relation, kind, name)| {
            let namespace = if kind == "Node" { String::new() } else { "shop".to_owned() };
            Reference { relation, kind: kind.to_owned(), namespace, name: name.to_owned() }
        })
        .collect();
    let reading = Reading { refs, labels: labels.iter().map(|&label| label.to_owned()).collect(), ..Reading::default() };
    topology.apply(slot, "", "v1", reading, Nanos(0));
    slot
}
