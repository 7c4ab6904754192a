//! Prints a container, a token and a cookie for `tests/fixtures/check.js`, where the npm packages judge them.

use std::error::Error;

use jiff::Timestamp;
use serde_json::json;
use stheno_auth::jwt::JwtKeys;
use stheno_auth::password::{self, Cost};
use stheno_auth::secret::{Secret, SigningKeys};
use stheno_auth::session::{self, CookieKeys, SessionId};

fn main() -> Result<(), Box<dyn Error>> {
    let keys = SigningKeys::from(Secret::generate()?);
    let now = Timestamp::from_second(1_800_000_000)?;

    let passwords = [
        ("supersecret", Cost::MEDUSA),
        ("supersecret", Cost::STANDARD),
        ("", Cost::MEDUSA),
        ("pässwörd 🔑", Cost::new(17, 8, 1)?),
    ];
    let passwords = passwords
        .into_iter()
        .map(|(text, cost)| Ok(json!({ "password": text, "container": password::hash(text, cost)? })))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;

    let signed = CookieKeys::from(keys.clone()).sign(&SessionId::generate()?);
    let judged = json!({
        "secret": keys.current().expose(),
        "now": now.as_second(),
        "passwords": passwords,
        "token": JwtKeys::from(keys).sign("admin_user", now),
        "set_cookie": session::set_cookie(&signed, now + session::LIFETIME, true),
    });
    println!("{judged}");
    Ok(())
}
