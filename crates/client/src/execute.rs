//! Making a call: credentials, attempts, deadline.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use stheno_api_types::{AccessToken, Credentials};
use tokio::time::{Instant, sleep, timeout_at};

use crate::admin::auth::GetToken;
use crate::call::{Call, read};
use crate::client::Shared;
use crate::error::RawAnswer;
use crate::operation::Operation;
use crate::request::IDEMPOTENCY_KEY;
use crate::retry::Failure;
use crate::trace::Trace;
use crate::{Error, Response};

pub(crate) async fn execute<O: Operation>(call: Call<O>) -> Result<Response<O::Answer>, Error> {
    let mut request = call.to_request()?;
    let writes = request.method() != Method::GET;
    if writes && !request.headers().contains_key(IDEMPOTENCY_KEY) {
        request.headers_mut().insert(IDEMPOTENCY_KEY, random_key());
    }
    let trace = Trace::begin(O::NAME, &request);
    trace.follow(attempts(&call, &request, writes, &trace)).await
}

async fn attempts<O: Operation>(
    call: &Call<O>,
    request: &http::Request<Bytes>,
    writes: bool,
    trace: &Trace,
) -> Result<Response<O::Answer>, Error> {
    let shared = &*call.client.shared;
    let retry = call.options.retry.as_ref().unwrap_or(&shared.retry);
    let deadline = call
        .options
        .timeout
        .or(shared.timeout)
        .and_then(|timeout| Instant::now().checked_add(timeout));
    let repeatable = !writes || call.operation.is_repeatable();
    let mut failures = 0;
    let mut outcome_unknown = false;
    loop {
        let failure = match attempt(shared, request, O::AUTHENTICATED, deadline).await {
            Ok(answer) => {
                trace.answered(&answer, failures + 1);
                return read(&call.operation, answer).map_err(|error| error.with_call(describe(request)));
            }
            Err(failure) => failure,
        };
        failures += 1;
        outcome_unknown |= writes && failure.may_be_done();
        let wait = retry
            .wait(&failure, failures, repeatable, random_fraction())
            .filter(|wait| deadline.is_none_or(|deadline| Instant::now() + *wait < deadline));
        let error = failure
            .error
            .with_call(describe(request))
            .with_attempts(failures, outcome_unknown);
        let Some(wait) = wait else {
            trace.failed(&error);
            return Err(error);
        };
        trace.will_retry(&error, wait);
        sleep(wait).await;
    }
}

/// One attempt, or two if the first shows that the token has expired.
async fn attempt(
    shared: &Shared,
    request: &http::Request<Bytes>,
    authenticated: bool,
    deadline: Option<Instant>,
) -> Result<RawAnswer, Failure> {
    let mut renewed = false;
    loop {
        let mut request = request.clone();
        let credential = if authenticated {
            credential(shared, deadline).await?
        } else {
            None
        };
        if let Some((name, value)) = &credential {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        let answer = send(shared, request, deadline).await.map_err(|error| Failure {
            sent: !error.is_connect(),
            error,
        })?;
        shared.credential.learn(&answer.headers);
        if answer.status == StatusCode::UNAUTHORIZED
            && !renewed
            && let Some((_, refused)) = credential
            && shared.credential.renew(&refused).await
        {
            renewed = true;
            continue;
        }
        if !answer.status.is_success() {
            return Err(Failure {
                error: Error::refused(answer),
                sent: true,
            });
        }
        return Ok(answer);
    }
}

async fn send(
    shared: &Shared,
    request: http::Request<Bytes>,
    deadline: Option<Instant>,
) -> Result<RawAnswer, Error> {
    let sending = shared.transport.send(request);
    match deadline {
        Some(deadline) => timeout_at(deadline, sending)
            .await
            .unwrap_or_else(|elapsed| Err(Error::timeout(elapsed))),
        None => sending.await,
    }
}

/// The header that says who is asking, if need be after fetching a token.
async fn credential(
    shared: &Shared,
    deadline: Option<Instant>,
) -> Result<Option<(HeaderName, HeaderValue)>, Failure> {
    shared
        .credential
        .header(|credentials| fetch_token(shared, credentials, deadline))
        .await
        .map_err(|error| Failure { error, sent: false })
}

async fn fetch_token(
    shared: &Shared,
    credentials: Credentials,
    deadline: Option<Instant>,
) -> Result<String, Error> {
    let operation = GetToken { credentials };
    let request = operation.draft()?.assemble(&shared.base, &shared.headers)?;
    let address = describe(&request);
    let AccessToken { access_token, .. } = send(shared, request, deadline)
        .await
        .and_then(|answer| read(&operation, answer))
        .map_err(|error| error.with_call(address))?
        .into_body();
    Ok(access_token)
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
    use super::*;

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
