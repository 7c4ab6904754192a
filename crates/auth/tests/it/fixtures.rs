use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Deserialize;
use stheno_auth::secret::{Secret, SigningKeys};

pub(crate) static NPM: LazyLock<Fixtures> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../fixtures/npm.json")).expect("the fixtures have this form")
});

#[derive(Deserialize)]
pub(crate) struct Fixtures {
    secret: String,
    old_secret: String,
    now: i64,
    pub(crate) passwords: Vec<Password>,
    pub(crate) tokens: Tokens,
    pub(crate) cookies: Cookies,
}

#[derive(Deserialize)]
pub(crate) struct Password {
    pub(crate) password: String,
    pub(crate) cost: PasswordCost,
    pub(crate) container: String,
}

#[derive(Deserialize)]
pub(crate) struct PasswordCost {
    #[serde(rename = "logN")]
    pub(crate) log_n: u8,
    pub(crate) r: u32,
    pub(crate) p: u32,
}

#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) medusa: String,
    pub(crate) cases: Vec<Token>,
}

#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) user: Option<String>,
    pub(crate) user_with_old_secret: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Cookies {
    pub(crate) id: String,
    pub(crate) signed: String,
    pub(crate) set_cookie_secure: String,
    pub(crate) set_cookie_plain: String,
    pub(crate) headers: Vec<CookieHeader>,
}

#[derive(Deserialize)]
pub(crate) struct CookieHeader {
    pub(crate) header: String,
    pub(crate) id: Option<String>,
}

impl Fixtures {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now).expect("the year 2027 is in range")
    }

    pub(crate) fn current_only(&self) -> SigningKeys {
        SigningKeys::from(secret(&self.secret))
    }

    pub(crate) fn old_only(&self) -> SigningKeys {
        SigningKeys::from(secret(&self.old_secret))
    }

    pub(crate) fn rotated(&self) -> SigningKeys {
        SigningKeys::new(secret(&self.secret), [secret("one more"), secret(&self.old_secret)])
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    text.parse().expect("the secret is not empty")
}
