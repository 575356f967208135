//! A flood: as many Events as a large cluster keeps after a bad hour, one a line, as
//! `kubectl get events -A -o json | jq -c '.items[]'` prints them.
//!
//! The Events come in random order, about objects in random order, so that neither caches nor sorted input flatter a reader.

mod catalogue;

use std::io;

use catalogue::{NAMESPACES, Origin, TEMPLATES, Template, WORKLOADS};

use crate::cilium_night::dice::Dice;

/// The seed that the benchmarks use.
pub const DEFAULT_SEED: u64 = 0x0466_0466_0466;

/// 2025-09-12T18:00:00Z.
const START: u64 = 1_757_700_000;
/// The groups begin within five hours of [`START`].
const SPAN: u64 = 5 * 3_600;
/// At most this much time lies between two Events of a group, which the default window of five minutes joins.
const STEP: u64 = 200;
/// Bytes to collect before they are written.
const CHUNK: usize = 1 << 18;

/// How much to generate.
///
/// # Example
///
/// ```
/// use faro_tests::flood::{Flood, write};
///
/// let mut lines = Vec::new();
/// write(&mut lines, &Flood { events: 1_000, groups: 250, ..Flood::default() })?;
/// assert_eq!(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 1_000);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flood {
    /// The number of Events, each an object of its own.
    pub events: u32,
    /// The number of groups that they make under the default key and window; no more than there are Events.
    pub groups: u32,
    /// What to roll the dice with; equal seeds give equal bytes.
    pub seed: u64,
}

impl Default for Flood {
    /// 400,000 Events in 100,000 groups, about 470 MB.
    fn default() -> Self {
        Self { events: 400_000, groups: 100_000, seed: DEFAULT_SEED }
    }
}

impl Flood {
    /// Returns how many occurrences the Events count.
    pub fn occurrences(&self) -> u64 {
        (0..self.events).map(|index| u64::from(self.event(index).count)).sum()
    }

    fn event(&self, index: u32) -> Event {
        let groups = self.groups.clamp(1, self.events.max(1));
        let (group, turn) = (index % groups, u64::from(index / groups));
        // Three groups share a pod; their templates differ, so they stay three groups.
        let pod = group / 3;
        let mut of_pod = Dice::new(self.seed ^ (u64::from(pod) << 20));
        let first_template = of_pod.below(TEMPLATES.len() as u64) as usize;
        let template = &TEMPLATES[(first_template + (group % 3) as usize) % TEMPLATES.len()];
        let mut own = Dice::new(!self.seed ^ (u64::from(index) << 24));
        let start = Dice::new(self.seed ^ (u64::from(group) << 28) ^ 0x5eed).below(SPAN);
        let count = match template.origin {
            Origin::Scheduler => 1,
            Origin::Kubelet | Origin::Controller(_) => match own.below(8) {
                0 => 2 + own.below(38) as u32,
                _ => 1,
            },
        };
        let first = START + start + turn * STEP + own.below(40);
        let last = if count > 1 { first + 1 + own.below(50) } else { first };
        Event { index, template, of_pod, own, count, first, last }
    }
}

/// One Event before it is written.
struct Event {
    index: u32,
    template: &'static Template,
    of_pod: Dice,
    own: Dice,
    count: u32,
    first: u64,
    last: u64,
}

/// Writes the flood.
///
/// # Errors
///
/// Fails when `out` does.
pub fn write(out: &mut impl io::Write, flood: &Flood) -> io::Result<()> {
    let mut order: Vec<u32> = (0..flood.events).collect();
    let mut dice = Dice::new(flood.seed);
    for index in (1..order.len()).rev() {
        order.swap(index, dice.below(index as u64 + 1) as usize);
    }
    let mut line = Line::default();
    for index in order {
        line.event(flood.event(index));
        if line.bytes.len() >= CHUNK {
            out.write_all(&line.bytes)?;
            line.bytes.clear();
        }
    }
    out.write_all(&line.bytes)
}

/// Collects lines. Nothing that goes in needs escaping, except what the templates have escaped already.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    name: Vec<u8>,
    day: (u64, String),
}

impl Line {
    fn event(&mut self, mut event: Event) {
        let template = event.template;
        let dice = &mut event.of_pod;
        let namespace = NAMESPACES[dice.below(NAMESPACES.len() as u64) as usize];
        let workload = WORKLOADS[dice.below(WORKLOADS.len() as u64) as usize];
        let uid = (dice.roll(), dice.roll());
        let node = dice.below(400);
        self.name.clear();
        self.name.extend_from_slice(workload.as_bytes());
        let name = dice.roll();
        self.name.push(b'-');
        letters(&mut self.name, name, 9);
        self.name.push(b'-');
        letters(&mut self.name, name >> 36, 5);
        let scheduler = matches!(template.origin, Origin::Scheduler);

        if scheduler {
            self.text("{\"action\":\"Binding\",\"apiVersion\":\"v1\",\"eventTime\":\"");
            self.time(event.first, b".000000");
            self.text("\",\"firstTimestamp\":null,\"involvedObject\":{\"apiVersion\":\"v1\"");
        } else {
            self.text("{\"apiVersion\":\"v1\",\"count\":");
            self.number(u64::from(event.count));
            self.text(",\"eventTime\":null,\"firstTimestamp\":\"");
            self.time(event.first, b"");
            self.text("\",\"involvedObject\":{\"apiVersion\":\"v1\"");
        }
        if template.container {
            self.text(",\"fieldPath\":\"spec.containers{");
            self.text(workload);
            self.text("}\"");
        }
        self.text(",\"kind\":\"Pod\",\"name\":\"");
        self.own_name();
        self.text("\",\"namespace\":\"");
        self.text(namespace);
        self.text("\",\"resourceVersion\":\"");
        self.number(730_000_000 + u64::from(event.index) * 3);
        self.text("\",\"uid\":\"");
        self.uuid(uid);
        if scheduler {
            self.text("\"},\"kind\":\"Event\",\"lastTimestamp\":null,\"message\":\"");
        } else {
            self.text("\"},\"kind\":\"Event\",\"lastTimestamp\":\"");
            self.time(event.last, b"");
            self.text("\",\"message\":\"");
        }
        self.message(template.message, namespace, workload, uid, node, &mut event.own);
        self.text("\",\"metadata\":{\"creationTimestamp\":\"");
        self.time(event.first, b"");
        self.text("\",\"managedFields\":[{\"apiVersion\":\"");
        let (api_version, fields, manager) = template.origin.managed();
        self.text(api_version);
        self.text("\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{");
        self.text(fields);
        self.text("},\"manager\":\"");
        self.text(manager);
        self.text("\",\"operation\":\"Update\",\"time\":\"");
        self.time(event.last, b"");
        self.text("\"}],\"name\":\"");
        self.own_name();
        self.bytes.push(b'.');
        self.hex(event.first * 1_000_000_000 + event.own.below(1_000_000_000), 16);
        self.text("\",\"namespace\":\"");
        self.text(namespace);
        self.text("\",\"resourceVersion\":\"");
        self.number(730_000_002 + u64::from(event.index) * 3);
        self.text("\",\"uid\":\"");
        self.uuid((event.own.roll(), event.own.roll()));
        self.text("\"},\"reason\":\"");
        self.text(template.reason);
        self.reporter(template, node);
    }

    fn reporter(&mut self, template: &Template, node: u64) {
        match template.origin {
            Origin::Kubelet => {
                self.text("\",\"reportingComponent\":\"kubelet\",\"reportingInstance\":\"");
                self.node(node);
                self.text("\",\"source\":{\"component\":\"kubelet\",\"host\":\"");
                self.node(node);
                self.text("\"},\"type\":\"");
            }
            Origin::Scheduler => self.text(
                "\",\"reportingComponent\":\"default-scheduler\",\"reportingInstance\":\"default-scheduler-cp-2\",\"source\":{},\
                 \"type\":\"",
            ),
            Origin::Controller(component) => {
                self.text("\",\"reportingComponent\":\"");
                self.text(component);
                self.text("\",\"reportingInstance\":\"\",\"source\":{\"component\":\"");
                self.text(component);
                self.text("\"},\"type\":\"");
            }
        }
        self.text(template.event_type);
        self.text("\"}\n");
    }

    /// Fills a message in: `%p` is the pod, `%n` the namespace, `%w` the workload, `%u` the pod's uid, `%h` the node, `%s` a
    /// sandbox id, `%i` an address, `%d` a duration.
    fn message(&mut self, message: &str, namespace: &str, workload: &str, uid: (u64, u64), node: u64, own: &mut Dice) {
        let mut parts = message.split('%');
        self.text(parts.next().unwrap_or_default());
        for part in parts {
            let (slot, rest) = part.split_at(part.len().min(1));
            match slot {
                "p" => self.own_name(),
                "n" => self.text(namespace),
                "w" => self.text(workload),
                "u" => self.uuid(uid),
                "h" => self.node(node),
                "s" => (0..4).for_each(|_| self.hex(own.roll(), 16)),
                "i" => {
                    self.text("10.244.");
                    self.number(node % 256);
                    self.bytes.push(b'.');
                    self.number(4 + uid.0 % 250);
                }
                "d" => {
                    self.number(1 + own.below(40));
                    self.bytes.push(b'.');
                    self.number(100 + own.below(900));
                    self.bytes.push(b's');
                }
                other => debug_assert!(false, "unknown slot `{other}`"),
            }
            self.text(rest);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn own_name(&mut self) {
        self.bytes.extend_from_slice(&self.name);
    }

    fn node(&mut self, node: u64) {
        self.text("worker-");
        self.number(1_000 + node);
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    fn hex(&mut self, number: u64, digits: u32) {
        for digit in (0..digits).rev() {
            self.bytes.push(b"0123456789abcdef"[(number >> (4 * digit)) as usize & 15]);
        }
    }

    fn uuid(&mut self, (high, low): (u64, u64)) {
        let (high, low) = ((high & !0xf000) | 0x4000, (low & (u64::MAX >> 2)) | (1 << 63));
        self.hex(high >> 32, 8);
        self.bytes.push(b'-');
        self.hex(high >> 16, 4);
        self.bytes.push(b'-');
        self.hex(high, 4);
        self.bytes.push(b'-');
        self.hex(low >> 48, 4);
        self.bytes.push(b'-');
        self.hex(low, 12);
    }

    fn time(&mut self, seconds: u64, fraction: &[u8]) {
        let day = seconds / 86_400;
        if self.day.0 != day {
            let date = chrono::DateTime::from_timestamp(seconds.cast_signed(), 0).unwrap_or_default();
            self.day = (day, date.format("%Y-%m-%dT").to_string());
        }
        self.bytes.extend_from_slice(self.day.1.as_bytes());
        let of_day = seconds % 86_400;
        for (value, after) in [(of_day / 3_600, ":"), (of_day / 60 % 60, ":"), (of_day % 60, "")] {
            self.bytes.extend([b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
            self.text(after);
        }
        self.bytes.extend_from_slice(fraction);
        self.bytes.push(b'Z');
    }
}

/// Appends letters of a generated name, four bits each.
fn letters(name: &mut Vec<u8>, bits: u64, length: u32) {
    name.extend((0..length).map(|at| b"bcdfghjkmnpqrstv"[(bits >> (4 * at)) as usize & 15]));
}

#[cfg(test)]
mod tests;
