//! The acceptance scenarios about what Events mean, each under its id; `tests/SCENARIOS.md` restates them clause by clause.

#[path = "scenarios/bad_text.rs"]
mod bad_text;
#[path = "scenarios/catalogue.rs"]
mod catalogue;
#[path = "scenarios/causes.rs"]
mod causes;
#[path = "scenarios/counting.rs"]
mod counting;
#[path = "scenarios/grouping.rs"]
mod grouping;
#[path = "scenarios/objects.rs"]
mod objects;
#[path = "scenarios/oddities.rs"]
mod oddities;
#[path = "scenarios/own_causes.rs"]
mod own_causes;
#[path = "scenarios/printing.rs"]
mod printing;
#[path = "scenarios/severity.rs"]
mod severity;
#[path = "scenarios/stage.rs"]
mod stage;
#[path = "scenarios/times.rs"]
mod times;
#[path = "scenarios/told_apart.rs"]
mod told_apart;
#[path = "scenarios/watching.rs"]
mod watching;
