//! Users and what they sign in with: passwords, API tokens, sessions, and the secrets that sign.

use futures::future::join_all;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use stheno_store::{Duplicate, IdKind, NewUser, Role, StoreError, Table, UserSummary};

use crate::database::Database;
use crate::shop::{SHOWN_START, START, Shop, first_id, json_of, texts, time};

fn new_user(email: &str) -> NewUser {
    NewUser {
        email: email.to_owned(),
        password_hash: Some("container".to_owned()),
        role: Role::Admin,
        token_hash: None,
    }
}

impl Shop {
    async fn create_user(&self, email: &str) -> String {
        self.store.create_user(new_user(email)).await.unwrap()
    }

    /// A user that a Medusa had, and that is soft-deleted.
    async fn add_deleted_user(&self) {
        self.import(
            Table::User,
            json!([{"id": "usr_gone", "email": "gone@shop.example", "password_hash": "container",
                    "api_token": "gone_token", "deleted_at": START}]),
        )
        .await;
    }
}

pub(crate) async fn a_new_user_is_answered_without_secrets(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("Ada@Shop.Example").await;
    assert_eq!(id, first_id(IdKind::User));
    let user = json_of(shop.store.retrieve_user(&id).await.unwrap().unwrap()).await;
    let expected = json!({
        "id": id, "created_at": SHOWN_START, "updated_at": SHOWN_START, "deleted_at": null, "role": "admin",
        "email": "ada@shop.example", "first_name": null, "last_name": null, "metadata": null,
    });
    assert_eq!(user, expected);
}

pub(crate) async fn each_role_is_kept(database: Database) {
    let shop = Shop::open(database).await;
    for role in [Role::Admin, Role::Member, Role::Developer] {
        let user = NewUser { role, ..new_user(&format!("{}@shop.example", role.as_str())) };
        let id = shop.store.create_user(user).await.unwrap();
        let user: Value = json_of(shop.store.retrieve_user(&id).await.unwrap().unwrap()).await;
        assert_eq!(user["role"], role.as_str());
    }
}

pub(crate) async fn a_taken_address_is_refused_in_any_case(database: Database) {
    let shop = Shop::open(database).await;
    shop.create_user("ada@shop.example").await;
    let second = NewUser { token_hash: Some("hash".to_owned()), ..new_user("ADA@shop.example") };
    let Err(StoreError::Duplicate(duplicate)) = shop.store.create_user(second).await else {
        panic!("a taken address was not refused");
    };
    let expected =
        Duplicate { table: Table::User, columns: &["email"], values: texts(&["ada@shop.example"]) };
    assert_eq!(duplicate, expected);
    assert_eq!(shop.store.user_by_token("", "hash").await.unwrap(), None);
    assert_eq!(shop.store.list_users().await.unwrap().len(), 1);
}

pub(crate) async fn the_first_user_is_made_once(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_deleted_user().await;
    let users =
        (0..16).map(|number| shop.store.create_first_user(new_user(&format!("user{number}@shop.example"))));
    let created: Vec<_> = join_all(users).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(created.len(), 1);
    let users = shop.store.list_users().await.unwrap();
    assert_eq!(users.iter().map(|user| &user.id).collect::<Vec<_>>(), [&created[0]]);
}

pub(crate) async fn users_are_listed_the_oldest_first(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_deleted_user().await;
    shop.clock.advance(SignedDuration::from_hours(2));
    let late = shop.create_user("late@shop.example").await;
    shop.clock.advance(SignedDuration::from_hours(-1));
    let early = NewUser {
        role: Role::Developer,
        token_hash: Some("hash_1".to_owned()),
        ..new_user("early@shop.example")
    };
    let early = shop.store.create_user(early).await.unwrap();
    assert!(shop.store.create_api_token(&early, "hash_2".to_owned()).await.unwrap());
    let expected = [
        UserSummary {
            id: early,
            email: "early@shop.example".to_owned(),
            role: "developer".to_owned(),
            tokens: 2,
            created_at: time("2024-11-03T09:00:00.000538Z"),
        },
        UserSummary {
            id: late,
            email: "late@shop.example".to_owned(),
            role: "admin".to_owned(),
            tokens: 0,
            created_at: time("2024-11-03T10:00:00.000538Z"),
        },
    ];
    assert_eq!(shop.store.list_users().await.unwrap(), expected);
}

pub(crate) async fn a_user_that_is_not_there_is_none(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_deleted_user().await;
    for id in ["usr_nope", "usr_gone"] {
        assert_matches!(shop.store.retrieve_user(id).await, Ok(None));
        assert!(!shop.store.user_exists(id).await.unwrap());
        assert!(!shop.store.set_password_hash(id, "new".to_owned()).await.unwrap());
        assert!(!shop.store.create_api_token(id, "hash".to_owned()).await.unwrap());
    }
    assert_matches!(shop.store.user_by_email("gone@shop.example").await, Ok(None));
    assert_matches!(shop.store.user_by_token("gone_token", "no hash").await, Ok(None));
    assert_matches!(shop.store.user_by_token("", "hash").await, Ok(None));
    // The address is free.
    shop.create_user("gone@shop.example").await;
}

pub(crate) async fn a_user_signs_in_with_a_password(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("ada@shop.example").await;
    assert!(shop.store.user_exists(&id).await.unwrap());
    for hash in ["container", "stronger"] {
        let user = shop.store.user_by_email("ada@shop.example").await.unwrap().unwrap();
        assert_eq!(user.id, id);
        assert_eq!(user.password_hash.unwrap().expose_secret(), hash);
        assert!(shop.store.set_password_hash(&id, "stronger".to_owned()).await.unwrap());
    }
    let without = NewUser { password_hash: None, ..new_user("bob@shop.example") };
    shop.store.create_user(without).await.unwrap();
    let user = shop.store.user_by_email("bob@shop.example").await.unwrap().unwrap();
    assert!(user.password_hash.is_none());
    assert_matches!(shop.store.user_by_email("nobody@shop.example").await, Ok(None));
}

pub(crate) async fn a_password_that_has_changed_meanwhile_is_not_replaced(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("ada@shop.example").await;
    let replace =
        |old: &str, new: &str| shop.store.replace_password_hash(&id, old.to_owned(), new.to_owned());
    assert!(!replace("another", "stronger").await.unwrap());
    assert!(replace("container", "stronger").await.unwrap());
    assert!(!replace("container", "weaker").await.unwrap());
    let user = shop.store.user_by_email("ada@shop.example").await.unwrap().unwrap();
    assert_eq!(user.password_hash.unwrap().expose_secret(), "stronger");
}

pub(crate) async fn a_user_is_found_by_each_token(database: Database) {
    let shop = Shop::open(database).await;
    let user = NewUser { token_hash: Some("hash_1".to_owned()), ..new_user("ada@shop.example") };
    let id = shop.store.create_user(user).await.unwrap();
    assert!(shop.store.create_api_token(&id, "hash_2".to_owned()).await.unwrap());
    for hash in ["hash_1", "hash_2"] {
        let found = shop.store.user_by_token("sth_text", hash).await.unwrap();
        assert_eq!(found.as_deref(), Some(&*id));
    }
    assert_eq!(shop.store.user_by_token("hash_1", "no hash").await.unwrap(), None);
    assert_eq!(shop.store.user_by_token("", "hash_3").await.unwrap(), None);
}

pub(crate) async fn a_users_plain_token_of_medusa_is_honoured(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::User,
        json!([{"id": "admin_user", "email": "admin@shop.example", "api_token": "test_token"},
               {"id": "no_token", "email": "none@shop.example"}]),
    )
    .await;
    let found = shop.store.user_by_token("test_token", "no hash").await.unwrap();
    assert_eq!(found.as_deref(), Some("admin_user"));
    // It is compared as it is, and never with a hash.
    let as_hash = shop.store.user_by_token("", "test_token").await;
    assert_matches!(as_hash, Ok(None));
    assert_matches!(shop.store.user_by_token("TEST_TOKEN", "no hash").await, Ok(None));
    assert_matches!(shop.store.user_by_token("", "no hash").await, Ok(None));
}

pub(crate) async fn a_session_lasts_until_it_expires(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("ada@shop.example").await;
    let end = time("2024-11-03T18:00:00.000538Z");
    shop.store.create_session("session".to_owned(), &id, end).await.unwrap();
    shop.clock.set(time("2024-11-03T18:00:00.000537Z"));
    let user = shop.store.session_user("session").await.unwrap();
    assert_eq!(user.as_ref(), Some(&id));
    shop.clock.set(end);
    assert_eq!(shop.store.session_user("session").await.unwrap(), None);
    assert_eq!(shop.store.session_user("other").await.unwrap(), None);
}

pub(crate) async fn a_closed_session_is_gone(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("ada@shop.example").await;
    for session in ["one", "two"] {
        let end = time("2024-11-03T18:00:00Z");
        shop.store.create_session(session.to_owned(), &id, end).await.unwrap();
    }
    assert!(shop.store.delete_session("one").await.unwrap());
    assert!(!shop.store.delete_session("one").await.unwrap());
    assert_eq!(shop.store.session_user("one").await.unwrap(), None);
    assert_eq!(shop.store.session_user("two").await.unwrap(), Some(id));
}

pub(crate) async fn a_deleted_user_is_out_in_every_way(database: Database) {
    let shop = Shop::open(database).await;
    let user = NewUser { token_hash: Some("hash".to_owned()), ..new_user("ada@shop.example") };
    let id = shop.store.create_user(user).await.unwrap();
    let other = shop.create_user("bob@shop.example").await;
    let end = time("2024-11-03T18:00:00Z");
    for (session, user) in [("hers", &id), ("his", &other)] {
        shop.store.create_session(session.to_owned(), user, end).await.unwrap();
    }
    assert!(shop.store.delete_user(&id).await.unwrap());
    assert!(!shop.store.delete_user(&id).await.unwrap());
    assert!(!shop.store.delete_user("usr_nope").await.unwrap());
    assert!(!shop.store.user_exists(&id).await.unwrap());
    assert_matches!(shop.store.retrieve_user(&id).await, Ok(None));
    assert_matches!(shop.store.user_by_email("ada@shop.example").await, Ok(None));
    assert_eq!(shop.store.user_by_token("", "hash").await.unwrap(), None);
    assert_eq!(shop.store.session_user("hers").await.unwrap(), None);
    // Nothing of hers is left, the row apart, and nobody else's is gone.
    assert!(!shop.store.delete_session("hers").await.unwrap());
    assert_eq!(shop.store.api_tokens(&id).await.unwrap(), []);
    assert_eq!(shop.store.session_user("his").await.unwrap(), Some(other));
    // The address is free again.
    let again = shop.create_user("ada@shop.example").await;
    assert_ne!(again, id);
    assert_eq!(shop.store.list_users().await.unwrap().len(), 2);
}

pub(crate) async fn a_new_password_closes_the_sessions(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("ada@shop.example").await;
    let other = shop.create_user("bob@shop.example").await;
    let end = time("2024-11-03T18:00:00Z");
    for (session, user) in [("hers", &id), ("his", &other)] {
        shop.store.create_session(session.to_owned(), user, end).await.unwrap();
    }
    // One that is kept better is no new one.
    let better =
        shop.store.replace_password_hash(&id, "container".to_owned(), "stronger".to_owned()).await.unwrap();
    assert!(better);
    assert_eq!(shop.store.session_user("hers").await.unwrap().as_ref(), Some(&id));
    assert!(shop.store.set_password_hash(&id, "another".to_owned()).await.unwrap());
    assert_eq!(shop.store.session_user("hers").await.unwrap(), None);
    assert_eq!(shop.store.session_user("his").await.unwrap(), Some(other));
}

pub(crate) async fn tokens_are_listed_and_revoked(database: Database) {
    let shop = Shop::open(database).await;
    let user = NewUser { token_hash: Some("hash_1".to_owned()), ..new_user("ada@shop.example") };
    let id = shop.store.create_user(user).await.unwrap();
    let other = shop.create_user("bob@shop.example").await;
    assert!(shop.store.create_api_token(&other, "his".to_owned()).await.unwrap());
    let later = time("2024-11-03T09:00:00.000001Z");
    shop.clock.set(later);
    for hash in ["hash_3", "hash_2"] {
        assert!(shop.store.create_api_token(&id, hash.to_owned()).await.unwrap());
    }
    let listed = async || {
        let tokens = shop.store.api_tokens(&id).await.unwrap();
        tokens.into_iter().map(|token| (token.hash, token.created_at)).collect::<Vec<_>>()
    };
    let expected = [("hash_1", time(START)), ("hash_2", later), ("hash_3", later)];
    assert_eq!(listed().await, expected.map(|(hash, created_at)| (hash.to_owned(), created_at)));

    for (user, hash, revoked) in
        [(&other, "hash_1", 0), (&id, "his", 0), (&id, "hash_2", 1), (&id, "hash_2", 0)]
    {
        assert_eq!(shop.store.delete_api_tokens(user, Some(hash)).await.unwrap(), revoked, "{hash}");
    }
    assert_eq!(shop.store.user_by_token("", "hash_2").await.unwrap(), None);
    assert_eq!(listed().await.len(), 2);

    let all = format!("UPDATE \"user\" SET api_token = 'plain' WHERE id = '{id}'");
    shop.database.execute(&all).await;
    assert_eq!(shop.store.delete_api_tokens(&id, None).await.unwrap(), 3);
    assert_eq!(shop.store.user_by_token("plain", "hash_1").await.unwrap(), None);
    assert_eq!(listed().await, []);
    assert_eq!(shop.store.user_by_token("", "his").await.unwrap(), Some(other));
}

pub(crate) async fn expired_sessions_are_forgotten_when_one_is_opened(database: Database) {
    let shop = Shop::open(database).await;
    let id = shop.create_user("ada@shop.example").await;
    let open = async |session: &str, end: &str| {
        shop.store.create_session(session.to_owned(), &id, time(end)).await.unwrap();
    };
    open("old", "2024-11-03T09:00:00Z").await;
    open("young", "2024-11-03T11:00:00Z").await;
    shop.clock.set(time("2024-11-03T10:00:00Z"));
    open("new", "2024-11-03T12:00:00Z").await;
    assert!(!shop.store.delete_session("old").await.unwrap());
    assert!(shop.store.delete_session("young").await.unwrap());
}

pub(crate) async fn a_session_needs_its_user(database: Database) {
    let shop = Shop::open(database).await;
    let end = time("2024-11-03T18:00:00Z");
    let orphan = shop.store.create_session("orphan".to_owned(), "usr_nope", end);
    orphan.await.unwrap_err();
    shop.add_deleted_user().await;
    shop.store.create_session("gone".to_owned(), "usr_gone", end).await.unwrap();
    assert_eq!(shop.store.session_user("gone").await.unwrap(), None);
}

pub(crate) async fn a_secret_is_kept_from_its_first_use(database: Database) {
    let shop = Shop::open(database).await;
    let secrets = (0..16).map(|number| shop.store.secret("jwt", format!("secret {number}")));
    let secrets: Vec<_> = join_all(secrets)
        .await
        .into_iter()
        .map(|secret| secret.unwrap().expose_secret().to_owned())
        .collect();
    let first = &secrets[0];
    assert!(secrets.iter().all(|secret| secret == first));
    let other = shop.store.secret("cookie", "other".to_owned()).await.unwrap();
    assert_eq!(other.expose_secret(), "other");

    let shop = shop.reopen_after("").await;
    let again = shop.store.secret("jwt", "fresh".to_owned()).await.unwrap();
    assert_eq!(again.expose_secret(), first);
}
