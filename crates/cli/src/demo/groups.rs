//! The groups of the demo shop, who is in them, and the price lists that are for them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::customers::{Kind, Person};
use super::random::Random;
use super::{Row, id, row};

/// The rows of the groups and of what belongs to them.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) groups: Vec<Row>,
    pub(super) memberships: Vec<Row>,
    pub(super) price_lists: Vec<Row>,
    pub(super) price_list_groups: Vec<Row>,
}

struct Group {
    name: &'static str,
    created_at: &'static str,
    updated_at: &'static str,
    metadata: Value,
    has: fn(&Person) -> bool,
}

struct PriceList {
    name: &'static str,
    description: &'static str,
    kind: &'static str,
    status: &'static str,
    starts_at: Option<&'static str>,
    ends_at: Option<&'static str>,
    created_at: &'static str,
    groups: &'static [&'static str],
}

pub(super) fn groups(people: &[Person], random: &mut Random) -> Groups {
    let mut rows = Groups {
        groups: Vec::new(),
        memberships: Vec::new(),
        price_lists: Vec::new(),
        price_list_groups: Vec::new(),
    };
    let definitions = definitions();
    let mut ids = Vec::new();
    for group in &definitions {
        let id = id("cgrp", time(group.created_at), random);
        rows.groups.push(row(json!({
            "id": id,
            "name": group.name,
            "metadata": group.metadata,
            "created_at": time(group.created_at),
            "updated_at": time(group.updated_at),
        })));
        for person in people.iter().filter(|person| (group.has)(person)) {
            rows.memberships.push(row(json!({
                "customer_group_id": id,
                "customer_id": person.id,
            })));
        }
        ids.push((group.name, id));
    }
    for list in PRICE_LISTS {
        let id = id("pl", time(list.created_at), random);
        rows.price_lists.push(row(json!({
            "id": id,
            "name": list.name,
            "description": list.description,
            "type": list.kind,
            "status": list.status,
            "starts_at": list.starts_at,
            "ends_at": list.ends_at,
            "created_at": time(list.created_at),
            "updated_at": time(list.created_at),
        })));
        for (_, group) in ids.iter().filter(|(name, _)| list.groups.contains(name)) {
            rows.price_list_groups.push(row(json!({
                "price_list_id": id,
                "customer_group_id": group,
            })));
        }
    }
    rows
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn buys_from(person: &Person, countries: &[&str]) -> bool {
    person.business.is_some() && countries.contains(&person.country.code)
}

fn is(person: &Person, kind: Kind) -> bool {
    person.business.as_ref().is_some_and(|business| business.kind == kind)
}

fn ordered(person: &Person, from: u64, to: u64) -> bool {
    person.business.is_none() && (from..=to).contains(&person.orders)
}

fn definitions() -> [Group; 20] {
    let group =
        |name, created_at, updated_at, metadata, has| Group { name, created_at, updated_at, metadata, has };
    [
        group(
            "Newsletter",
            "2024-03-04T09:12:40.108233Z",
            "2026-09-28T07:45:03.550127Z",
            json!({ "list_id": "nl-main", "double_opt_in": true }),
            |person| person.newsletter,
        ),
        group(
            "Founding members",
            "2024-03-04T09:20:11.402915Z",
            "2024-03-31T16:02:57.003418Z",
            json!({ "closed": true, "gift": "enamel mug", "note": "the first ones through the door" }),
            |person| person.number < 30 && person.has_account && person.business.is_none(),
        ),
        group(
            "Employees",
            "2024-03-05T08:00:00.000271Z",
            "2026-08-03T06:31:20.719004Z",
            json!({ "discount_percent": 40, "limit": { "kilograms": 2, "per": "month" } }),
            |person| person.country.code == "dk" && person.business.is_none() && person.number % 13 == 4,
        ),
        group(
            "Wholesale Nordics",
            "2024-03-18T10:44:09.310556Z",
            "2026-10-12T11:15:32.640871Z",
            json!({ "region": "nordics", "currency": "DKK", "minimum_order_kilograms": 5, "net_prices": true }),
            |person| buys_from(person, &["dk", "se", "no", "fi"]),
        ),
        group(
            "Wholesale Germany",
            "2024-04-02T13:05:48.877120Z",
            "2026-10-12T11:15:33.002619Z",
            json!({ "region": "de", "currency": "EUR", "minimum_order_kilograms": 5, "net_prices": true }),
            |person| buys_from(person, &["de"]),
        ),
        group(
            "Wholesale Benelux",
            "2024-04-02T13:06:30.154498Z",
            "2026-10-12T11:15:33.411907Z",
            json!({ "region": "benelux", "currency": "EUR", "minimum_order_kilograms": 5, "net_prices": true }),
            |person| buys_from(person, &["nl"]),
        ),
        group(
            "Wholesale overseas",
            "2024-06-11T09:50:17.228340Z",
            "2026-10-12T11:15:33.790044Z",
            json!({ "region": "overseas", "currency": "USD", "minimum_order_kilograms": 20, "net_prices": true, "incoterms": "DAP" }),
            |person| buys_from(person, &["gb", "us"]),
        ),
        group(
            "Cafés and bakeries",
            "2024-06-20T14:28:55.093377Z",
            "2026-07-01T12:00:00.000862Z",
            json!({ "grinder_service": true, "contact": { "name": "Ida", "phone": null } }),
            |person| is(person, Kind::Cafe),
        ),
        group(
            "Hotels",
            "2024-06-20T14:29:41.660293Z",
            "2026-07-01T12:00:00.001425Z",
            json!({ "grinder_service": true, "portion_packs": [40, 60, 250] }),
            |person| is(person, Kind::Hotel),
        ),
        group(
            "Offices and coworking",
            "2024-06-20T14:31:02.449518Z",
            "2026-07-01T12:00:00.001990Z",
            json!({ "grinder_service": false }),
            |person| is(person, Kind::Office),
        ),
        group(
            "Coffee club, monthly",
            "2024-09-01T07:00:00.000315Z",
            "2026-10-01T05:00:02.118463Z",
            json!({ "interval": { "every": 1, "unit": "month" }, "grams": 500 }),
            |person| person.subscription == Some("monthly"),
        ),
        group(
            "Coffee club, fortnightly",
            "2024-09-01T07:00:00.000902Z",
            "2026-10-19T05:00:01.706220Z",
            json!({ "interval": { "every": 2, "unit": "week" }, "grams": 250 }),
            |person| person.subscription == Some("fortnightly"),
        ),
        group(
            "Loyalty: Bronze",
            "2025-01-13T08:30:00.004077Z",
            "2026-10-31T02:00:07.310080Z",
            json!({ "tier": 1, "orders": { "from": 2, "to": 4 }, "colour": "#cd7f32" }),
            |person| ordered(person, 2, 4),
        ),
        group(
            "Loyalty: Silver",
            "2025-01-13T08:30:00.004611Z",
            "2026-10-31T02:00:07.902761Z",
            json!({ "tier": 2, "orders": { "from": 5, "to": 11 }, "colour": "#c0c0c0" }),
            |person| ordered(person, 5, 11),
        ),
        group(
            "Loyalty: Gold",
            "2025-01-13T08:30:00.005139Z",
            "2026-10-31T02:00:08.271945Z",
            json!({ "tier": 3, "orders": { "from": 12, "to": null }, "colour": "#ffd700", "perks": ["free shipping", "early access"] }),
            |person| ordered(person, 12, u64::MAX),
        ),
        group(
            "Decaf drinkers",
            "2025-05-27T15:17:36.585734Z",
            "2025-05-27T15:17:36.585734Z",
            Value::Null,
            |person| person.roast == "decaf" && person.orders >= 5,
        ),
        group(
            "Press and reviewers",
            "2025-10-06T11:41:23.967012Z",
            "2026-03-16T09:08:44.120538Z",
            json!({ "samples_per_year": 4, "embargo": "see the press kit" }),
            |person| person.number % 167 == 101,
        ),
        group(
            "Barista course 2026",
            "2026-01-19T17:33:05.246681Z",
            "2026-02-22T20:10:51.874306Z",
            json!({ "dates": ["2026-02-07", "2026-02-14", "2026-02-21"], "seats": 24, "room": "Nørrebro" }),
            |person| {
                person.business.is_none()
                    && person.orders >= 3
                    && ["dk", "se"].contains(&person.country.code)
                    && person.number % 4 == 1
                    && person.number < 640
            },
        ),
        group(
            "Franchise partners",
            "2026-08-24T12:55:18.661190Z",
            "2026-08-24T12:55:18.661190Z",
            json!({ "pilot": true, "contract": { "signed": "2026-08-21", "years": 5 } }),
            |person| person.number == 417,
        ),
        group(
            "Advent calendar 2026",
            "2026-10-30T14:02:29.333857Z",
            "2026-10-30T14:02:29.333857Z",
            json!({ "opens": "2026-12-01", "doors": 24 }),
            |_| false,
        ),
    ]
}

const PRICE_LISTS: [PriceList; 3] = [
    PriceList {
        name: "Wholesale 2026",
        description: "Prices per kilogram for cafés, hotels and offices",
        kind: "override",
        status: "active",
        starts_at: Some("2026-01-01T00:00:00.000000Z"),
        ends_at: Some("2026-12-31T23:59:59.999000Z"),
        created_at: "2025-12-15T10:20:30.451029Z",
        groups: &["Wholesale Nordics", "Wholesale Germany", "Wholesale Benelux", "Wholesale overseas"],
    },
    PriceList {
        name: "Gold members",
        description: "A tenth off everything, all year",
        kind: "sale",
        status: "active",
        starts_at: None,
        ends_at: None,
        created_at: "2025-01-13T08:41:12.099340Z",
        groups: &["Loyalty: Gold"],
    },
    PriceList {
        name: "Advent sale",
        description: "The winter roast, for readers of the newsletter and the coffee club",
        kind: "sale",
        status: "draft",
        starts_at: Some("2026-12-01T00:00:00.000000Z"),
        ends_at: Some("2026-12-24T23:59:59.999000Z"),
        created_at: "2026-10-30T14:11:07.518226Z",
        groups: &["Newsletter", "Coffee club, monthly", "Coffee club, fortnightly"],
    },
];
