//! A table of what a candidate does, and many candidates at once on clocks that differ.

use super::*;
use proptest::prelude::*;

fn at(millis: u64) -> Now {
    Now { elapsed: Duration::from_millis(millis), time: DateTime::UNIX_EPOCH + Duration::from_millis(millis) }
}

fn held_by(holder: &str, version: &str) -> Seen {
    let holding = Holding { holder: holder.to_owned(), duration: Duration::from_secs(15), transitions: 4, ..Holding::default() };
    Seen { holding, version: version.to_owned() }
}

fn candidate() -> Election {
    Election::new("me".to_owned(), Timing::default())
}

#[track_caller]
fn send(election: &mut Election, millis: u64) -> Ask {
    match election.poll(at(millis)) {
        Step::Send(ask) => ask,
        other @ (Step::Wait(_) | Step::Over) => panic!("{other:?}"),
    }
}

#[track_caller]
fn waits(election: &mut Election, millis: u64, until: u64) {
    assert_eq!(election.poll(at(millis)), Step::Wait(Duration::from_millis(until)));
}

/// Answers a write as the server does.
fn written(election: &mut Election, ask: &Ask, version: &str, millis: u64) {
    let (Ask::Create(holding) | Ask::Replace(_, holding)) = ask else { panic!("{ask:?}") };
    election.answered(ask, Reply::Done(Seen { holding: holding.clone(), version: version.to_owned() }), at(millis));
}

/// Leads since 0.1 s, when its write of 0 s was answered.
fn leader() -> Election {
    let mut election = candidate();
    let read = send(&mut election, 0);
    election.answered(&read, Reply::Absent, at(0));
    let create = send(&mut election, 0);
    written(&mut election, &create, "1", 100);
    assert!(election.is_leading(Duration::from_millis(100)));
    election
}

#[test]
fn absent_lease_is_created() {
    let mut election = candidate();
    let read = send(&mut election, 0);
    assert_eq!(read, Ask::Read);
    election.answered(&read, Reply::Absent, at(5));
    let Ask::Create(holding) = send(&mut election, 5) else { panic!("no creation") };
    assert_eq!((holding.holder.as_str(), holding.transitions, holding.acquired), ("me", 0, Some(at(5).time)));
}

#[test]
fn lease_nobody_holds_is_taken_at_once() {
    let mut election = candidate();
    election.answered(&Ask::Read, Reply::Done(held_by("", "7")), at(0));
    let Ask::Replace(version, holding) = send(&mut election, 0) else { panic!("not taken") };
    assert_eq!((version.as_str(), holding.transitions), ("7", 5));
}

#[test]
fn held_lease_is_taken_when_it_has_not_changed_for_its_duration_by_our_clock() {
    let mut election = candidate();
    for millis in (0..15_000).step_by(2_000) {
        let read = send(&mut election, millis);
        assert_eq!(read, Ask::Read);
        election.answered(&read, Reply::Done(held_by("other", "7")), at(millis));
        waits(&mut election, millis, (millis + 2_000).min(15_000));
    }
    // It is renewed at the last moment: all over again.
    let read = send(&mut election, 15_000);
    election.answered(&read, Reply::Done(held_by("other", "8")), at(15_000));
    for millis in (17_000..30_000).step_by(2_000) {
        let read = send(&mut election, millis);
        election.answered(&read, Reply::Done(held_by("other", "8")), at(millis));
        waits(&mut election, millis, (millis + 2_000).min(30_000));
    }
    let read = send(&mut election, 30_000);
    election.answered(&read, Reply::Done(held_by("other", "8")), at(30_000));
    assert!(matches!(send(&mut election, 30_000), Ask::Replace(version, _) if version == "8"));
}

#[test]
fn times_in_the_lease_mean_nothing() {
    let mut election = candidate();
    let mut old = held_by("other", "7");
    old.holding.renewed = Some(DateTime::UNIX_EPOCH - Duration::from_secs(1_000_000));
    election.answered(&Ask::Read, Reply::Done(old), at(0));
    waits(&mut election, 0, 2_000);
}

#[test]
fn leader_renews_every_retry_period_without_reading() {
    let mut election = leader();
    waits(&mut election, 100, 2_000);
    let Ask::Replace(version, holding) = send(&mut election, 2_000) else { panic!("no renewal") };
    assert_eq!((version.as_str(), holding.transitions, holding.acquired), ("1", 0, Some(at(0).time)));
    assert_eq!(holding.renewed, Some(at(2_000).time));
}

#[test]
fn leader_gives_up_when_its_deadline_passes_counted_from_sending() {
    let mut election = leader();
    let renewal = send(&mut election, 2_000);
    written(&mut election, &renewal, "2", 3_900);
    for millis in [4_000, 6_000, 8_000, 10_000] {
        let ask = send(&mut election, millis);
        election.answered(&ask, Reply::Failed("no route".to_owned()), at(millis));
    }
    assert!(election.is_leading(Duration::from_millis(11_999)));
    assert!(!election.is_leading(Duration::from_secs(12)));
    waits(&mut election, 11_999, 12_000);
    assert_eq!(election.poll(at(12_000)), Step::Over);
    assert_eq!(election.loss(), Some("it could not be renewed for 10 s: no route"));
}

#[test]
fn leader_that_finds_another_holder_has_lost() {
    let mut election = leader();
    let renewal = send(&mut election, 2_000);
    election.answered(&renewal, Reply::Conflict, at(2_001));
    let read = send(&mut election, 2_001);
    assert_eq!(read, Ask::Read);
    election.answered(&read, Reply::Done(held_by("other", "9")), at(2_002));
    assert_eq!(election.poll(at(2_002)), Step::Over);
    assert_eq!(election.loss(), Some("`other` holds it"));
}

#[test]
fn somebody_else_changing_the_object_does_not_end_it() {
    let mut election = leader();
    let renewal = send(&mut election, 2_000);
    election.answered(&renewal, Reply::Conflict, at(2_001));
    let read = send(&mut election, 2_001);
    election.answered(&read, Reply::Done(held_by("me", "9")), at(2_002));
    assert!(matches!(send(&mut election, 2_002), Ask::Replace(version, _) if version == "9"));
    assert!(election.is_leading(Duration::from_millis(2_002)));
}

#[test]
fn answer_that_comes_after_the_deadline_makes_no_leader() {
    let mut election = candidate();
    election.answered(&Ask::Read, Reply::Absent, at(0));
    let create = send(&mut election, 0);
    written(&mut election, &create, "1", 10_000);
    assert!(!election.is_leading(Duration::from_secs(10)));
    assert!(matches!(send(&mut election, 10_000), Ask::Replace(..)));
}

#[test]
fn only_our_own_lease_is_given_back() {
    assert_eq!(candidate().release(at(0)), None);
    let Some(Ask::Replace(version, holding)) = leader().release(at(500)) else { panic!("not given back") };
    assert_eq!((version.as_str(), holding.holder.as_str(), holding.duration), ("1", "", Duration::from_secs(1)));
}

#[test]
fn deadline_bounds_the_wait_for_an_answer() {
    let election = leader();
    assert_eq!(election.patience(at(100)), Duration::from_secs(5));
    assert_eq!(election.patience(at(9_000)), Duration::from_secs(1));
    assert_eq!(candidate().patience(at(9_000)), Duration::from_secs(5));
}

/// A request under way: when it reaches the server, when its answer arrives, and what that is.
struct Flight {
    ask: Ask,
    arrives: Option<u64>,
    returns: Option<u64>,
    gives_up: u64,
    reply: Option<Reply>,
}

struct Player {
    election: Election,
    /// How much its clock advances in a thousand true milliseconds, and what it shows in the beginning.
    rate: u64,
    offset: u64,
    flight: Option<Flight>,
    dies: u64,
    fates: std::iter::Cycle<std::vec::IntoIter<Fate>>,
    late: Vec<(u64, Ask)>,
}

impl Player {
    fn now(&self, millis: u64) -> Now {
        at(self.offset + millis * self.rate / 1_000)
    }
}

#[derive(Default)]
struct Server {
    lease: Option<Seen>,
    writes: u64,
}

impl Server {
    fn serve(&mut self, ask: &Ask) -> Reply {
        let holding = match (ask, &self.lease) {
            (Ask::Read, Some(seen)) => return Reply::Done(seen.clone()),
            (Ask::Read | Ask::Replace(..), None) => return Reply::Absent,
            (Ask::Create(_), Some(_)) => return Reply::Conflict,
            (Ask::Replace(version, _), Some(seen)) if *version != seen.version => return Reply::Conflict,
            (Ask::Replace(_, holding), Some(_)) | (Ask::Create(holding), None) => holding,
        };
        self.writes += 1;
        let seen = Seen { holding: holding.clone(), version: self.writes.to_string() };
        self.lease = Some(seen.clone());
        Reply::Done(seen)
    }
}

/// What a request meets: how long it takes to the server and back, and whether one of the two ways loses it.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Kept(u64, u64),
    RequestLost,
    AnswerLost(u64),
}

/// What the requests of one candidate meet in turn. What is bad stays bad for some requests.
fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => (0..50_u64, 0..50_u64).prop_map(|(to, back)| Fate::Kept(to, back)),
        2 => (0..50_u64, 4_000..5_000_u64).prop_map(|(to, back)| Fate::Kept(to, back)),
        1 => (0..9_000_u64, 0..9_000_u64).prop_map(|(to, back)| Fate::Kept(to, back)),
        3 => Just(Fate::RequestLost),
        1 => (0..20_000_u64).prop_map(Fate::AnswerLost),
    ];
    let runs = proptest::collection::vec((fate, 1..5_usize), 1..20);
    runs.prop_map(|runs| runs.into_iter().flat_map(|(fate, times)| std::iter::repeat_n(fate, times)).collect())
}

/// How much a candidate's clock advances in a thousand true milliseconds, what it shows in the beginning, and when the candidate dies.
type Clock = (u64, u64, u64);

/// Who led, in true time, every ten milliseconds: the most at once, and how often somebody did.
fn play(timing: Timing, candidates: &[(Clock, Vec<Fate>)]) -> (usize, usize) {
    let mut players: Vec<Player> = candidates
        .iter()
        .enumerate()
        .map(|(index, ((rate, offset, dies), fates))| Player {
            election: Election::new(format!("candidate-{index}"), timing),
            rate: *rate,
            offset: *offset,
            flight: None,
            dies: *dies,
            fates: fates.clone().into_iter().cycle(),
            late: Vec::new(),
        })
        .collect();
    let mut server = Server::default();
    let (mut most, mut led) = (0, 0);
    for millis in (0..120_000).step_by(10) {
        let mut leaders = 0;
        for player in &mut players {
            // What was given up on, or sent by somebody who died since, still arrives.
            for (_, ask) in player.late.extract_if(.., |(arrives, _)| *arrives <= millis) {
                let _ = server.serve(&ask);
            }
            if let Some(flight) = &mut player.flight
                && flight.arrives.is_some_and(|arrives| arrives <= millis)
            {
                flight.arrives = None;
                flight.reply = Some(server.serve(&flight.ask));
            }
            if player.dies <= millis {
                continue;
            }
            let now = player.now(millis);
            if let Some(flight) = player.flight.take() {
                let came = flight.reply.clone().filter(|_| flight.returns.is_some_and(|returns| returns <= millis));
                let gave_up = now.elapsed >= Duration::from_millis(flight.gives_up);
                match came {
                    Some(reply) => player.election.answered(&flight.ask, reply, now),
                    None if gave_up => {
                        player.late.extend(flight.arrives.map(|arrives| (arrives, flight.ask.clone())));
                        player.election.answered(&flight.ask, Reply::Failed("late".to_owned()), now);
                    }
                    None => player.flight = Some(flight),
                }
            }
            while player.flight.is_none() {
                match player.election.poll(now) {
                    Step::Send(ask) => {
                        let (arrives, returns) = match player.fates.next().unwrap_or(Fate::RequestLost) {
                            Fate::Kept(to, back) => (Some(millis + to), Some(millis + to + back)),
                            Fate::RequestLost => (None, None),
                            Fate::AnswerLost(to) => (Some(millis + to), None),
                        };
                        let gives_up = u64::try_from((now.elapsed + player.election.patience(now)).as_millis()).unwrap_or(u64::MAX);
                        player.flight = Some(Flight { ask, arrives, returns, gives_up, reply: None });
                    }
                    Step::Wait(_) => break,
                    Step::Over => {
                        // Restarted, as a pod would be, with another identity.
                        let identity = format!("{}'", player.election.identity);
                        player.election = Election::new(identity, timing);
                        player.election.next = now.elapsed + Duration::from_secs(1);
                        break;
                    }
                }
            }
            leaders += usize::from(player.election.is_leading(now.elapsed));
        }
        most = most.max(leaders);
        led += usize::from(leaders > 0);
    }
    (most, led)
}

fn clock() -> impl Strategy<Value = Clock> {
    (prop_oneof![Just(1_000), Just(1_490), 1_000..1_490_u64], 0..1_000_000_000_u64, prop_oneof![1 => 0..120_000_u64, 2 => Just(u64::MAX)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn two_never_lead_at_once_while_clocks_differ_by_less_than_half(
        candidates in proptest::collection::vec((clock(), fates()), 2..5),
    ) {
        let (most, _) = play(Timing::default(), &candidates);
        prop_assert!(most <= 1);
    }
}

#[test]
fn somebody_leads_nearly_all_the_time_when_requests_arrive() {
    let candidate = |rate, offset, dies| ((rate, offset, dies), vec![Fate::Kept(5, 5)]);
    let (most, led) = play(Timing::default(), &[candidate(1_000, 0, 60_000), candidate(1_400, 5, u64::MAX)]);
    assert_eq!(most, 1);
    // One died after a minute, and the other took over within the duration and a retry.
    assert!((10_200..=12_000).contains(&led), "{led}");
}

#[test]
fn model_sees_two_leaders_where_the_margin_is_gone() {
    // After three renewals nothing arrives any more, and the leader's clock is the slower one.
    let cut_off = [Fate::Kept(5, 5); 5].into_iter().chain([Fate::RequestLost; 100]).collect();
    let candidates = [((1_000, 0, u64::MAX), cut_off), ((1_490, 0, u64::MAX), vec![Fate::Kept(5, 5)])];
    assert_eq!(play(Timing::default(), &candidates).0, 1);
    let narrow = Timing { renew_deadline: Duration::from_secs(14), ..Timing::default() };
    assert_eq!(play(narrow, &candidates).0, 2);
}
