//! The engine against the oracle, on random runs and on written ones.

use faro_core::GroupBy;
use faro_tests::model::{Ago, More, Op, Setup, Slot, Span, Style, Subject, What, check, check_with};
use proptest::collection::vec;
use proptest::prelude::*;

fn runs() -> impl Strategy<Value = Vec<Op>> {
    vec(any::<Op>(), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
        // Of two counts at the mark itself nobody can tell which one was forgotten, nor of an Event that learns later when it began.
        let told = |op: &Op| !matches!(op, Op::Report { style: Style::EventTime | Style::Timeless, .. } | Op::Recount { .. });
        let ops: Vec<Op> = ops.into_iter().filter(told).collect();
        check_with(Setup { counters, groups, ..Setup::default() }, &ops);
    }
}

#[test]
fn group_reopens_after_silence() {
    check(&[report(WEB, More::One), Op::Wait { span: Span::BeyondWindow }, report(WEB, More::One), report(WEB, More::One)]);
}

#[test]
fn occurrence_between_two_groups_makes_them_one() {
    let late = Op::Report { event: OTHER, more: More::One, ago: Ago::Seconds(150), style: Style::Core };
    check(&[report(WEB, More::One), Op::Wait { span: Span::BeyondWindow }, report(WEB, More::One), late]);
    check(&[report(WEB, More::One), Op::Wait { span: Span::BeyondWindow }, report(WEB, More::One), late, Op::Restart, Op::Relist]);
}

#[test]
fn occurrence_between_two_groups_in_a_list_makes_them_one_at_its_end() {
    let late = Op::Report { event: OTHER, more: More::One, ago: Ago::Seconds(150), style: Style::Core };
    let (begin, end) = (Op::BeginList { of_pods: false }, Op::EndList { of_pods: false });
    check(&[report(WEB, More::One), Op::Wait { span: Span::BeyondWindow }, report(WEB, More::One), begin, late, Op::Restart, end]);
}

#[test]
fn jumped_count_reopens_the_closed_group() {
    check(&[report(WEB, More::One), Op::Wait { span: Span::BeyondWindow }, Op::Tick, report(WEB, More::Leap), Op::Relist]);
}

#[test]
fn last_change_of_a_closed_group_is_printed_before_it_is_forgotten() {
    let late = |event| Op::Report { event, more: More::One, ago: Ago::Minutes(14), style: Style::Core };
    let almost = [Span::Lateness, Span::Seconds(240), Span::Seconds(50)].map(|span| Op::Wait { span });
    check(&[&[report(WEB, More::One)], &almost[..], &[late(WEB), late(OTHER), late(WEB), Op::Wait { span: Span::Hour }]].concat());
}

#[test]
fn late_change_leaves_a_closed_group_closed() {
    let late = |event| Op::Report { event, more: More::One, ago: Ago::BeyondWindow, style: Style::Core };
    check(&[report(WEB, More::One), Op::Wait { span: Span::BeyondWindow }, late(OTHER), late(WEB), Op::Wait { span: Span::Seconds(30) }]);
}

#[test]
fn group_that_waited_for_its_update_prints_at_the_end_of_a_list_that_changes_it() {
    let second = Op::Wait { span: Span::Seconds(1) };
    check(&[
        report(WEB, More::One),
        second,
        report(WEB, More::One),
        Op::BeginList { of_pods: false },
        report(OTHER, More::One),
        Op::Restart,
        Op::EndList { of_pods: false },
    ]);
}

#[test]
fn groups_of_two_pods_that_turn_out_to_be_one_workload_escalate_together() {
    let rebooted = |subject| Slot { subject, what: What::Rebooted, twin: false };
    let (web, api) = (rebooted(Subject::Web), rebooted(Subject::Api));
    let adopted = [Subject::Web, Subject::Api].map(|subject| Op::Adopt { subject });
    let ops = [report(web, More::One), report(web, More::One), report(api, More::One), adopted[0], adopted[1]];
    check_with(Setup { group_by: GroupBy::Workload, ..Setup::default() }, &ops);
}

#[test]
fn segments_of_an_adopted_pod_leave_nothing_behind() {
    let silence = Op::Wait { span: Span::BeyondWindow };
    let ops = [
        report(WEB, More::One),
        silence,
        report(WEB, More::One),
        silence,
        report(WEB, More::One),
        Op::Adopt { subject: Subject::Web },
        silence,
        Op::Relist,
    ];
    check_with(Setup { group_by: GroupBy::Workload, ..Setup::default() }, &ops);
}

#[test]
fn forgotten_counter_that_goes_on_is_not_counted_anew() {
    let others =
        [What::CrashLoop, What::Pulled, What::Unknown].map(|what| report(Slot { subject: Subject::Api, what, twin: false }, More::One));
    let second = Op::Wait { span: Span::Seconds(1) };
    let ops = [&[report(WEB, More::Few(5)), second], &others[..], &[second, report(WEB, More::One)]].concat();
    check_with(Setup { counters: 2, ..Setup::default() }, &ops);
}

const WEB: Slot = Slot { subject: Subject::Web, what: What::Sandbox, twin: false };
const OTHER: Slot = Slot { subject: Subject::Web, what: What::Sandbox, twin: true };

const fn report(event: Slot, more: More) -> Op {
    Op::Report { event, more, ago: Ago::Now, style: Style::Core }
}

#[test]
fn jump_of_more_than_a_thousand_occurrences_that_lie_apart_is_one_group() {
    let ready = Slot { subject: Subject::Api, what: What::Readiness, twin: false };
    let report = |more, style| Op::Report { event: ready, more, ago: Ago::Now, style };
    let ops = [
        report(More::None, Style::Future),
        report(More::Leap, Style::EventTime),
        Op::Wait { span: Span::Lateness },
        report(More::Leap, Style::Future),
    ];
    check_with(Setup { window: 1, lateness: 7200, update_interval: 0, ..Setup::default() }, &ops);
}
