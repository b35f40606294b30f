use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::DateTime;
use eventsourcing::audit::{AuditReport, FoldAudit, StreamAudit, check_log_order, check_streams};
use eventsourcing::{AsOf, Envelope, ExecuteError};
use eventstore::{AppendError, Version};
use uuid::Uuid;

use crate::accounts::{Account, Audit, AuditId, Booking, HoldAudit, Overdrawn, Process, Refused, account, database};

#[tokio::test]
async fn unit_over_two_records_is_all_or_nothing() {
    let database = database().await;
    let bank = Process::on(&database).await;
    let (one, two) = (account(1), account(2));
    bank.book(&[(one, 100)]).await.unwrap();
    let moved = bank.book(&[(one, -60), (two, 60)]).await.unwrap();
    assert_eq!((moved.record.state, moved.record.version, moved.events), (40, Version(2), 2));
    let refused = bank.book(&[(two, 1), (one, -41)]).await;
    assert!(matches!(refused, Err(Refused::Overdrawn(Overdrawn { balance: -1 }))), "{refused:?}");
    assert_eq!((bank.balance(one).await, bank.balance(two).await), (Some(40), Some(60)));
    assert_eq!(bank.store.head().await.unwrap().0, 3);
}

#[tokio::test]
async fn record_decided_on_twice_is_one_append() {
    let database = database().await;
    let bank = Process::on(&database).await;
    let done = bank.book(&[(account(1), 5), (account(1), 6), (account(1), -11)]).await.unwrap();
    assert_eq!((done.record.state, done.record.version, done.position.0), (0, Version(3), 3));
    let past = bank.accounts.as_of(account(1), AsOf::Version(Version(2))).await.unwrap().unwrap();
    assert_eq!(past.state, 11);
}

#[tokio::test]
async fn rejection_and_acceptance_follow_the_log_not_the_cache() {
    let database = database().await;
    let (one, other) = (Process::on(&database).await, Process::on(&database).await);
    one.book(&[(account(1), 10)]).await.unwrap();
    other.book(&[(account(1), -10)]).await.unwrap();
    // what the first process remembers would allow it
    let refused = one.book(&[(account(1), -10)]).await;
    assert!(matches!(refused, Err(Refused::Overdrawn(Overdrawn { balance: -10 }))), "{refused:?}");
    other.book(&[(account(1), 25)]).await.unwrap();
    // and what it remembers now would refuse it
    assert_eq!(one.book(&[(account(1), -20)]).await.unwrap().record.state, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_transfers_never_overdraw_and_lose_nothing() {
    let database = database().await;
    let (one, other) = (Process::on(&database).await, Process::on(&database).await);
    for n in 1..=4 {
        one.book(&[(account(n), 20)]).await.unwrap();
    }
    let transfers = (0..64_u128).map(|n| {
        let bank = if n % 2 == 0 { one.clone() } else { other.clone() };
        let (from, to) = (account(n % 4 + 1), account((n + 1 + n / 16) % 4 + 1));
        tokio::spawn(async move {
            match bank.book(&[(from, -7), (to, 7)]).await {
                Ok(_) | Err(Refused::Overdrawn(_)) => {}
                Err(Refused::Execute(error)) => panic!("{error}"),
            }
        })
    });
    for transfer in transfers.collect::<Vec<_>>() {
        transfer.await.unwrap();
    }
    let mut balances = Vec::new();
    for n in 1..=4 {
        balances.push(one.balance(account(n)).await.unwrap());
    }
    assert!(balances.iter().all(|balance| *balance >= 0), "{balances:?}");
    assert_eq!(balances.iter().sum::<i64>(), 80);

    let mut report = AuditReport::default();
    let mut audits: [Box<dyn StreamAudit>; 1] = [Box::new(FoldAudit::<Account>::default())];
    check_log_order(&one.store, &mut report, &mut |_| {}).await.unwrap();
    check_streams(&one.store, &mut audits, &mut report, &mut |_| {}).await.unwrap();
    assert_eq!((report.streams, report.broken), (4, 0), "{report:?}");
}

#[tokio::test]
async fn second_existing_record_costs_one_more_decision() {
    let database = database().await;
    let bank = Process::on(&database).await;
    bank.book(&[(account(1), 10), (account(2), 10)]).await.unwrap();
    let decisions = async |amounts: &[_]| {
        let mut booking = Booking { process: &bank, amounts, decided: Arc::default() };
        bank.executor.execute(&mut booking, &Envelope::default()).await.unwrap();
        booking.decided.load(Ordering::Relaxed)
    };
    assert_eq!(decisions(&[(account(1), 1)]).await, 1);
    // the second turn has to be taken, in one order with the first
    assert_eq!(decisions(&[(account(1), 1), (account(2), 1)]).await, 2);
}

#[tokio::test]
async fn demanded_record_must_still_be_as_it_was_read() {
    let database = database().await;
    let (one, other) = (Process::on(&database).await, Process::on(&database).await);
    one.book(&[(account(1), 10)]).await.unwrap();
    other.book(&[(account(1), 5)]).await.unwrap();
    let mut audit =
        HoldAudit { process: &one, id: AuditId(Uuid::from_u128(9)), account: account(1), number: 1, silent: false };
    let held = one.executor.execute(&mut audit, &Envelope::default()).await.unwrap();
    // not the 10 that the process remembered
    assert_eq!(held.record.state, 15);
}

#[tokio::test]
async fn decision_without_events_is_held_to_its_version() {
    let database = database().await;
    let (one, other) = (Process::on(&database).await, Process::on(&database).await);
    one.book(&[(account(2), 10)]).await.unwrap();
    other.book(&[(account(2), -10)]).await.unwrap();
    let amounts = [(account(1), 5), (account(2), 0)];
    let mut booking = Booking { process: &one, amounts: &amounts, decided: Arc::default() };
    let done = one.executor.execute(&mut booking, &Envelope::default()).await.unwrap();
    // the first time on the 10 that the process remembered
    assert_eq!((done.events, booking.decided.load(Ordering::Relaxed)), (1, 2));
}

#[tokio::test]
async fn taken_alias_is_replaced_by_the_use_case() {
    let database = database().await;
    let bank = Process::on(&database).await;
    for n in 1..=3 {
        let id = AuditId(Uuid::from_u128(10 + n));
        let mut audit = HoldAudit { process: &bank, id, account: account(1), number: 1, silent: false };
        bank.executor.execute(&mut audit, &Envelope::default()).await.unwrap();
        let holder = bank.store.resolve("audit", &n.to_string()).await.unwrap();
        assert_eq!(holder.map(|stream| stream.0), Some(id.0));
    }
}

#[tokio::test]
async fn alias_without_event_is_an_error() {
    let database = database().await;
    let bank = Process::on(&database).await;
    let id = AuditId(Uuid::from_u128(9));
    let mut audit = HoldAudit { process: &bank, id, account: account(1), number: 1, silent: true };
    let refused = bank.executor.execute(&mut audit, &Envelope::default()).await;
    assert!(matches!(refused, Err(ExecuteError::Append(AppendError::Malformed(_)))), "{refused:?}");
    assert_eq!(bank.store.resolve("audit", "1").await.unwrap(), None);
}

#[tokio::test]
async fn each_record_has_a_time_of_its_own() {
    let database = database().await;
    let bank = Process::on(&database).await;
    let second = |second| DateTime::from_timestamp(second, 0).unwrap();
    bank.book_at(second(5), &[(account(1), 1)]).await.unwrap();
    // an earlier clock: the one record goes on from its last event, the other begins then
    bank.book_at(second(3), &[(account(1), 1), (account(2), 1)]).await.unwrap();
    let time = async |n| bank.accounts.current(account(n)).await.unwrap().unwrap().occurred_at;
    assert_eq!((time(1).await, time(2).await), (second(5), second(3)));
}

#[tokio::test]
async fn time_has_the_precision_of_the_log() {
    let database = database().await;
    let (bank, other) = (Process::on(&database).await, Process::on(&database).await);
    let now = DateTime::from_timestamp(5, 123_456_789).unwrap();
    let done = bank.book_at(now, &[(account(1), 1)]).await.unwrap();
    assert_eq!(Some(done.record), other.accounts.current(account(1)).await.unwrap());
}

#[tokio::test]
async fn one_id_under_two_types_is_refused_by_the_log() {
    let database = database().await;
    let bank = Process::on(&database).await;
    let mut audit =
        HoldAudit { process: &bank, id: AuditId(Uuid::from_u128(1)), account: account(1), number: 1, silent: false };
    let refused = bank.executor.execute(&mut audit, &Envelope::default()).await;
    assert!(matches!(refused, Err(ExecuteError::Append(_))), "{refused:?}");
    assert_eq!(bank.store.head().await.unwrap().0, 0);
}

#[tokio::test]
async fn repeated_key_is_answered_again_whatever_the_record_has_become() {
    let database = database().await;
    let bank = Process::on(&database).await;
    let first = bank.book_once("k", &[(account(1), 10)]).await.unwrap();
    bank.book(&[(account(1), -10)]).await.unwrap();
    let again = Process::on(&database).await.book_once("k", &[(account(1), 10)]).await.unwrap();
    assert_eq!((again.record.state, again.position, again.replayed), (10, first.position, Some(200)));
    let reused = bank.book_once("k", &[(account(1), -99)]).await;
    assert!(matches!(reused, Err(Refused::Execute(ExecuteError::KeyReused))), "{reused:?}");
}

#[tokio::test]
async fn id_of_another_type_is_no_record() {
    let database = database().await;
    let bank = Process::on(&database).await;
    bank.book(&[(account(7), 1)]).await.unwrap();
    assert_eq!(bank.audits.current(AuditId(Uuid::from_u128(7))).await.unwrap(), None);

    let mut report = AuditReport::default();
    let mut audits: [Box<dyn StreamAudit>; 1] = [Box::new(FoldAudit::<Audit>::default())];
    check_streams(&bank.store, &mut audits, &mut report, &mut |_| {}).await.unwrap();
    assert_eq!(report.findings[0].rule, "unknown_stream_type");
}
