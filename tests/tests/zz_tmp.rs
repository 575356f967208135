use faro_tests::model::*;
#[test]
fn t() {
    let s = |what, twin| Slot { subject: Subject::Web, what, twin };
    let setup = Setup { window: 1, lateness: 20, update_interval: 0, ..Setup::default() };
    let ops = [Op::Report { event: s(What::Readiness, false), more: More::None, ago: Ago::Now, style: Style::Core }, Op::Wait { span: Span::BeyondWindow }, Op::Renew { event: s(What::Liveness, false) },
      Op::Report { event: s(What::Readiness, false), more: More::Few(2), ago: Ago::Now, style: Style::Core }];
    let mut c = Cluster::new(setup); let mut sys = System::new(setup);
    for op in ops { for (now, i) in c.play(op) { println!("{i:?}"); sys.settle(now); sys.feed(now, &i); } }
    for p in sys.printed() { println!("{} {}", p.at, p.line); }
}
