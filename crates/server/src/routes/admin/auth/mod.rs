//! `/admin/auth`

pub(crate) mod create_session;
pub(crate) mod delete_session;
pub(crate) mod get_session;
pub(crate) mod get_token;

use axum::response::{IntoResponse as _, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use stheno_auth::password::Verified;
use stheno_auth::session::SessionId;

use crate::answer::Answer;
use crate::app::App;
use crate::audit::Attempt;
use crate::config::CookieSecure;
use crate::error::{ApiError, chain};
use crate::extract::{Input, is_secure};
use crate::limits;
use crate::metrics;
use crate::openapi::describe_body;
use crate::password;
use crate::schema::{Schema, Valid, definitions};

/// What a user signs in with.
pub(crate) struct Login {
    /// In lower case.
    email: String,
    password: String,
}

impl Input for Login {
    const SCHEMA: Option<&'static Schema> = Some(&definitions::LOGIN);

    fn from_valid(mut valid: Valid) -> Self {
        Self {
            email: valid.text("email").unwrap_or_default().to_lowercase(),
            password: valid.text("password").unwrap_or_default(),
        }
    }
}

describe_body!(Login, "Login");

/// The id of the user with this e-mail address and password. A password that was kept at too low a cost, as Medusa
/// keeps them, is kept better from now on.
async fn sign_in(app: &App, login: Login, attempt: &mut Attempt) -> Result<String, ApiError> {
    let logins = &app.limits().logins;
    let counted = limits::login::Login::new(&login.email, attempt.address);
    let check = || logins.check(counted).inspect_err(|_| app.metrics().log_in(metrics::Login::Limited));
    check()?;
    let turn = password::turn(app).await?;
    // Of many at once, those that have waited see how those before them have ended.
    check()?;
    let user = app.store().user_by_email(&login.email).await?;
    attempt.is_of(user.as_ref().map(|user| &*user.id));
    let container = user.as_ref().and_then(|user| user.password_hash.as_ref());
    let container = container.map(|container| container.expose_secret().to_owned());
    let verified = password::verify(turn, login.password.clone(), container.clone()).await?;
    let (Some(user), Verified::Match { needs_rehash }) = (user, verified) else {
        logins.failed(counted);
        app.metrics().log_in(metrics::Login::Wrong);
        return Err(ApiError::WrongLogin);
    };
    app.metrics().log_in(metrics::Login::Succeeded);
    if needs_rehash
        && let Some(weak) = container
        && let Err(error) = keep_better(app, &user.id, weak, login.password).await
    {
        tracing::warn!(error = %chain(&error), "a password could not be kept better");
    }
    Ok(user.id)
}

/// Keeps a password at today's cost, unless it has been changed meanwhile.
async fn keep_better(app: &App, user: &str, weak: String, password: String) -> Result<(), ApiError> {
    let better = password::hash(password::turn(app).await?, password).await?;
    app.store().replace_password_hash(user, weak, better).await?;
    Ok(())
}

/// A user as it is shown: an API token never is.
async fn show_user(app: &App, id: &str) -> Result<Answer, ApiError> {
    match app.store().retrieve_user(id).await? {
        Some(user) => Ok(Answer::of("user", user)),
        None => Err(ApiError::Unauthorized),
    }
}

/// How a session's cookie is set on this request: marked secure, or not; none, if it must not be set.
fn cookie_mark(app: &App, head: &Parts) -> Option<bool> {
    match app.config().cookie_secure {
        CookieSecure::Always => Some(true),
        CookieSecure::Never => Some(false),
        CookieSecure::Auto => is_secure(app, head).then_some(true),
    }
}

fn set_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}

/// A refusal as Medusa's session routes answer it: over https with the cookie of a session that is nobody's, and
/// that is not kept (`auth.session.create.bad_password`).
fn refuse(app: &App, head: &Parts, error: ApiError) -> Response {
    let unauthorized = matches!(error, ApiError::Unauthorized | ApiError::WrongLogin);
    let mut response = error.into_response();
    if unauthorized
        && let Some(secure) = cookie_mark(app, head)
        && let Ok(id) = SessionId::generate()
    {
        set_cookie(response.headers_mut(), &app.credentials().cookie_for(&id, secure).0);
    }
    response
}
