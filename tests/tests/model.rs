//! The engine against the oracle, on random runs and on written ones.

use faro_core::GroupBy;
use faro_tests::model::{Ago, More, Op, Setup, Slot, Span, Style, Subject, What, check, check_with};
use proptest::collection::vec;
use proptest::prelude::*;

fn runs() -> impl Strategy<Value = Vec<Op>> {
    vec(any::<Op>(), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn engine_agrees_with_oracle(ops in runs()) {
        check(&ops);
    }

    #[test]
    fn engine_that_prints_events_agrees_with_oracle(ops in runs()) {
        check_with(Setup { events: true, ..Setup::default() }, &ops);
    }

    #[test]
    fn groups_by_reason_agree_with_oracle(ops in runs()) {
        check_with(Setup { group_by: GroupBy::Reason, ..Setup::default() }, &ops);
    }

    #[test]
    fn groups_by_workload_agree_with_oracle(ops in runs()) {
        check_with(Setup { group_by: GroupBy::Workload, ..Setup::default() }, &ops);
    }

    #[test]
    fn odd_settings_agree_with_oracle(
        ops in runs(),
        window in prop_oneof![Just(1_i64), Just(60), Just(3600)],
        lateness in prop_oneof![Just(0_i64), Just(20), Just(7200)],
        update_interval in prop_oneof![Just(0_i64), Just(1), Just(900)],
    ) {
        check_with(Setup { window, lateness, update_interval, ..Setup::default() }, &ops);
    }

    #[test]
    fn few_groups_lose_no_occurrence(ops in runs(), groups in 1..6_usize) {
        check_with(Setup { groups, ..Setup::default() }, &ops);
    }

    #[test]
    fn few_counters_guess_no_occurrence(ops in runs(), counters in 1..6_usize, groups in 2..8_usize) {
        check_with(Setup { counters, groups, ..Setup::default() }, &ops);
    }
}
