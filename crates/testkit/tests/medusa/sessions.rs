//! Who is logged in at either.

use std::time::{Duration, Instant};

use serde_json::json;
use stheno_testkit::medusa::{BesideMedusa, EMAIL, PASSWORD};

use crate::both::{Both, Side, header};

const PATH: &str = "/admin/customer-groups?limit=1";

/// How long the busiest machine may take for what is to happen within five seconds.
const PATIENCE: Duration = Duration::from_secs(60);

async fn until_stheno_answers(both: &mut Both, status: u16) {
    let start = Instant::now();
    while both.call(Side::Stheno, "GET", PATH, None).await.status != status {
        assert!(start.elapsed() < PATIENCE, "Stheno has not heard of what Medusa has done");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_medusa_is_good_at_both_until_it_is_closed_at_either() {
    let beside = BesideMedusa::start().await;
    let mut both = Both::new(&beside);
    let (closed_at_medusa, closed_at_stheno) =
        (both.session(Side::Medusa).await, both.session(Side::Medusa).await);
    for session in [&closed_at_medusa, &closed_at_stheno] {
        both.with(vec![session.clone()]);
        both.same("GET", "/admin/auth", None).await;
        both.same("GET", PATH, None).await;
    }

    assert_eq!(both.call(Side::Stheno, "DELETE", "/admin/auth", None).await.status, 200);
    for side in Side::EACH {
        assert_eq!(both.call(side, "GET", PATH, None).await.status, 401, "{side:?}");
    }

    both.with(vec![closed_at_medusa]);
    assert_eq!(both.call(Side::Stheno, "GET", PATH, None).await.status, 200);
    assert_eq!(both.call(Side::Medusa, "DELETE", "/admin/auth", None).await.status, 200);
    assert_eq!(both.call(Side::Medusa, "GET", PATH, None).await.status, 401);
    until_stheno_answers(&mut both, 401).await;
    beside.stheno.stop().await;
}

/// The dashboard has its cookie before anybody has signed in, and keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_becomes_good_when_its_owner_signs_in() {
    let beside = BesideMedusa::start().await;
    let mut both = Both::new(&beside);
    both.with(vec![header("x-forwarded-proto", "https")]);
    let refused = both.call(Side::Medusa, "GET", "/admin/auth", None).await;
    assert_eq!(refused.status, 401);
    let cookie = refused.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    both.with(vec![header("cookie", &cookie)]);
    assert_eq!(both.call(Side::Stheno, "GET", PATH, None).await.status, 401);
    let login = Some(json!({"email": EMAIL, "password": PASSWORD}));
    assert_eq!(both.call(Side::Medusa, "POST", "/admin/auth", login).await.status, 200);
    until_stheno_answers(&mut both, 200).await;
    beside.stheno.stop().await;
}

/// Medusa does not know them: its sessions are in its own memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_stheno_and_a_password_kept_better_by_it() {
    let beside = BesideMedusa::start().await;
    let mut both = Both::new(&beside);
    // Medusa's password is kept at too low a cost. Once kept better, it is good at Medusa as before.
    let session = both.session(Side::Stheno).await;
    let container = "SELECT password_hash FROM \"user\"";
    let kept: String =
        beside.stheno.postgres().connect().await.query_one(container, &[]).await.unwrap().get(0);
    assert_eq!(kept.len(), 128, "{kept}");
    assert!(!kept.starts_with("c2NyeXB0AAEA"), "the cost is still Medusa's");
    both.token(Side::Medusa).await;

    both.with(vec![session]);
    assert_eq!(both.call(Side::Stheno, "GET", PATH, None).await.status, 200);
    assert_eq!(both.call(Side::Medusa, "GET", PATH, None).await.status, 401);
    beside.stheno.stop().await;
}
