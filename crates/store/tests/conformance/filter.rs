//! Which rows a list shows.

use serde_json::{Value, json};
use stheno_store::{
    AccountFilter, Bound, CustomerChanges, CustomerFilter, CustomerGroupChanges, CustomerGroupFilter,
    DateRange, IdFilter, Table, TextComparison, Window,
};

use crate::database::Database;
use crate::shop::{START, Shop, id, ids_in, rows, texts, time};

fn q(term: &str) -> CustomerGroupFilter {
    CustomerGroupFilter { q: Some(term.to_owned()), ..CustomerGroupFilter::default() }
}

fn customer_q(term: &str) -> CustomerFilter {
    CustomerFilter { q: Some(term.to_owned()), ..CustomerFilter::default() }
}

fn in_groups(groups: &[&str]) -> CustomerFilter {
    CustomerFilter { groups: Some(texts(groups)), ..CustomerFilter::default() }
}

fn by_id(filter: IdFilter) -> CustomerGroupFilter {
    CustomerGroupFilter { id: Some(filter), ..CustomerGroupFilter::default() }
}

fn named(names: &[&str]) -> CustomerGroupFilter {
    CustomerGroupFilter { names: Some(texts(names)), ..CustomerGroupFilter::default() }
}

/// Few are found otherwise than many, and pages of either are cut from all of them.
pub(crate) async fn q_counts_all_groups_that_it_finds(database: Database) {
    let shop = Shop::open(database).await;
    let all: Vec<String> = (1000..2005).map(|number| format!("cgrp_{number}")).collect();
    let groups = all.iter().map(|id| json!({"id": id, "name": format!("Shop {id}")})).collect();
    shop.import(Table::CustomerGroup, groups).await;
    for (term, found) in [
        ("SHOP", &all[..]),
        ("shop cgrp_1", &all[..1000]),
        ("grp_200", &all[1000..]),
        // Others have the last word as well.
        ("sHop cgrp_100", &all[..10]),
        ("hop CGRP", &all[..]),
        ("hops cgrp_1004", &[]),
    ] {
        for (offset, limit) in [(0, 3), (2, 2), (4, 100)] {
            let mut list = shop.group_list();
            list.filter.q = Some(term.to_owned());
            list.window = Window { offset: offset as u64, limit: Some(limit as u64) };
            let page = shop.store.list_customer_groups(list).await.unwrap();
            let place = format!("{term:?} {offset} {limit}");
            assert_eq!(page.count, found.len() as u64, "{place}");
            let end = found.len().min(offset + limit);
            let ids: Vec<_> = rows(page).await.iter().map(id).collect();
            assert_eq!(ids, found.get(offset..end).unwrap_or_default(), "{place}");
        }
    }
}

pub(crate) async fn q_finds_a_part_of_a_groups_name(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::CustomerGroup,
        json!([{"id": "cgrp_a", "name": "VIP Europe"}, {"id": "cgrp_b", "name": "vip"}, {"id": "cgrp_c", "name": ""}]),
    )
    .await;
    let found: [(&str, &[&str]); 7] = [
        ("", &["cgrp_a", "cgrp_b", "cgrp_c"]),
        ("VIP", &["cgrp_a", "cgrp_b"]),
        ("vIp", &["cgrp_a", "cgrp_b"]),
        ("P e", &["cgrp_a"]),
        ("EUROPE", &["cgrp_a"]),
        (" vip", &[]),
        // The name alone is searched, not the id.
        ("cgrp", &[]),
    ];
    for (term, expected) in found {
        assert_eq!(shop.groups(q(term)).await, expected, "{term:?}");
    }
}

/// What PostgreSQL's `ILIKE` finds in the locale C.UTF-8: each character is taken in lower case by itself.
const CASES: [(&str, &str, bool); 26] = [
    ("CHLOÉ", "chloé", true),
    ("chloé", "CHLOÉ", true),
    ("SØREN", "søren", true),
    ("STRAẞE", "straße", true),
    ("straße", "STRAẞE", true),
    ("straße", "STRASSE", false),
    ("\u{212A}elvin", "kelvin", true),
    ("Kelvin", "\u{212A}ELVIN", true),
    ("\u{2126}", "ω", true),
    ("\u{2126}", "Ω", true),
    ("İSTANBUL", "istanbul", true),
    ("istanbul", "İSTANBUL", true),
    ("ısparta", "ISPARTA", false),
    ("ISPARTA", "ısparta", false),
    ("ΣΊΣΥΦΟΣ", "σίσυφοσ", true),
    ("ΣΊΣΥΦΟΣ", "σίσυφος", false),
    ("σίσυφος", "ΣΊΣΥΦΟΣ", false),
    ("\u{10400}", "\u{10428}", true),
    ("Ꭰ", "ꭰ", true),
    ("Ა", "ა", true),
    ("ǅ", "ǆ", true),
    ("ﬁn", "FIN", false),
    ("µ", "Μ", false),
    ("ſ", "S", false),
    ("e\u{301}", "é", false),
    ("Ａ", "ａ", true),
];

pub(crate) async fn q_folds_case_character_by_character(database: Database) {
    let shop = Shop::open(database).await;
    let groups: Value = CASES
        .iter()
        .enumerate()
        .map(|(number, (name, _, _))| {
            json!({"id": format!("cgrp_{number:02}"), "name": format!("{number:02} <{name}>")})
        })
        .collect();
    shop.import(Table::CustomerGroup, groups).await;
    let customers: Value = CASES
        .iter()
        .enumerate()
        .map(|(number, (name, _, _))| {
            json!({"id": format!("cus_{number:02}"), "email": format!("{number:02}"), "last_name": format!("<{name}>")})
        })
        .collect();
    shop.import(Table::Customer, customers).await;
    for (number, (name, term, found)) in CASES.into_iter().enumerate() {
        let (group, customer) = (format!("cgrp_{number:02}"), format!("cus_{number:02}"));
        assert_eq!(shop.groups(q(&format!("<{term}>"))).await.contains(&group), found, "{term} in {name}");
        assert_eq!(
            shop.customers(customer_q(&format!("<{term}>"))).await.contains(&customer),
            found,
            "{term} in {name}"
        );
    }
}

pub(crate) async fn q_follows_every_write(database: Database) {
    let shop = Shop::open(database).await;
    shop.database.make_customers(300, 1).await;
    let groups: Value = (0..50)
        .map(|number| json!({"id": format!("cgrp_{number:02}"), "name": number.to_string()}))
        .collect();
    shop.import(Table::CustomerGroup, groups).await;
    let name = |name: &str| Some(Some(name.to_owned()));
    let all = shop.all(Table::Customer);
    let change = async |id: &str, first_name, last_name| {
        let changes = CustomerChanges { first_name, last_name, ..CustomerChanges::default() };
        shop.store.update_customer(id, changes, &all).await.unwrap().unwrap();
    };
    let all_groups = shop.all(Table::CustomerGroup);
    let rename = async |id: &str, name: &str| {
        let changes = CustomerGroupChanges { name: Some(Some(name.to_owned())), metadata: None };
        shop.store.update_customer_group(id, changes, &all_groups).await.unwrap().unwrap();
    };

    change("cus_1000007", name("Emma"), name("Smith")).await;
    change("cus_1000008", name("Emma"), name("O\"Brien")).await;
    rename("cgrp_07", "Wholesale \"North\"").await;
    let found = async |term: &str| shop.customers(customer_q(term)).await;
    assert_eq!(found("emma").await, ["cus_1000007", "cus_1000008"]);
    assert_eq!(found("emma smith").await, ["cus_1000007"]);
    assert_eq!(found("a smi").await, ["cus_1000007"]);
    assert_eq!(found("O\"Bri").await, ["cus_1000008"]);
    assert_eq!(found("1000007@shop.example").await, ["cus_1000007"]);
    assert_eq!(found("1000007@shop.example Emma").await, [""; 0], "the address and a name are two texts");
    assert_eq!(found("shop").await.len(), 300);
    assert_eq!(found("7@").await.len(), 30);
    assert_eq!(found("@").await.len(), 300);
    assert_eq!(shop.groups(q("sale \"no")).await, ["cgrp_07"]);

    change("cus_1000007", name("Emilia"), None).await;
    change("cus_1000008", Some(None), None).await;
    rename("cgrp_07", "Retail").await;
    assert_eq!(found("emma").await, [""; 0]);
    assert_eq!(found("emilia smith").await, ["cus_1000007"]);
    assert_eq!(found("O\"Brien").await, ["cus_1000008"]);
    assert_eq!(shop.groups(q("wholesale")).await, [""; 0]);
    assert_eq!(shop.groups(q("RETAIL")).await, ["cgrp_07"]);

    // Among the members of a group, with more of them than customers who are found, and with fewer.
    shop.add_members("cgrp_01", &["cus_1000007"]).await;
    shop.database.make_members("cgrp_02").await;
    for group in ["cgrp_01", "cgrp_02"] {
        let filter = CustomerFilter { groups: Some(texts(&[group])), ..customer_q("emilia") };
        assert_eq!(shop.customers(filter).await, ["cus_1000007"]);
        let filter = CustomerFilter { groups: Some(texts(&[group])), ..customer_q("brien") };
        assert_eq!(shop.customers(filter).await.len(), usize::from(group == "cgrp_02"));
        let filter = CustomerFilter { groups: Some(texts(&[group, "cgrp_03"])), ..customer_q("emilia") };
        assert_eq!(shop.customers(filter).await, ["cus_1000007"]);
    }

    assert!(shop.store.delete_customer_group("cgrp_07").await.unwrap());
    assert_eq!(shop.groups(q("retail")).await, [""; 0]);
    shop.database.execute("UPDATE customer SET deleted_at = updated_at WHERE id = 'cus_1000007'").await;
    assert_eq!(found("emilia").await, [""; 0]);
    shop.database.execute("DELETE FROM customer WHERE id = 'cus_1000007'").await;
    let email = json!([{"id": "cus_again", "email": "again@shop.example", "first_name": "Emilia"}]);
    shop.import(Table::Customer, email).await;
    assert_eq!(found("emilia").await, ["cus_again"]);
}

pub(crate) async fn q_is_literal(database: Database) {
    let shop = Shop::open(database).await;
    let names = ["100%", "100", "a_b", "axb", "back\\slash", "backslash", "it's", "[x]*?"];
    let groups: Value = names.iter().map(|name| json!({"id": name, "name": name})).collect();
    shop.import(Table::CustomerGroup, groups).await;
    let found: [(&str, &[&str]); 8] = [
        ("%", &["100%"]),
        ("0%", &["100%"]),
        ("1%0", &[]),
        ("_", &["a_b"]),
        ("\\", &["back\\slash"]),
        ("\\%", &[]),
        ("'", &["it's"]),
        ("]*", &["[x]*?"]),
    ];
    for (term, expected) in found {
        assert_eq!(shop.groups(q(term)).await, expected, "{term:?}");
    }
    let customers: Value =
        names.iter().map(|name| json!({"id": name, "email": format!("<{name}>")})).collect();
    shop.import(Table::Customer, customers).await;
    for (term, expected) in found {
        assert_eq!(shop.customers(customer_q(term)).await, expected, "{term:?}");
    }
}

pub(crate) async fn q_finds_customers_by_address_and_names(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::Customer,
        json!([
            {"id": "cus_1", "email": "al@shop.example", "first_name": "Ada", "last_name": "Lovelace", "phone": "555"},
            {"id": "cus_2", "email": "lovelace@home.example", "first_name": "Ada"},
            {"id": "cus_3", "email": "x@home.example", "last_name": "Ada"},
            {"id": "cus_4", "email": "y@home.example", "first_name": "De la", "last_name": "Cruz"},
        ]),
    )
    .await;
    let found: [(&str, &[&str]); 16] = [
        (" ", &["cus_4"]),
        ("HOME", &["cus_2", "cus_3", "cus_4"]),
        ("ada", &["cus_1", "cus_2", "cus_3"]),
        ("lovelace", &["cus_1", "cus_2"]),
        ("ada lovelace", &["cus_1"]),
        ("DA LOVE", &["cus_1"]),
        ("ada ", &["cus_1"]),
        (" love", &["cus_1"]),
        ("de la cruz", &["cus_4"]),
        ("de la", &["cus_4"]),
        ("la cruz", &["cus_4"]),
        ("lovelace ada", &[]),
        ("adalovelace", &[]),
        ("ada  lovelace", &[]),
        ("example ada", &[]),
        ("555", &[]),
    ];
    for (term, expected) in found {
        assert_eq!(shop.customers(customer_q(term)).await, expected, "{term:?}");
    }
}

pub(crate) async fn names_are_exact(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::CustomerGroup,
        json!([{"id": "cgrp_a", "name": "VIP"}, {"id": "cgrp_b", "name": "vip"}, {"id": "cgrp_c", "name": "a,\"b\""}]),
    )
    .await;
    let found: [(&[&str], &[&str]); 6] = [
        (&["VIP"], &["cgrp_a"]),
        (&["vip", "VIP", "vip", "nope"], &["cgrp_a", "cgrp_b"]),
        (&["a,\"b\""], &["cgrp_c"]),
        (&["VI"], &[]),
        (&["VIP "], &[]),
        (&[], &[]),
    ];
    for (names, expected) in found {
        assert_eq!(shop.groups(named(names)).await, expected, "{names:?}");
    }
}

pub(crate) async fn ids_are_one_of_many(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b", "cgrp_c"]).await;
    let found: [(&[&str], &[&str]); 4] = [
        (&["cgrp_b"], &["cgrp_b"]),
        (&["cgrp_c", "nope", "cgrp_a", "cgrp_c"], &["cgrp_a", "cgrp_c"]),
        (&["CGRP_A", "cgrp_"], &[]),
        (&[], &[]),
    ];
    for (ids, expected) in found {
        let filter = by_id(IdFilter::OneOf(texts(ids)));
        assert_eq!(shop.groups(filter).await, expected, "{ids:?}");
    }
}

pub(crate) async fn ids_compare_by_code_points(database: Database) {
    let shop = Shop::open(database).await;
    let ids = ["cgrp_A", "cgrp_B", "cgrp_a", "cgrp_É", "cgrp_é%"];
    shop.add_groups(&ids).await;
    let none = TextComparison::default;
    let text = |text: &str| Some(text.to_owned());
    let found: [(TextComparison, &[&str]); 14] = [
        (none(), &ids),
        (TextComparison { gt: text("cgrp_B"), ..none() }, &ids[2..]),
        (TextComparison { gte: text("cgrp_B"), ..none() }, &ids[1..]),
        (TextComparison { lt: text("cgrp_B"), ..none() }, &ids[..1]),
        (TextComparison { lte: text("cgrp_B"), ..none() }, &ids[..2]),
        (TextComparison { gt: text("cgrp_A"), lte: text("cgrp_a"), ..none() }, &ids[1..3]),
        (TextComparison { gt: text("b"), lt: text("b"), ..none() }, &[]),
        (TextComparison { starts_with: text("CGRP_a"), ..none() }, &["cgrp_A", "cgrp_a"]),
        (TextComparison { starts_with: text("grp"), ..none() }, &[]),
        (TextComparison { ends_with: text("é"), ..none() }, &["cgrp_É"]),
        (TextComparison { ends_with: text("_"), ..none() }, &[]),
        (TextComparison { contains: text("É"), ..none() }, &ids[3..]),
        (TextComparison { contains: text("%"), ..none() }, &ids[4..]),
        (
            TextComparison {
                starts_with: text("C"),
                contains: text("P_"),
                ends_with: text("A"),
                gt: text("cgrp_A"),
                ..none()
            },
            &["cgrp_a"],
        ),
    ];
    for (comparison, expected) in found {
        let filter = by_id(IdFilter::Compare(comparison.clone()));
        assert_eq!(shop.groups(filter).await, expected, "{comparison:?}");
    }
}

pub(crate) async fn times_are_compared_to_the_microsecond(database: Database) {
    let shop = Shop::open(database).await;
    let times = [
        "0001-01-01T00:00:00Z",
        "2024-11-03T08:00:00.000537Z",
        "2024-11-03T08:00:00.000538Z",
        "2024-11-03T08:00:00.000539Z",
        "9999-12-30T21:59:59.999999Z",
    ];
    let other = "2000-01-01T00:00:00Z";
    let created: Value = (0..5)
        .map(|i| {
            json!({"id": i.to_string(), "name": i.to_string(), "email": i.to_string(),
                   "created_at": times[i], "updated_at": other})
        })
        .collect();
    let updated: Value = (0..5)
        .map(|i| {
            json!({"id": format!("u{i}"), "name": format!("u{i}"), "email": format!("u{i}"),
                   "created_at": "1980-01-01T00:00:00Z", "updated_at": times[i]})
        })
        .collect();
    for rows in [created, updated] {
        let without = |column: &str| {
            let mut rows = rows.clone();
            for row in rows.as_array_mut().unwrap() {
                row.as_object_mut().unwrap().shift_remove(column);
            }
            rows
        };
        shop.import(Table::CustomerGroup, without("email")).await;
        shop.import(Table::Customer, without("name")).await;
    }
    let at = |text: &str| Some(Bound::At(time(text)));
    let middle = at(times[2]);
    let (past, future) = (Some(Bound::Past), Some(Bound::Future));
    let none = DateRange::default;
    let found: [(DateRange, &[usize]); 20] = [
        (none(), &[0, 1, 2, 3, 4]),
        (DateRange { gt: middle, ..none() }, &[3, 4]),
        (DateRange { gte: middle, ..none() }, &[2, 3, 4]),
        (DateRange { lt: middle, ..none() }, &[0, 1]),
        (DateRange { lte: middle, ..none() }, &[0, 1, 2]),
        (DateRange { gte: middle, lte: middle, ..none() }, &[2]),
        (DateRange { gt: middle, lt: middle, ..none() }, &[]),
        // As the time is shown, to the millisecond.
        (DateRange { lte: at("2024-11-03T08:00:00Z"), ..none() }, &[0]),
        (
            DateRange { gte: at("2024-11-03T08:00:00Z"), lt: at("2024-11-03T08:00:00.001Z"), ..none() },
            &[1, 2, 3],
        ),
        (DateRange { gt: past, ..none() }, &[0, 1, 2, 3, 4]),
        (DateRange { gte: past, ..none() }, &[0, 1, 2, 3, 4]),
        (DateRange { lt: past, ..none() }, &[]),
        (DateRange { lte: past, ..none() }, &[]),
        (DateRange { gt: future, ..none() }, &[]),
        (DateRange { gte: future, ..none() }, &[]),
        (DateRange { lt: future, ..none() }, &[0, 1, 2, 3, 4]),
        (DateRange { lte: future, gt: middle, ..none() }, &[3, 4]),
        // Years that are not written with four digits.
        (DateRange { gt: at("-000400-01-01T00:00:00Z"), ..none() }, &[0, 1, 2, 3, 4]),
        (DateRange { lt: at("-000400-01-01T00:00:00Z"), ..none() }, &[]),
        (DateRange { gt: at("0900-01-01T00:00:00Z"), ..none() }, &[1, 2, 3, 4]),
    ];
    // The rows whose other time is compared are all before these bounds, or all after them.
    for (range, expected) in found {
        let created_expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        let updated_expected: Vec<_> = expected.iter().map(|i| format!("u{i}")).collect();
        let created: Vec<_> = shop
            .groups(CustomerGroupFilter { created_at: range, ..CustomerGroupFilter::default() })
            .await
            .into_iter()
            .filter(|id| !id.starts_with('u'))
            .collect();
        assert_eq!(created, created_expected, "groups created {range:?}");
        let updated: Vec<_> = shop
            .groups(CustomerGroupFilter { updated_at: range, ..CustomerGroupFilter::default() })
            .await
            .into_iter()
            .filter(|id| id.starts_with('u'))
            .collect();
        assert_eq!(updated, updated_expected, "groups updated {range:?}");
        let created: Vec<_> = shop
            .customers(CustomerFilter { created_at: range, ..CustomerFilter::default() })
            .await
            .into_iter()
            .filter(|id| !id.starts_with('u'))
            .collect();
        assert_eq!(created, created_expected, "customers created {range:?}");
        let updated: Vec<_> = shop
            .customers(CustomerFilter { updated_at: range, ..CustomerFilter::default() })
            .await
            .into_iter()
            .filter(|id| id.starts_with('u'))
            .collect();
        assert_eq!(updated, updated_expected, "customers updated {range:?}");
    }
}

pub(crate) async fn a_discount_condition_names_groups(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b", "cgrp_c"]).await;
    shop.import(Table::CustomerGroup, json!([{"id": "cgrp_old", "name": "Old", "deleted_at": START}])).await;
    shop.import(
        Table::DiscountConditionCustomerGroup,
        json!([
            {"condition_id": "discon_1", "customer_group_id": "cgrp_a"},
            {"condition_id": "discon_1", "customer_group_id": "cgrp_c"},
            {"condition_id": "discon_1", "customer_group_id": "cgrp_old"},
            {"condition_id": "discon_2", "customer_group_id": "cgrp_a"},
        ]),
    )
    .await;
    let of_condition = |condition: &str| CustomerGroupFilter {
        discount_condition_id: Some(condition.to_owned()),
        ..CustomerGroupFilter::default()
    };
    assert_eq!(shop.groups(of_condition("discon_1")).await, ["cgrp_a", "cgrp_c"]);
    assert_eq!(shop.groups(of_condition("discon_2")).await, ["cgrp_a"]);
    assert_eq!(shop.groups(of_condition("discon_3")).await, [""; 0]);

    // The count is of all that match, not of the page.
    let mut list = shop.group_list();
    list.filter = of_condition("discon_1");
    list.window.limit = Some(1);
    let page = shop.store.list_customer_groups(list).await.unwrap();
    assert_eq!(page.count, 2);
    assert_eq!(rows(page).await.len(), 1);
}

pub(crate) async fn customers_of_several_groups_come_once(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b", "cgrp_c"]).await;
    shop.add_customers(&["cus_1", "cus_2", "cus_3", "cus_4"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_b", &["cus_2", "cus_3"]).await;
    shop.add_members("cgrp_c", &["cus_2"]).await;
    let found: [(&[&str], &[&str]); 6] = [
        (&["cgrp_a"], &["cus_1", "cus_2"]),
        (&["cgrp_a", "cgrp_b"], &["cus_1", "cus_2", "cus_3"]),
        (&["cgrp_b", "nope", "cgrp_b"], &["cus_2", "cus_3"]),
        (&["nope"], &[]),
        (&["cgrp_a,cgrp_b"], &[]),
        (&[], &[]),
    ];
    for (groups, expected) in found {
        assert_eq!(shop.customers(in_groups(groups)).await, expected, "{groups:?}");
    }
}

pub(crate) async fn the_groups_shown_are_those_asked_for(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a", "cgrp_b", "cgrp_c"]).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_a", &["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_b", &["cus_2"]).await;
    shop.add_members("cgrp_c", &["cus_2"]).await;
    let found = [
        (Some(vec!["cgrp_a"]), [vec!["cgrp_a"], vec!["cgrp_a"]]),
        (Some(vec!["cgrp_c", "cgrp_a"]), [vec!["cgrp_a"], vec!["cgrp_a", "cgrp_c"]]),
        (None, [vec!["cgrp_a"], vec!["cgrp_a", "cgrp_b", "cgrp_c"]]),
    ];
    for (groups, expected) in found {
        let mut list = shop.customer_list();
        list.filter.groups = groups.as_deref().map(texts);
        list.selection = shop.with(Table::Customer, &["groups.customers"]);
        let listed = rows(shop.store.list_customers(list).await.unwrap()).await;
        let shown: Vec<_> = listed.iter().map(|customer| ids_in(customer, "groups")).collect();
        assert_eq!(shown, expected, "{groups:?}");
        // What is below the groups is not narrowed.
        assert_eq!(ids_in(&listed[0]["groups"][0], "customers"), ["cus_1", "cus_2"]);
    }
}

pub(crate) async fn a_soft_deleted_group_has_no_members(database: Database) {
    let shop = Shop::open(database).await;
    shop.add_groups(&["cgrp_a"]).await;
    shop.import(Table::CustomerGroup, json!([{"id": "cgrp_old", "name": "Old", "deleted_at": START}])).await;
    shop.add_customers(&["cus_1", "cus_2"]).await;
    shop.add_members("cgrp_a", &["cus_1"]).await;
    let old: Value = ["cus_1", "cus_2"]
        .iter()
        .map(|customer| json!({"customer_group_id": "cgrp_old", "customer_id": customer}))
        .collect();
    shop.import(Table::CustomerGroupCustomers, old).await;
    assert_eq!(shop.members("cgrp_old").await, [""; 0]);
    assert_eq!(shop.customers(in_groups(&["cgrp_old", "cgrp_a"])).await, ["cus_1"]);
    assert_eq!(shop.customers(in_groups(&["cgrp_old", "cgrp_old"])).await, [""; 0]);
}

pub(crate) async fn an_account_is_asked_for_or_not(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::Customer,
        json!([{"id": "cus_1", "email": "a", "has_account": true}, {"id": "cus_2", "email": "a"},
               {"id": "cus_3", "email": "b", "has_account": true, "deleted_at": START}]),
    )
    .await;
    let with = |has_account| CustomerFilter { has_account, ..CustomerFilter::default() };
    let found: [(Option<AccountFilter>, &[&str]); 4] = [
        (None, &["cus_1", "cus_2"]),
        (Some(AccountFilter::Is(true)), &["cus_1"]),
        (Some(AccountFilter::Is(false)), &["cus_2"]),
        (Some(AccountFilter::Null), &[]),
    ];
    for (filter, expected) in found {
        assert_eq!(shop.customers(with(filter)).await, expected, "{filter:?}");
    }
}

pub(crate) async fn soft_deleted_rows_are_in_no_list(database: Database) {
    let shop = Shop::open(database).await;
    shop.import(
        Table::CustomerGroup,
        json!([{"id": "cgrp_a", "name": "Same"}, {"id": "cgrp_old", "name": "Same", "deleted_at": START}]),
    )
    .await;
    shop.import(
        Table::Customer,
        json!([{"id": "cus_1", "email": "same"}, {"id": "cus_gone", "email": "same", "deleted_at": START}]),
    )
    .await;
    let both = json!(["cus_1", "cus_gone"]);
    let both: Value = both
        .as_array()
        .unwrap()
        .iter()
        .map(|id| json!({"customer_group_id": "cgrp_a", "customer_id": id}))
        .collect();
    shop.import(Table::CustomerGroupCustomers, both).await;
    for filter in [
        CustomerGroupFilter::default(),
        q("same"),
        named(&["Same"]),
        by_id(IdFilter::OneOf(texts(&["cgrp_a", "cgrp_old"]))),
        by_id(IdFilter::Compare(TextComparison::default())),
    ] {
        assert_eq!(shop.groups(filter).await, ["cgrp_a"]);
    }
    for filter in [
        CustomerFilter::default(),
        customer_q("same"),
        in_groups(&["cgrp_a"]),
        in_groups(&["cgrp_a", "cgrp_b"]),
    ] {
        assert_eq!(shop.customers(filter).await, ["cus_1"]);
    }
}

/// The elements that are in every one of these lists.
fn in_all(lists: &[&Vec<String>], everything: &[String]) -> Vec<String> {
    let in_each = |id: &&String| lists.iter().all(|list| list.contains(id));
    everything.iter().filter(in_each).cloned().collect()
}

pub(crate) async fn filters_of_groups_hold_together(database: Database) {
    let shop = Shop::open(database).await;
    let numbers = 0..64;
    let groups: Value = numbers
        .clone()
        .map(|i| {
            json!({
                "id": format!("cgrp_{i:02}"), "name": format!("{} {i:02}", if i & 1 == 0 { "VIP" } else { "other" }),
                "created_at": format!("20{:02}-01-01T00:00:00Z", i / 2), "updated_at": format!("20{:02}-01-01T00:00:00Z", i % 32),
            })
        })
        .collect();
    shop.import(Table::CustomerGroup, groups).await;
    let linked: Value = numbers
        .clone()
        .filter(|i| i % 3 != 0)
        .map(|i| json!({"condition_id": "discon_1", "customer_group_id": format!("cgrp_{i:02}")}))
        .collect();
    shop.import(Table::DiscountConditionCustomerGroup, linked).await;
    let (after, before) =
        (Some(Bound::At(time("2008-01-01T00:00:00Z"))), Some(Bound::At(time("2020-01-01T00:00:00Z"))));
    let names = numbers.clone().filter(|i| i % 5 != 0).map(|i| format!("VIP {i:02}"));
    let full = CustomerGroupFilter {
        q: Some("vip".to_owned()),
        names: Some(names.collect()),
        id: Some(IdFilter::Compare(TextComparison {
            gte: Some("cgrp_07".to_owned()),
            ..TextComparison::default()
        })),
        created_at: DateRange { gte: after, ..DateRange::default() },
        updated_at: DateRange { lt: before, ..DateRange::default() },
        discount_condition_id: Some("discon_1".to_owned()),
    };
    // The filter with those of its parts whose bits are set.
    let part = |bits: usize| {
        let mut filter = CustomerGroupFilter::default();
        let whole = full.clone();
        if bits & 1 != 0 {
            filter.q = whole.q;
        }
        if bits & 2 != 0 {
            filter.names = whole.names;
        }
        if bits & 4 != 0 {
            filter.id = whole.id;
        }
        if bits & 8 != 0 {
            filter.created_at = whole.created_at;
        }
        if bits & 16 != 0 {
            filter.updated_at = whole.updated_at;
        }
        if bits & 32 != 0 {
            filter.discount_condition_id = whole.discount_condition_id;
        }
        filter
    };
    let everything = shop.groups(part(0)).await;
    let mut alone = Vec::new();
    for bit in 0..6 {
        let found = shop.groups(part(1 << bit)).await;
        assert!(!found.is_empty() && found.len() < everything.len(), "filter {bit}");
        alone.push(found);
    }
    for bits in 0..64 {
        let lists: Vec<_> = (0..6).filter(|bit| bits & (1 << bit) != 0).map(|bit| &alone[bit]).collect();
        assert_eq!(shop.groups(part(bits)).await, in_all(&lists, &everything), "{bits:b}");
    }
    assert!(!shop.groups(part(63)).await.is_empty());
}

pub(crate) async fn filters_of_customers_hold_together(database: Database) {
    let shop = Shop::open(database).await;
    let numbers = 0..64;
    let customers: Value = numbers
        .clone()
        .map(|i| {
            json!({
                "id": format!("cus_{i:02}"), "email": format!("{i:02}"), "has_account": i % 3 == 0,
                "last_name": if i & 1 == 0 { "Lovelace" } else { "Byron" },
                "created_at": format!("20{:02}-01-01T00:00:00Z", i / 2), "updated_at": format!("20{:02}-01-01T00:00:00Z", i % 32),
            })
        })
        .collect();
    shop.import(Table::Customer, customers).await;
    shop.add_groups(&["cgrp_a", "cgrp_b"]).await;
    let members: Value = numbers
        .clone()
        .filter(|i| i % 5 != 0)
        .map(|i| {
            json!({"customer_id": format!("cus_{i:02}"), "customer_group_id": if i < 32 { "cgrp_a" } else { "cgrp_b" }})
        })
        .collect();
    shop.import(Table::CustomerGroupCustomers, members).await;
    let (after, before) =
        (Some(Bound::At(time("2003-01-01T00:00:00Z"))), Some(Bound::At(time("2025-01-01T00:00:00Z"))));
    for groups in [&["cgrp_a"][..], &["cgrp_b", "cgrp_a"]] {
        let part = |bits: usize| {
            let mut filter = CustomerFilter::default();
            if bits & 1 != 0 {
                filter.q = Some("LOVE".to_owned());
            }
            if bits & 2 != 0 {
                filter.groups = Some(texts(groups));
            }
            if bits & 4 != 0 {
                filter.has_account = Some(AccountFilter::Is(true));
            }
            if bits & 8 != 0 {
                filter.created_at.gte = after;
            }
            if bits & 16 != 0 {
                filter.updated_at.lt = before;
            }
            filter
        };
        let everything = shop.customers(part(0)).await;
        let mut alone = Vec::new();
        for bit in 0..5 {
            let found = shop.customers(part(1 << bit)).await;
            assert!(!found.is_empty() && found.len() < everything.len(), "filter {bit}");
            alone.push(found);
        }
        for bits in 0..32 {
            let lists: Vec<_> = (0..5).filter(|bit| bits & (1 << bit) != 0).map(|bit| &alone[bit]).collect();
            assert_eq!(shop.customers(part(bits)).await, in_all(&lists, &everything), "{bits:b}");
        }
        assert!(!shop.customers(part(31)).await.is_empty());
    }
}
