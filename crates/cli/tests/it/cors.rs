//! Which pages may call the admin API.

use crate::support::Shop;

#[test]
fn an_origin_that_no_page_has_is_warned_of() {
    let shop = Shop::with_known_credentials().with("ADMIN_CORS", "http://localhost:7001,localhost:7000,/(");
    let log = shop.serve([]).stop();
    assert!(log.contains("localhost:7000 in --admin-cors matches no page"), "{log}");
    assert!(log.contains("/( in --admin-cors matches no page"), "{log}");
    assert_eq!(log.matches("matches no page").count(), 2, "{log}");
}
