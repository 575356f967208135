//! The README against the files that it speaks of.

use faro_core::severity::Catalogue;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The library in ten lines is not a sketch: it stands in the example, line by line.
#[test]
fn library_snippet_is_the_example() {
    let readme = read("README.md");
    let example = read("faro-core/examples/embed.rs");
    let (_, rest) = readme.split_once("```rust\n").expect("the README has a snippet in Rust");
    let (snippet, _) = rest.split_once("```").expect("the snippet ends");
    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    assert!(trimmed(&example).contains(trimmed(snippet).trim_end()), "faro-core/examples/embed.rs has other lines");
}

/// Every file and folder that the README links to is there.
#[test]
fn links_lead_somewhere() {
    let readme = read("README.md");
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files: Vec<_> = links.filter(|link| !link.starts_with('#') && !link.contains("://")).collect();
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        assert!(root().join(file).exists(), "{file}");
    }
}

/// The size of the catalogue is a figure that grows.
#[test]
fn catalogue_is_as_large_as_it_says() {
    let entries = Catalogue::builtin().entries().count();
    let reasons = Catalogue::builtin().entries().map(faro_core::severity::Entry::reason).collect::<BTreeSet<_>>().len();
    let grouped = |number: usize| format!("{},{:03}", number / 1000, number % 1000);
    let claim = format!("{} entries for {} reasons", grouped(entries), grouped(reasons));
    assert!(read("README.md").contains(&claim), "the README does not say: {claim}");
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect("the repository has this file")
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
