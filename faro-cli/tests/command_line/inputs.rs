//! Files, folders, standard input, packed and in every shape.

use super::{Shell, delivered, event};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

#[test]
fn every_way_in_gives_the_same() {
    let shell = Shell::new();
    let lines = format!("{}\n{}\n", event("a", 3), event("b", 2));
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{},{}]}}"#, event("a", 3), event("b", 2));
    let bare = |name, count| event(name, count).replace(r#""apiVersion":"v1","kind":"Event","#, "");
    let events = format!(r#"{{"kind":"EventList","apiVersion":"v1","items":[{},{}]}}"#, bare("a", 3), bare("b", 2));
    let value: serde_json::Value = serde_json::from_str(&list).unwrap();
    let yaml = serde_saphyr::to_string(&value).unwrap();
    shell.file("lines.ndjson", &lines);
    shell.file("list.json", &list);
    shell.file("events.json", &events);
    shell.file("pretty.json", serde_json::to_string_pretty(&value).unwrap());
    shell.file("array.json", format!("[\n{},\n{}\n]\n", event("a", 3), event("b", 2)));
    shell.file("windows.ndjson", format!("\u{feff}{}\r\n\r\n{}", event("a", 3), event("b", 2)));
    shell.file("list.yaml", &yaml);
    shell.file("documents.yaml", format!("---\n{}---\n{}", yaml_of(&event("a", 3)), yaml_of(&event("b", 2))));
    shell.file("folder/1.json", event("a", 3));
    shell.file("folder/deeper/2.yml", yaml_of(&event("b", 2)));
    shell.file("folder/README.md", "not a recording");
    shell.file("lines.ndjson.gz", gzip(&[&lines]));
    shell.file("parts.gz", gzip(&[&format!("{}\n", event("a", 3)), &event("b", 2)]));
    shell.file("lines.ndjson.zst", zstd(&lines));
    let want = shell.run(&["replay", "lines.ndjson"]);
    assert_eq!(want.summary()["occurrences"]["total"], 5);
    for name in [
        "list.json",
        "events.json",
        "pretty.json",
        "array.json",
        "windows.ndjson",
        "list.yaml",
        "documents.yaml",
        "folder",
        "lines.ndjson.gz",
        "parts.gz",
        "lines.ndjson.zst",
    ] {
        let ran = shell.run(&["replay", name]);
        assert_eq!((&ran.out, &*ran.err), (&want.out, ""), "{name}");
    }
    assert_eq!(shell.run_with(&["replay", "-"], lines.as_bytes()).out, want.out);
    assert_eq!(shell.run_with(&["replay", "-"], &gzip(&[&lines])).out, want.out);
    assert_eq!(shell.run_with(&["replay", "-"], yaml.as_bytes()).out, want.out);
}

#[test]
fn timed_files_are_one_stream() {
    let shell = Shell::new();
    shell.file("a.ndjson", format!("{}\n{}\n", delivered("e1", 1), delivered("e5", 5)));
    shell.file("b.ndjson", format!("{}\n{}\n", delivered("e3", 3), delivered("e9", 9)));
    let names: Vec<String> = shell
        .run(&["replay", "--emit", "event", "b.ndjson", "a.ndjson"])
        .records()
        .iter()
        .map(|record| record["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["e1", "e3", "e5", "e9"]);
}

#[test]
fn final_prints_each_group_once() {
    let shell = Shell::new();
    let other = event("c", 1)
        .replace("web-1", "web-2")
        .replace("u1", "u2")
        .replace("BackOff", "Pulled")
        .replace("Back-off restarting failed container app in pod", "Pulled for");
    let lines = [delivered("e1", 1), other, delivered("e5", 5), delivered("e9", 9)].join("\n");
    shell.file("a.ndjson", lines);
    let records = shell.run(&["replay", "--final", "--emit", "all", "a.ndjson"]).records();
    let types: Vec<&str> = records.iter().map(|record| record["record"].as_str().unwrap()).collect();
    assert_eq!(types, ["event", "event", "event", "event", "group", "group", "summary"]);
    assert_eq!(records[4]["severity"], "critical");
    assert_eq!(records[5]["reason"], "Pulled");
}

#[test]
fn empty_inputs_are_valid() {
    let shell = Shell::new();
    shell.file("empty.json", "");
    shell.file("blank.yaml", "\n\n---\n# nothing\n");
    shell.file("list.json", r#"{"kind":"List","items":[]}"#);
    for name in ["empty.json", "blank.yaml", "list.json"] {
        assert_eq!(shell.run(&["replay", name]).summary()["records"]["total"], 0, "{name}");
    }
    assert_eq!(shell.run_with(&["replay", "-"], b"").summary()["records"]["total"], 0);
}

fn yaml_of(json: &str) -> String {
    serde_saphyr::to_string(&serde_json::from_str::<serde_json::Value>(json).unwrap()).unwrap()
}

pub(crate) fn gzip(members: &[&str]) -> Vec<u8> {
    members.iter().fold(Vec::new(), |packed, member| {
        let mut encoder = GzEncoder::new(packed, Compression::fast());
        encoder.write_all(member.as_bytes()).unwrap();
        encoder.finish().unwrap()
    })
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}
