//! Who may in: what a credential stands for, remembered for a short time so that a request needs no look-up.

use std::sync::Arc;

use jiff::Timestamp;
use moka::sync::Cache;
use stheno_auth::api_token;
use stheno_auth::session::{self, ForeignCookie, SessionId};
use stheno_store::{Store, StoreError};

use crate::config::{Config, Secrets};
use crate::error::ApiError;
use crate::medusa::MedusaSessions;

/// How many credentials are remembered.
const CAPACITY: u64 = 10_000;

#[derive(Debug)]
pub(crate) struct Credentials {
    store: Store,
    secrets: Secrets,
    known: Cache<Credential, Arc<str>>,
    /// Who is asked about a cookie that is not of Stheno's sessions.
    medusa: Option<MedusaSessions>,
}

/// A credential whose signature has been checked. Secrets are present as hashes only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Credential {
    /// The user that a bearer token names.
    User(String),
    /// The hash of an API token.
    ApiToken(String),
    /// The hash of a session's id.
    Session(String),
}

impl Credentials {
    pub(crate) fn new(store: Store, secrets: Secrets, config: &Config) -> Self {
        let remembered = config.credentials_remembered;
        let known = Cache::builder().max_capacity(CAPACITY).time_to_live(remembered).build();
        let medusa = config.medusa.clone();
        let medusa = medusa.map(|url| MedusaSessions::new(url, remembered, config.medusa_timeout));
        Self { store, secrets, known, medusa }
    }

    /// The user of a bearer token.
    pub(crate) async fn user_of_bearer(&self, token: &str) -> Result<Option<Arc<str>>, StoreError> {
        let Ok(user) = self.secrets.jwt.verify(token, self.now()) else {
            return Ok(None);
        };
        self.user(&user).await
    }

    /// The user with this id, if there is one.
    async fn user(&self, id: &str) -> Result<Option<Arc<str>>, StoreError> {
        let credential = Credential::User(id.to_owned());
        if let Some(user) = self.known.get(&credential) {
            return Ok(Some(user));
        }
        let user = self.store.user_exists(id).await?.then(|| Arc::from(id));
        Ok(self.remember(credential, user))
    }

    /// The user of an API token: one of Stheno's, or Medusa's plain one.
    pub(crate) async fn user_of_api_token(&self, token: &str) -> Result<Option<Arc<str>>, StoreError> {
        if token.is_empty() {
            return Ok(None);
        }
        let hash = api_token::hash(token);
        let credential = Credential::ApiToken(hash.clone());
        if let Some(user) = self.known.get(&credential) {
            return Ok(Some(user));
        }
        let user = self.store.user_by_token(token, &hash).await?.map(Arc::from);
        Ok(self.remember(credential, user))
    }

    /// The user whose session a `Cookie` header names, one of Stheno's, or else one of Medusa's, and what tells the session from
    /// others.
    pub(crate) async fn user_of_cookie(&self, header: &[u8]) -> Result<Option<(Arc<str>, String)>, ApiError> {
        if let Some(found) = self.user_of_own_cookie(header).await? {
            return Ok(Some(found));
        }
        // A secret may be shared, so a cookie that is signed with Stheno's may still be Medusa's.
        let (Some(medusa), Some(cookie)) = (&self.medusa, ForeignCookie::of(header)) else {
            return Ok(None);
        };
        let Some(user) = medusa.user_of(&cookie).await? else {
            return Ok(None);
        };
        // It is Medusa's to say who; whether there is such a user is for the database that is written to.
        let user = self.user(user.as_ref()).await?;
        // A cookie may be written in several ways, of which only Medusa knows that they are one.
        Ok(user.map(|user| (Arc::clone(&user), format!("of Medusa's: {user}"))))
    }

    async fn user_of_own_cookie(&self, header: &[u8]) -> Result<Option<(Arc<str>, String)>, StoreError> {
        let Some(id) = self.secrets.cookie.session_id(header) else {
            return Ok(None);
        };
        let hash = id.storage_hash();
        let credential = Credential::Session(hash.clone());
        if let Some(user) = self.known.get(&credential) {
            return Ok(Some((user, hash)));
        }
        let user = self.store.session_user(&hash).await?.map(Arc::from);
        Ok(self.remember(credential, user).map(|user| (user, hash)))
    }

    fn remember(&self, credential: Credential, user: Option<Arc<str>>) -> Option<Arc<str>> {
        if let Some(user) = &user {
            self.known.insert(credential, Arc::clone(user));
        }
        user
    }

    /// A new bearer token for a user, good for 24 hours.
    pub(crate) fn bearer_for(&self, user: &str) -> String {
        self.secrets.jwt.sign(user, self.now())
    }

    /// The `Set-Cookie` header for a session that ends in ten hours, and the time when.
    pub(crate) fn cookie_for(&self, id: &SessionId, secure: bool) -> (String, Timestamp) {
        let expires = self.now() + session::LIFETIME;
        (session::set_cookie(&self.secrets.cookie.sign(id), expires, secure), expires)
    }

    /// Closes the session that a `Cookie` header names, also at Medusa where it is Medusa's. Answers whether there was one.
    pub(crate) async fn close_session(&self, header: &[u8]) -> Result<bool, ApiError> {
        if let Some(id) = self.secrets.cookie.session_id(header) {
            let hash = id.storage_hash();
            let credential = Credential::Session(hash.clone());
            // Before, so that it is gone even if the caller goes; after, in case it was looked up in between.
            self.known.invalidate(&credential);
            let was_own = self.store.delete_session(&hash).await?;
            self.known.invalidate(&credential);
            if was_own {
                return Ok(true);
            }
        }
        match (&self.medusa, ForeignCookie::of(header)) {
            (Some(medusa), Some(cookie)) => Ok(medusa.close(&cookie).await.map_err(Arc::new)?),
            _ => Ok(false),
        }
    }

    fn now(&self) -> Timestamp {
        self.store.clock().now()
    }
}
