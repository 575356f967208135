use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[test]
fn recreated_object_replaces_the_one_of_its_name() {
    let mut known = Known::default();
    assert_eq!(known.observe(&object("shop", "web", "u1", "1")), Sighting::New);
    assert_eq!(known.observe(&object("shop", "web", "u1", "1")), Sighting::Same);
    assert_eq!(known.observe(&object("shop", "web", "u1", "2")), Sighting::Changed);
    assert_eq!(known.observe(&object("shop", "web", "u2", "3")), Sighting::Replaced(object("shop", "web", "u1", "2")));
    assert_eq!(known.len(), 1);
}

#[test]
fn texts_go_with_their_last_user() {
    let mut known = Known::default();
    for name in ["a", "b"] {
        known.observe(&object("shop", name, "u", "1"));
    }
    known.remove("shop", "a");
    assert_eq!(known.texts.len(), 3);
    known.remove("shop", "b");
    assert_eq!(known.texts.len(), 0);
}

#[test]
fn entries_of_pods_are_small() {
    let mut known = Known::default();
    let name = "checkout-7d4b9c6f5d-x2x9k".to_owned();
    let pod = KnownObject { name: Cow::Owned(name), ..object("shop", "", "0e7a3c52-9f0b-4c6e-8a55-1f7c0f7ed0aa", "123456789") };
    known.observe(&pod);
    let bytes: usize = known.table.iter().map(|entry| entry.0.len() + size_of::<Entry>()).sum();
    assert!(bytes <= 90, "{bytes} bytes");
    assert_eq!(known.find("shop", &pod.name), Some(pod));
}

#[derive(Clone, Debug)]
enum Op {
    Observe { namespace: u8, name: u8, uid: u8, version: u8 },
    Remove { namespace: u8, name: u8 },
    Round { seen: Vec<(u8, u8)> },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..2u8, 0..5u8, 0..3u8, 0..4u8).prop_map(|(namespace, name, uid, version)| Op::Observe { namespace, name, uid, version }),
        1 => (0..2u8, 0..5u8).prop_map(|(namespace, name)| Op::Remove { namespace, name }),
        1 => vec((0..2u8, 0..5u8), 0..6).prop_map(|seen| Op::Round { seen }),
    ]
}

proptest! {
    #[test]
    fn known_agrees_with_a_plain_map(ops in vec(op(), 1..60)) {
        let mut known = Known::default();
        let mut plain: BTreeMap<(String, String), KnownObject<'static>> = BTreeMap::new();
        for op in ops {
            match op {
                Op::Observe { namespace, name, uid, version } => {
                    let object = object(&format!("n{namespace}"), &format!("o{name}"), &format!("u{uid}"), &version.to_string());
                    known.observe(&object);
                    plain.insert((object.namespace.to_string(), object.name.to_string()), object);
                }
                Op::Remove { namespace, name } => {
                    let (namespace, name) = (format!("n{namespace}"), format!("o{name}"));
                    prop_assert_eq!(known.remove(&namespace, &name), plain.remove(&(namespace, name)));
                }
                Op::Round { seen } => {
                    known.begin_round();
                    let seen: Vec<_> = seen.into_iter().map(|(namespace, name)| (format!("n{namespace}"), format!("o{name}"))).collect();
                    for key in &seen {
                        if let Some(object) = plain.get(key) {
                            prop_assert_eq!(known.observe(object), Sighting::Same);
                        }
                    }
                    let missing: Vec<_> = plain.keys().filter(|key| !seen.contains(key)).cloned().collect();
                    let want: Vec<_> = missing.iter().filter_map(|key| plain.remove(key)).collect();
                    prop_assert_eq!(known.end_round(), want);
                }
            }
            let mut all: Vec<_> = known.iter().collect();
            all.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
            let again = Known::from_lines(&known.to_lines()).unwrap();
            prop_assert_eq!(again.len(), known.len());
            prop_assert!(known.iter().all(|object| again.find(&object.namespace, &object.name) == Some(object)));
            prop_assert_eq!(all, plain.values().cloned().collect::<Vec<_>>());
        }
    }
}

fn object(namespace: &str, name: &str, uid: &str, version: &str) -> KnownObject<'static> {
    KnownObject {
        namespace: Cow::Owned(namespace.to_owned()),
        name: Cow::Owned(name.to_owned()),
        uid: Uid::new(uid),
        version: Version::new(version),
        labels: Cow::Borrowed(r#"{"app":"web"}"#),
        owner_references: Cow::Borrowed(r#"[{"kind":"ReplicaSet","name":"web-1","controller":true}]"#),
    }
}
