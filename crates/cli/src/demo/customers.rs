//! The customers of the demo shop and their addresses.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::places::{self, City, Country};
use super::random::Random;
use super::{Row, id, row};

const COUNT: u64 = 1_000;

/// When the shop opened: 2024-03-04 08:00 UTC.
const OPENED: i64 = 1_709_539_200;

/// One customer comes in this time, on average. The last one came in October 2026.
const SECONDS_EACH: u64 = 83_600;

/// Nothing was changed after this time: 2026-11-01.
const LAST_CHANGE: i64 = 1_793_491_200;

/// A customer, with what the shop knows and puts them into groups for.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) country: &'static Country,
    pub(super) business: Option<Business>,
    pub(super) orders: u64,
    pub(super) has_account: bool,
    pub(super) newsletter: bool,
    pub(super) subscription: Option<&'static str>,
    pub(super) roast: &'static str,
    pub(super) created_at: Timestamp,
    updated_at: Timestamp,
    first_name: &'static str,
    last_name: &'static str,
    email: String,
    phone: Option<String>,
    addresses: Vec<Address>,
    /// Whether the first address is the one for invoices.
    invoices_to_first: bool,
}

/// A company that buys for more than itself.
#[derive(Debug, Clone)]
pub(super) struct Business {
    pub(super) kind: Kind,
    name: String,
    city: City,
    payment_days: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cafe,
    Hotel,
    Office,
}

#[derive(Debug, Clone)]
struct Address {
    id: String,
    city: City,
    street: String,
    second_line: Option<String>,
}

const BUSINESSES: [(Kind, &str); 9] = [
    (Kind::Cafe, "Espresso Bar"),
    (Kind::Cafe, "Bakery"),
    (Kind::Cafe, "Coffee House"),
    (Kind::Cafe, "Bistro"),
    (Kind::Hotel, "Harbour Hotel"),
    (Kind::Hotel, "Guest House"),
    (Kind::Office, "Coworking"),
    (Kind::Office, "Architects"),
    (Kind::Office, "Software"),
];

/// The customers, the oldest first.
pub(super) fn people(random: &mut Random) -> Vec<Person> {
    let mut taken = HashSet::new();
    let mut people: Vec<Person> = Vec::new();
    for number in 0..COUNT {
        let seconds = number * SECONDS_EACH + random.below(SECONDS_EACH);
        let created_at = time(OPENED + seconds as i64, random.below(1_000_000));
        // Some bought as a guest after they had registered, which makes them a customer of their own.
        let registered = (number % 40 == 39)
            .then(|| people[..people.len() / 2].iter().rev().find(|person| person.is_registered_consumer()))
            .flatten()
            .cloned();
        let person = match registered {
            Some(registered) => guest(registered, number, created_at, random),
            None => person(number, created_at, &mut taken, random),
        };
        people.push(person);
    }
    people
}

impl Person {
    fn is_registered_consumer(&self) -> bool {
        self.has_account && self.business.is_none() && self.number.is_multiple_of(3)
    }
}

fn guest(registered: Person, number: u64, created_at: Timestamp, random: &mut Random) -> Person {
    Person {
        id: id("cus", created_at, random),
        number,
        business: None,
        orders: 1,
        has_account: false,
        newsletter: false,
        subscription: None,
        created_at,
        updated_at: created_at,
        addresses: Vec::new(),
        invoices_to_first: false,
        ..registered
    }
}

fn person(number: u64, created_at: Timestamp, taken: &mut HashSet<String>, random: &mut Random) -> Person {
    let country = places::country(random);
    let first_name = *random.pick(&country.first_names);
    let last_name = *random.pick(&country.last_names);
    let business = random.percent(13).then(|| business(country, random));
    let orders = orders(business.is_some(), random);
    let base = match &business {
        Some(business) => format!("orders@{}.example", plain(&business.name, "-")),
        None => format!(
            "{}.{}@{}",
            plain(first_name, ""),
            plain(last_name, ""),
            random.pick(&["example.com", "example.org", "example.net"])
        ),
    };
    let email = free_email(&base, taken);
    let addresses = addresses(country, business.as_ref(), orders, created_at, random);
    let invoices_to_first = !addresses.is_empty() && (business.is_some() || random.percent(50));
    let later = SignedDuration::from_secs(random.below(60 * 86_400) as i64);
    Person {
        id: id("cus", created_at, random),
        number,
        country,
        orders,
        has_account: business.is_some() || random.percent(68),
        newsletter: random.percent(61),
        subscription: subscription(business.is_some(), orders, random),
        roast: random.pick::<&str>(&["light", "light", "medium", "medium", "dark", "decaf"]),
        created_at,
        updated_at: (created_at + later).min(time(LAST_CHANGE, 0)),
        first_name,
        last_name,
        email,
        phone: telephone(country, random),
        business,
        addresses,
        invoices_to_first,
    }
}

fn business(country: &Country, random: &mut Random) -> Business {
    let (kind, what) = *random.pick(&BUSINESSES);
    let city = *random.pick(&country.cities);
    Business { kind, name: format!("{} {what}", city.0), city, payment_days: *random.pick(&[14, 30, 30, 60]) }
}

fn orders(business: bool, random: &mut Random) -> u64 {
    match (business, random.below(100)) {
        (true, _) => 4 + random.below(90),
        (false, 0..18) => 0,
        (false, 18..50) => 1,
        (false, 50..78) => 2 + random.below(3),
        (false, 78..93) => 5 + random.below(7),
        (false, _) => 12 + random.below(28),
    }
}

fn subscription(business: bool, orders: u64, random: &mut Random) -> Option<&'static str> {
    match random.below(100) {
        _ if business || orders < 2 => None,
        0..16 => Some("monthly"),
        16..25 => Some("fortnightly"),
        _ => None,
    }
}

fn telephone(country: &Country, random: &mut Random) -> Option<String> {
    let (beginning, digits) = country.telephone?;
    let number = random.below(10_u64.pow(digits as u32));
    random.percent(70).then(|| format!("{beginning}{number:0digits$}"))
}

fn free_email(base: &str, taken: &mut HashSet<String>) -> String {
    let mut email = base.to_owned();
    let mut count = 1;
    while !taken.insert(email.clone()) {
        count += 1;
        email = base.replacen('@', &format!("{count}@"), 1);
    }
    email
}

fn addresses(
    country: &'static Country,
    business: Option<&Business>,
    orders: u64,
    since: Timestamp,
    random: &mut Random,
) -> Vec<Address> {
    let count = match random.below(100) {
        _ if business.is_some() => 1,
        _ if orders == 0 => 0,
        0..45 => 0,
        45..92 => 1,
        _ => 2,
    };
    (0..count)
        .map(|_| {
            let city = business.map_or_else(|| *random.pick(&country.cities), |business| business.city);
            let street = random.pick(&country.streets);
            let number = 1 + random.below(98);
            Address {
                id: id("addr", since, random),
                city,
                street: if country.number_first {
                    format!("{number} {street}")
                } else {
                    format!("{street} {number}")
                },
                second_line: random.percent(15).then(|| format!("{}. 2", 1 + random.below(5))),
            }
        })
        .collect()
}

/// The rows of the customers and of their addresses.
pub(super) fn rows(people: &[Person]) -> (Vec<Row>, Vec<Row>) {
    let customers = people.iter().map(customer_row).collect();
    let addresses = people
        .iter()
        .flat_map(|person| person.addresses.iter().map(|address| address_row(person, address)))
        .collect();
    (customers, addresses)
}

fn customer_row(person: &Person) -> Row {
    let billing = person.addresses.first().filter(|_| person.invoices_to_first);
    row(json!({
        "id": person.id,
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "billing_address_id": billing.map(|address| &address.id),
        "phone": person.phone,
        "has_account": person.has_account,
        "metadata": metadata(person),
        "created_at": person.created_at,
        "updated_at": person.updated_at,
    }))
}

fn metadata(person: &Person) -> Value {
    match &person.business {
        Some(business) => json!({
            "company": business.name,
            "orders": person.orders,
            "payment_terms": { "days": business.payment_days, "discount_percent": person.orders / 10 },
            "tags": ["business", person.roast],
        }),
        None if person.orders == 0 => Value::Null,
        None => json!({
            "orders": person.orders,
            "roast": person.roast,
            "newsletter": person.newsletter,
            "subscription": person.subscription,
        }),
    }
}

fn address_row(person: &Person, address: &Address) -> Row {
    let (city, postal_code, province) = address.city;
    row(json!({
        "id": address.id,
        "customer_id": person.id,
        "company": person.business.as_ref().map(|business| &business.name),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "address_1": address.street,
        "address_2": address.second_line,
        "city": city,
        "country_code": person.country.code,
        "province": province,
        "postal_code": postal_code,
        "phone": person.phone,
        "metadata": Value::Null,
        "created_at": person.created_at,
        "updated_at": person.created_at,
    }))
}

fn time(seconds: i64, microseconds: u64) -> Timestamp {
    Timestamp::from_microsecond(seconds * 1_000_000 + microseconds as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A name as it stands in an address: letters of ASCII in lower case, and `between` for what separates words.
fn plain(name: &str, between: &str) -> String {
    let mut plain = String::new();
    for character in name.to_lowercase().chars() {
        plain.push_str(match character {
            'a'..='z' => {
                plain.push(character);
                continue;
            }
            'ä' | 'æ' => "ae",
            'ö' | 'ø' => "oe",
            'ü' => "ue",
            'å' => "aa",
            'ß' => "ss",
            'á' | 'à' | 'â' => "a",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'í' | 'î' => "i",
            'ó' => "o",
            'ú' => "u",
            'ñ' => "n",
            'ç' => "c",
            ' ' => between,
            _ => "",
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_the_part_of_an_address() {
        assert_eq!(plain("København Harbour Hotel", "-"), "koebenhavn-harbour-hotel");
        assert_eq!(plain("O'Connor", ""), "oconnor");
        assert_eq!(plain("Íñigo", ""), "inigo");
        for country in (0..1_000).scan(Random::new(1), |random, _| Some(places::country(random))) {
            for name in country.first_names.iter().chain(&country.last_names) {
                let letters = name.chars().filter(|character| character.is_alphabetic()).count();
                assert!(plain(name, "").len() >= letters, "{name}");
            }
        }
    }
}
