//! What bounds and steers a namespace: quotas, autoscalers, and the namespace itself.

use super::{Condition, part, reference};
use crate::input::{RawObject, Text};
use crate::time::Nanos;
use crate::topology::{Detail, Fact, Reading, Relation};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Quota {
    hard: BTreeMap<String, Value>,
    used: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AutoscalerSpec<'a> {
    #[serde(borrow)]
    scale_target_ref: Target<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Target<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status<'a> {
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

pub(super) fn read(object: &RawObject<'_>, reading: &mut Reading) {
    let created = object.metadata().creation_timestamp.0;
    if object.kind() == "ResourceQuota" {
        quota(&part(object.0.status), created.unwrap_or(Nanos(0)), reading);
        return;
    }
    if object.kind() == "HorizontalPodAutoscaler" {
        let spec: AutoscalerSpec<'_> = part(object.0.spec);
        let Target { kind, name } = spec.scale_target_ref;
        reading.refs.push(reference(Relation::Scales, &kind, object.namespace(), &name));
    }
    let status: Status<'_> = part(object.0.status);
    for condition in status.conditions.iter().flatten() {
        let name = match (object.kind(), &*condition.type_, &*condition.status) {
            // Without a target's replicas there is nothing to do: that is how autoscaling is switched off.
            ("HorizontalPodAutoscaler", "ScalingActive", "False") if &*condition.reason != "ScalingDisabled" => "autoscaler-blind",
            ("HorizontalPodAutoscaler", "AbleToScale", "False") if &*condition.reason != "BackoffBoth" => "autoscaler-unable",
            (
                "Namespace",
                "NamespaceDeletionContentFailure" | "NamespaceDeletionDiscoveryFailure" | "NamespaceFinalizersRemaining",
                "True",
            ) => "namespace-stuck",
            _ => continue,
        };
        reading.facts.push(Fact::new(name, condition.says(), condition.since(created)));
    }
}

/// How full a quota may be before it may be what refuses something that asks for much.
const TIGHT: u32 = 75;

fn quota(quota: &Quota, since: Nanos, reading: &mut Reading) {
    for (resource, hard) in &quota.hard {
        let Some(used) = quota.used.get(resource) else { continue };
        let (hard_text, used_text) = (text(hard), text(used));
        let (Some(hard), Some(used)) = (quantity(&hard_text), quantity(&used_text)) else { continue };
        if hard <= 0.0 {
            continue;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
        let percent = (used / hard * 100.0).clamp(0.0, 1_000.0) as u32;
        if percent >= 100 {
            reading.facts.push(Fact::new("quota-full", format!("{resource}: {used_text} of {hard_text} used"), since));
        } else if percent >= TIGHT && (resource.contains("storage") || resource.contains("persistentvolumeclaims")) {
            reading.facts.push(Fact::new("quota-tight", format!("{resource}: {used_text} of {hard_text} used"), since));
        }
    }
    reading.detail = Detail::Quota;
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A `resource.Quantity` as a number.
fn quantity(text: &str) -> Option<f64> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}
