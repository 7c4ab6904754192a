//! Sessions of another server. Here it is Stheno, which answers about its sessions as Medusa does.

use serde_json::json;

use crate::support::{EMAIL, PASSWORD, Shop};

#[test]
fn a_session_of_medusas_counts_where_its_url_is_given() {
    let medusas = Shop::with_known_credentials();
    medusas.serve([]).stop();
    let shop = Shop::with_known_credentials();
    std::fs::copy(medusas.path("stheno.db"), shop.path("stheno.db")).unwrap();

    let medusa = medusas.serve([]);
    let login = medusa.post("/admin/auth").with("x-forwarded-proto", "https");
    let cookie = login.send_json(json!({ "email": EMAIL, "password": PASSWORD })).cookie.unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let status = |shop: &Shop| {
        let server = shop.serve([]);
        let status = server.get("/admin/customer-groups").with("cookie", cookie).send().status;
        server.stop();
        status
    };
    assert_eq!(status(&shop), 401);
    let shop = shop.with("STHENO_MEDUSA_URL", &medusa.url);
    assert_eq!(status(&shop), 200);
    medusa.stop();
    assert_eq!(status(&shop), 503);
}
