//! Making a call: credentials, attempts, deadline.

use bytes::Bytes;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use stheno_api_types::Credentials;

use crate::admin::auth::GetToken;
use crate::call::{Call, read};
use crate::error::RawAnswer;
use crate::operation::Operation;
use crate::request::IDEMPOTENCY_KEY;
use crate::retry::Failure;
use crate::time::{Instant, sleep, timeout_at};
use crate::trace::Trace;
use crate::{Client, Error, Response};

pub(crate) async fn execute<O: Operation>(call: Call<O>) -> Result<Response<O::Answer>, Error> {
    let mut request = call.to_request()?;
    if is_write(&request) && !request.headers().contains_key(IDEMPOTENCY_KEY) {
        request.headers_mut().insert(IDEMPOTENCY_KEY, random_key());
    }
    let trace = Trace::begin(O::NAME, &request);
    trace.follow(attempts(&call, &request, &trace)).await
}

async fn attempts<O: Operation>(
    call: &Call<O>,
    request: &http::Request<Bytes>,
    trace: &Trace,
) -> Result<Response<O::Answer>, Error> {
    let shared = &*call.client.shared;
    let retry = call.options.retry.as_ref().unwrap_or(&shared.retry);
    let timeout = call.options.timeout.or(shared.timeout);
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let repeatable = !is_write(request) || call.operation.is_repeatable();
    let mut failures = 0;
    let mut outcome_unknown = false;
    loop {
        let mut sent = false;
        let attempt = attempt(&call.client, request, O::AUTHENTICATED, &mut sent);
        let outcome = match deadline {
            Some(deadline) => {
                timeout_at(deadline, attempt).await.unwrap_or_else(|late| Err(Error::timeout(late)))
            }
            None => attempt.await,
        };
        let failure = match outcome {
            Ok(answer) => {
                let response = read(&call.operation, answer)
                    .and_then(|response| with_session(call, request, response))
                    .map_err(|error| {
                        // Whoever answers with a page of its own has most likely not asked the server.
                        let outcome_unknown = is_write(request) && error.is_decode();
                        error.with_call(describe(request)).with_attempts(failures + 1, outcome_unknown)
                    });
                match &response {
                    Ok(response) => trace.answered(response.answer(), failures + 1),
                    Err(error) => trace.failed(error),
                }
                return response;
            }
            Err(error) => Failure { error, sent },
        };
        failures += 1;
        outcome_unknown = is_write(request)
            && (failure.may_be_done() || outcome_unknown && !failure.settles(call.operation.is_spent()));
        let wait = retry
            .wait(&failure, failures, repeatable, random_fraction())
            .filter(|wait| deadline.is_none_or(|deadline| *wait < deadline.duration_since(Instant::now())));
        let error = failure.error.with_call(describe(request)).with_attempts(failures, outcome_unknown);
        let Some(wait) = wait else {
            trace.failed(&error);
            return Err(error);
        };
        trace.will_retry(&error, wait);
        sleep(wait).await;
    }
}

/// One attempt, or two if the first shows that the token has expired. `sent` tells, also when this is given up half-way,
/// whether anything of the request may have reached the server.
async fn attempt(
    client: &Client,
    request: &http::Request<Bytes>,
    authenticated: bool,
    sent: &mut bool,
) -> Result<RawAnswer, Error> {
    let credential = &client.shared.credential;
    let yields = credential.yields_to(request.headers());
    let mut renewed = false;
    loop {
        let mut request = request.clone();
        let mut proof = None;
        if authenticated
            && !yields
            && let Some((name, value)) = credential
                .header(client.is_in_background(), |credentials| fetch_token(client, credentials))
                .await?
        {
            add_credential(request.headers_mut(), name, &value)?;
            proof = Some(value);
        }
        *sent = true;
        let answer =
            client.transport().send(request).await.inspect_err(|error| *sent = !error.is_connect())?;
        if answer.status.is_success() && !yields {
            credential.learn(&answer.headers);
        }
        if answer.status == StatusCode::UNAUTHORIZED
            && !renewed
            && let Some(refused) = proof
            && credential.renew(client.is_in_background(), &refused).await
        {
            *sent = false;
            renewed = true;
            continue;
        }
        return if answer.status.is_success() { Ok(answer) } else { Err(Error::refused(answer)) };
    }
}

/// A session that begins without a cookie is none: better to say so now than to have the next call refused.
fn with_session<O: Operation>(
    call: &Call<O>,
    request: &http::Request<Bytes>,
    response: Response<O::Answer>,
) -> Result<Response<O::Answer>, Error> {
    let missing = O::BEGINS_SESSION
        && !call.client.shared.credential.yields_to(request.headers())
        && call.client.shared.credential.misses(response.headers());
    if missing { Err(Error::no_session(response.into_answer())) } else { Ok(response) }
}

async fn fetch_token(client: &Client, credentials: Credentials) -> Result<String, Error> {
    let operation = GetToken { credentials };
    let request = operation.draft()?.assemble(&client.shared.base, &client.shared.headers)?;
    let address = describe(&request);
    let answer = client.transport().send(request).await;
    let token =
        answer.and_then(|answer| read(&operation, answer)).map_err(|error| error.with_call(address))?;
    Ok(token.into_body().access_token)
}

fn is_write(request: &http::Request<Bytes>) -> bool {
    request.method() != Method::GET
}

/// Cookies of the caller, such as a gateway's, go beside that of the session.
fn add_credential(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) -> Result<(), Error> {
    let mut value = value.clone();
    if name == COOKIE
        && let Some(others) = headers.get(COOKIE)
    {
        value = HeaderValue::from_bytes(&[others.as_bytes(), b"; ", value.as_bytes()].concat())
            .map_err(|_| Error::invalid_request("the cookies cannot be sent together"))?;
        value.set_sensitive(true);
    }
    headers.insert(name, value);
    Ok(())
}

/// Method and address, without the query, which may hold someone's name.
fn describe(request: &http::Request<Bytes>) -> String {
    let address = request.uri().to_string();
    let address = address.split('?').next().unwrap_or_default();
    format!("{} {address}", request.method())
}

/// A random UUID, as the JavaScript client sends one.
fn random_key() -> HeaderValue {
    let (high, low) = (random(), random());
    let key = format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    );
    HeaderValue::from_str(&key).unwrap_or_else(|_| HeaderValue::from_static("0"))
}

/// From 0 to 1.
fn random_fraction() -> f64 {
    (random() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Where the system has no randomness to give, time will do: nothing in here is a secret.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| Instant::now().elapsed().as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Retry;
    use crate::test::{FakeMedusa, Next};

    const GROUP: &str = r#"{"customer_group": {"id": "cgrp_1", "name": "VIP", "metadata": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z", "deleted_at": null}}"#;

    fn medusa(nexts: impl IntoIterator<Item = Next>) -> FakeMedusa {
        let medusa = FakeMedusa::new();
        nexts.into_iter().for_each(|next| medusa.then(next));
        medusa
    }

    fn ok() -> Next {
        Next::answer(200, GROUP)
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_tried_again() {
        let medusa = medusa([Next::answer(503, "busy"), Next::Refuse, ok()]);
        let start = Instant::now();
        let group = medusa.client().admin().customer_groups().update("cgrp_1").await.unwrap();
        assert_eq!(group.name, "VIP");
        let waited = start.elapsed().as_secs_f64();
        assert!((0.75..=1.51).contains(&waited), "{waited}");

        let requests = medusa.requests();
        let keys: Vec<_> = requests.iter().map(|request| &request.headers()[IDEMPOTENCY_KEY]).collect();
        assert_eq!(keys.len(), 3);
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "one key for all attempts");
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_after_three_attempts() {
        let medusa = medusa([Next::answer(503, ""), Next::answer(502, ""), Next::answer(504, "late"), ok()]);
        let error = medusa.client().admin().customer_groups().retrieve("cgrp_1").await.unwrap_err();
        assert_eq!(error.attempts(), 3);
        assert_eq!(
            error.to_string(),
            "GET http://medusa.test/admin/customer-groups/cgrp_1: 504 Gateway Timeout: late, after 3 attempts"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn success_that_makes_no_sense_tells_of_the_attempts_too() {
        let medusa = medusa([Next::answer(503, "busy"), Next::answer(200, "<h1>Log in</h1>")]);
        let error = medusa.client().admin().customer_groups().retrieve("cgrp_1").await.unwrap_err();
        assert!(error.is_decode());
        assert_eq!(error.attempts(), 2);
        assert!(error.to_string().ends_with(", after 2 attempts"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_is_tried_again_only_if_it_came_to_nothing() {
        for harmless in [Next::Refuse, Next::answer(409, ""), Next::answer(429, "")] {
            let medusa = medusa([harmless, ok()]);
            medusa.client().admin().customer_groups().create("VIP").await.unwrap();
        }
        for doubtful in [Next::Interrupt, Next::answer(502, ""), Next::answer(503, ""), Next::answer(504, "")]
        {
            let medusa = medusa([doubtful, ok()]);
            let error = medusa.client().admin().customer_groups().create("VIP").await.unwrap_err();
            assert!(error.is_outcome_unknown(), "{error}");
            assert_eq!(medusa.requests().len(), 1);
        }
        let medusa = medusa([Next::answer(422, "")]);
        let error = medusa.client().admin().customer_groups().create("VIP").await.unwrap_err();
        assert!(!error.is_outcome_unknown());
    }

    #[tokio::test(start_paused = true)]
    async fn doubt_outlasts_later_attempts() {
        let medusa = medusa([Next::Interrupt, Next::Refuse, Next::Refuse]);
        let error = medusa.client().admin().customer_groups().update("cgrp_1").await.unwrap_err();
        assert!(error.is_connect() && error.is_outcome_unknown());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_in_the_end_was_not_done_before() {
        // A server that reads no further closes the connection; not every client gets to see its answer.
        let medusa = medusa([Next::Interrupt, Next::answer(413, "")]);
        let groups = medusa.client().admin().customer_groups();
        let error = groups.add_customers("cgrp_1", ["cus_1"]).await.unwrap_err();
        assert!(error.is_too_large() && !error.is_outcome_unknown());
        assert!(error.to_string().ends_with("413 Payload Too Large, after 2 attempts"), "{error}");

        medusa.then(Next::Interrupt);
        medusa.then(Next::answer(422, ""));
        assert!(!groups.update("cgrp_1").name("VIP").await.unwrap_err().is_outcome_unknown());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_because_it_was_done_remains_in_doubt() {
        let medusa = medusa([]);
        let client = medusa.builder().retry(Retry::medusa_js(1)).build().unwrap();
        let next = |status| {
            medusa.then(Next::Interrupt);
            medusa.then(Next::answer(status, ""));
        };
        next(422);
        let create = client.admin().customer_groups().create("VIP");
        assert!(create.clone().await.unwrap_err().is_outcome_unknown(), "it may be its own duplicate");
        next(413);
        assert!(!create.await.unwrap_err().is_outcome_unknown());
        next(401);
        let delete_session = client.admin().auth().delete_session();
        assert!(delete_session.await.unwrap_err().is_outcome_unknown());
        next(404);
        let delete = client.request::<()>(Method::DELETE, "/admin/x/1");
        assert!(delete.await.unwrap_err().is_outcome_unknown());
    }

    #[tokio::test(start_paused = true)]
    async fn the_javascript_client_repeats_creates_too() {
        let medusa = medusa([Next::Interrupt, Next::answer(599, ""), ok()]);
        let client = medusa.builder().retry(Retry::medusa_js(2)).build().unwrap();
        let start = Instant::now();
        client.admin().customer_groups().create("VIP").await.unwrap();
        assert_eq!(start.elapsed().as_secs_f64().round(), 2.0, "0.5 s and 1.5 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_may_have_a_rule_of_its_own() {
        let medusa = medusa([Next::Refuse, ok()]);
        let call = medusa.client().admin().customer_groups().retrieve("cgrp_1").retry(Retry::never());
        assert_eq!(call.await.unwrap_err().attempts(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn time_runs_out() {
        let medusa = medusa([Next::Hang]);
        let start = Instant::now();
        let error = medusa.client().admin().customer_groups().delete("cgrp_1").await.unwrap_err();
        assert!(error.is_timeout() && error.is_outcome_unknown());
        assert_eq!(start.elapsed().as_secs(), 120);
        assert_eq!(medusa.requests().len(), 1, "there was no time left");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_no_waiting_beyond_the_deadline() {
        let medusa = medusa([Next::answer(429, ""), ok()]);
        let call =
            medusa.client().admin().customer_groups().retrieve("cgrp_1").timeout(Duration::from_millis(100));
        let start = Instant::now();
        assert!(call.await.unwrap_err().is_rate_limited());
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn fetching_a_token_is_part_of_the_attempt() {
        let token = || Next::answer(200, r#"{"access_token": "abc"}"#);
        let medusa = medusa([Next::answer(503, ""), token(), ok()]);
        let client = medusa.builder().email_and_password("a@b.c", "d").build().unwrap();
        client.admin().customer_groups().create("VIP").await.unwrap();
        let paths: Vec<_> = medusa.requests().iter().map(|request| request.uri().path().to_owned()).collect();
        assert_eq!(paths, ["/admin/auth/token", "/admin/auth/token", "/admin/customer-groups"]);
    }

    #[test]
    fn keys_are_uuids() {
        let key = random_key();
        let key = key.to_str().unwrap();
        let lengths: Vec<usize> = key.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{key}");
        assert_eq!(&key[14..15], "4");
        assert!(matches!(&key[19..20], "8" | "9" | "a" | "b"), "{key}");
        assert_ne!(random_key(), random_key());
    }

    #[test]
    fn fractions_are_fractions() {
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random_fraction())));
    }
}
