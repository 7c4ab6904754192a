use proptest::prelude::*;
use stheno_auth::secret::SigningKeys;
use stheno_auth::session::{CookieKeys, ForeignCookie, LIFETIME, SessionId, set_cookie};

use crate::fixtures::{NPM, secret};

fn hash(id: &SessionId) -> String {
    id.storage_hash()
}

#[test]
fn reads_every_cookie_header_as_express_does() {
    let keys = CookieKeys::from(NPM.rotated());
    let expected = keys.unsign(&NPM.cookies.signed).unwrap();
    for case in &NPM.cookies.headers {
        let found = keys.session_id(case.header.as_bytes());
        let expected = case.id.as_ref().map(|id| {
            assert_eq!(*id, NPM.cookies.id);
            hash(&expected)
        });
        assert_eq!(found.as_ref().map(hash), expected, "{:?}", case.header);
    }
}

#[test]
fn signs_and_writes_the_cookie_as_express_does() {
    let keys = CookieKeys::from(NPM.current_only());
    let id = keys.unsign(&NPM.cookies.signed).unwrap();
    let signed = keys.sign(&id);
    assert_eq!(signed, NPM.cookies.signed);
    assert_eq!(set_cookie(&signed, NPM.now() + LIFETIME, true), NPM.cookies.set_cookie_secure);
    assert_eq!(set_cookie(&signed, NPM.now() + LIFETIME, false), NPM.cookies.set_cookie_plain);
}

#[test]
fn encodes_what_encode_uri_component_encodes() {
    let header = set_cookie("aZ9-_.!~*'() \"+,/:;=%\\ü", NPM.now() + LIFETIME, true);
    let encoded = "aZ9-_.!~*'()%20%22%2B%2C%2F%3A%3B%3D%25%5C%C3%BC";
    assert!(header.starts_with(&format!("connect.sid={encoded}; Path=/;")), "{header}");
}

#[test]
fn verifies_with_previous_secrets_and_signs_with_the_current_one() {
    let (current, old) = (CookieKeys::from(NPM.current_only()), CookieKeys::from(NPM.old_only()));
    let rotated = CookieKeys::from(NPM.rotated());
    let id = SessionId::generate().unwrap();

    assert_eq!(rotated.unsign(&old.sign(&id)).as_ref().map(hash), Some(hash(&id)));
    assert_eq!(current.unsign(&rotated.sign(&id)).as_ref().map(hash), Some(hash(&id)));
    assert!(old.unsign(&rotated.sign(&id)).is_none());
}

#[test]
fn the_stored_hash_does_not_change_between_releases() {
    let id = CookieKeys::from(NPM.current_only()).unsign(&NPM.cookies.signed).unwrap();
    // SHA-256 of "a", 32 times.
    assert_eq!(hash(&id), "3ba3f5f43b92602683c19aee62a20342b084dd5971ddd33808d81a328879a547");
}

#[test]
fn a_cookie_of_another_site_may_hold_anything() {
    let header = [b"other=\xff\xfe; ".as_slice(), NPM.cookies.headers[0].header.as_bytes()].concat();
    assert!(CookieKeys::from(NPM.current_only()).session_id(&header).is_some());
}

#[test]
fn a_foreign_cookie_is_what_express_could_have_made() {
    for case in &NPM.cookies.headers {
        let foreign = ForeignCookie::of(case.header.as_bytes());
        if case.id.is_some() && !case.header.contains('"') {
            let cookie = foreign.unwrap();
            assert!(case.header.replace(' ', "").contains(cookie.header()), "{:?}", case.header);
        }
    }
    let taken = |header: &[u8]| ForeignCookie::of(header).map(|cookie| cookie.header().to_owned());
    let cookie = "connect.sid=s%3Aid.signature%2B";
    assert_eq!(taken(format!("a=b; {cookie}; connect.sid=s%3Aother; c").as_bytes()).as_deref(), Some(cookie));
    assert_eq!(taken(b"connect.sid=s:id.x").as_deref(), Some("connect.sid=s:id.x"));
    let long = format!("connect.sid=s%3A{}", "x".repeat(1100));
    for header in [
        b"".as_slice(),
        b"connect.sid=",
        b"connect.sid=id",
        b"other=s:id.x",
        b"connect.sid=s:a b",
        b"connect.sid=s:\xc3\xb8",
        b"connect.sid=s:a\r\nx: y",
        long.as_bytes(),
    ] {
        assert_eq!(taken(header), None, "{:?}", String::from_utf8_lossy(header));
    }
    let (one, other) =
        (ForeignCookie::of(b"connect.sid=s:a.b").unwrap(), ForeignCookie::of(b"connect.sid=s:a.c").unwrap());
    assert_ne!(one.storage_hash(), other.storage_hash());
    assert!(!format!("{one:?}").contains("a.b"));
}

#[test]
fn debug_shows_no_session_id() {
    let keys = CookieKeys::from(NPM.current_only());
    let id = keys.unsign(&NPM.cookies.signed).unwrap();
    assert!(!format!("{id:?}").contains(&NPM.cookies.id));
    assert!(!format!("{keys:?}").contains("supersecret"));
}

proptest! {
    #[test]
    fn round_trip_through_the_headers(key in "\\S.*") {
        let keys = CookieKeys::from(SigningKeys::from(secret(&key)));
        let id = SessionId::generate().unwrap();
        let header = set_cookie(&keys.sign(&id), NPM.now() + LIFETIME, true);
        let pair = header.split("; ").next().unwrap();
        let found = keys.session_id(format!("a=b; {pair}; c=d").as_bytes());
        prop_assert_eq!(found.as_ref().map(hash), Some(hash(&id)));
    }

    #[test]
    fn any_header_is_refused_without_a_panic(header in any::<Vec<u8>>(), text in "(connect.sid|a|[\"=;%: ]|s:|s%3A|%[0-9a-f])*") {
        let keys = CookieKeys::from(NPM.current_only());
        prop_assert!(keys.session_id(&header).is_none());
        prop_assert!(keys.session_id(text.as_bytes()).is_none());
    }

    #[test]
    fn any_changed_byte_is_noticed(index in any::<prop::sample::Index>(), replacement in "[A-Za-z0-9+/.=]") {
        let mut signed = NPM.cookies.signed.clone();
        let at = index.index(signed.len());
        prop_assume!(signed[at..=at] != replacement);
        signed.replace_range(at..=at, &replacement);
        prop_assert!(CookieKeys::from(NPM.current_only()).unsign(&signed).is_none());
    }
}
