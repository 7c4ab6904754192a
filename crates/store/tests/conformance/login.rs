//! The audit trail of logins.

use jiff::SignedDuration;
use stheno_store::{Login, LoginFilter, LoginKind, LoginOutcome, Store};

use crate::database::Database;
use crate::shop::{START, Shop, time};

fn login(user_id: &str, outcome: LoginOutcome) -> Login {
    Login {
        at: time(START),
        user_id: Some(user_id.to_owned()),
        kind: LoginKind::Token,
        outcome,
        address: None,
        attempts: 1,
    }
}

async fn listed(store: &Store, filter: LoginFilter, limit: u32) -> Vec<Login> {
    let entries = store.logins(filter, limit).await.unwrap();
    entries.into_iter().map(|entry| entry.login).collect()
}

pub(crate) async fn logins_are_listed_the_latest_first(database: Database) {
    let shop = Shop::open(database).await;
    let later = time(START) + SignedDuration::from_secs(1);
    let written = [
        Login {
            user_id: None,
            kind: LoginKind::Session,
            address: "2001:db8::1".parse().ok(),
            attempts: u32::MAX,
            ..login("", LoginOutcome::UnknownUser)
        },
        Login { address: "192.0.2.1".parse().ok(), ..login("usr_a", LoginOutcome::WrongPassword) },
        login("usr_b", LoginOutcome::Limited),
        login("usr_a", LoginOutcome::Failed),
        Login { at: later, ..login("usr_a", LoginOutcome::Accepted) },
        Login { at: later, kind: LoginKind::Logout, ..login("usr_b", LoginOutcome::Accepted) },
    ];
    shop.store.record_logins(written[..4].to_vec()).await.unwrap();
    shop.store.record_logins(written[4..].to_vec()).await.unwrap();
    shop.store.record_logins(Vec::new()).await.unwrap();

    let latest_first: Vec<_> = written.iter().rev().cloned().collect();
    assert_eq!(listed(&shop.store, LoginFilter::default(), 100).await, latest_first);
    assert_eq!(listed(&shop.store, LoginFilter::default(), 2).await, latest_first[..2]);
    let of_user = LoginFilter { user_id: Some("usr_a".to_owned()), since: None };
    let [_, wrong, _, failed, accepted, _] = written;
    assert_eq!(listed(&shop.store, of_user.clone(), 100).await, [accepted.clone(), failed, wrong]);
    let since = LoginFilter { since: Some(later), ..of_user };
    assert_eq!(listed(&shop.store, since, 100).await, [accepted]);
    let nobody = LoginFilter { user_id: Some("usr_nope".to_owned()), since: None };
    assert_eq!(listed(&shop.store, nobody, 100).await, []);

    let ids: Vec<i64> =
        shop.store.logins(LoginFilter::default(), 100).await.unwrap().iter().map(|entry| entry.id).collect();
    assert!(ids.is_sorted_by(|later, earlier| later > earlier), "{ids:?}");
}

pub(crate) async fn old_logins_are_forgotten_a_few_at_a_time(database: Database) {
    let shop = Shop::open(database).await;
    let at = |seconds| time(START) + SignedDuration::from_secs(seconds);
    let logins =
        (0..6).map(|second| Login { at: at(second), ..login("usr_a", LoginOutcome::Accepted) }).collect();
    shop.store.record_logins(logins).await.unwrap();
    let last_id = shop.store.logins(LoginFilter::default(), 1).await.unwrap()[0].id;
    assert_eq!(shop.store.forget_logins(at(0), 100).await.unwrap(), 0);
    assert_eq!(shop.store.forget_logins(at(5), 3).await.unwrap(), 3);
    assert_eq!(listed(&shop.store, LoginFilter::default(), 100).await.last().unwrap().at, at(3));
    assert_eq!(shop.store.forget_logins(at(5), 3).await.unwrap(), 2);
    assert_eq!(shop.store.forget_logins(at(6), 3).await.unwrap(), 1);

    shop.store.record_logins(vec![login("usr_a", LoginOutcome::Accepted)]).await.unwrap();
    let entry = &shop.store.logins(LoginFilter::default(), 1).await.unwrap()[0];
    assert!(entry.id > last_id, "an id is given again");
}
