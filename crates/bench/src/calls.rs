//! What is measured: each call, and the requests that it is made of.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::load::Target;
use crate::shop::{Shop, customer_id};

/// How many customers are added or removed at once.
const MANY: usize = 1000;

/// A call that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Call {
    #[value(skip)]
    Constant,
    Retrieve,
    List,
    ListCustomers,
    Search,
    Expanded,
    FirstOfSmall,
    FirstOfMiddle,
    FirstOfLarge,
    LastOfLarge,
    SearchMiddle,
    SearchLarge,
    Create,
    Rename,
    AddOne,
    RemoveOne,
    AddMany,
    RemoveMany,
}

impl Call {
    /// Reads first, and each removal after what it takes away.
    pub(crate) const ALL: [Self; 17] = [
        Self::Retrieve,
        Self::List,
        Self::ListCustomers,
        Self::Search,
        Self::Expanded,
        Self::FirstOfSmall,
        Self::FirstOfMiddle,
        Self::FirstOfLarge,
        Self::LastOfLarge,
        Self::SearchMiddle,
        Self::SearchLarge,
        Self::Create,
        Self::Rename,
        Self::AddOne,
        Self::RemoveOne,
        Self::AddMany,
        Self::RemoveMany,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Constant => "a constant of the same size",
            Self::Retrieve => "retrieve a group",
            Self::List => "list groups",
            Self::ListCustomers => "list customers",
            Self::Search => "search groups",
            Self::Expanded => "retrieve a group with 100 members",
            Self::FirstOfSmall => "first page, group of 100",
            Self::FirstOfMiddle => "first page, 1 % of all customers",
            Self::FirstOfLarge => "first page, half of all customers",
            Self::LastOfLarge => "last page, half of all customers",
            Self::SearchMiddle => "search in 1 % of all customers",
            Self::SearchLarge => "search in half of all customers",
            Self::Create => "create a group",
            Self::Rename => "rename a group",
            Self::AddOne => "add 1 customer",
            Self::RemoveOne => "remove 1 customer",
            Self::AddMany => "add 1,000 customers",
            Self::RemoveMany => "remove 1,000 customers",
        }
    }

    /// Whether its cost is meant to grow neither with the shop nor with the group.
    pub(crate) fn is_flat(self) -> bool {
        matches!(
            self,
            Self::Retrieve
                | Self::List
                | Self::ListCustomers
                | Self::Expanded
                | Self::FirstOfSmall
                | Self::FirstOfMiddle
                | Self::FirstOfLarge
                | Self::LastOfLarge
        )
    }

    pub(crate) fn is_write(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Rename | Self::AddOne | Self::RemoveOne | Self::AddMany | Self::RemoveMany
        )
    }
}

/// A request, whichever server it goes to.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    body: Option<Value>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }

    fn new(method: &'static str, path: String, body: Value) -> Self {
        Self { method, path, body: Some(body) }
    }

    pub(crate) fn to_bytes(&self, target: &Target) -> Vec<u8> {
        let Self { method, path, body } = self;
        let Target { address, token } = target;
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nx-medusa-access-token: {token}\r\n");
        match body {
            None => format!("{head}\r\n"),
            Some(body) => {
                let body = body.to_string();
                let length = body.len();
                format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
            }
        }
        .into_bytes()
    }
}

/// All members of the largest group, in one answer.
pub(crate) fn whole(shop: Shop) -> Request {
    Request::get(format!("/admin/customer-groups/{}/customers?limit=0", shop.large_group()))
}

/// Who calls over one connection, with groups of its own to write to.
#[derive(Debug)]
pub(crate) struct Caller {
    shop: Shop,
    /// What tells its names from those of others.
    name: String,
    random: Random,
    /// None, for one who only reads.
    groups: Option<Groups>,
}

/// The groups that one caller adds to and removes from: one customer at a time, and many.
#[derive(Debug)]
struct Groups {
    one: Written,
    many: Written,
}

#[derive(Debug)]
struct Written {
    group: String,
    /// How many customers go at once.
    size: usize,
    /// How many times customers were added, and not removed yet.
    added: usize,
}

impl Caller {
    /// A caller who has made the groups that it will write to.
    pub(crate) async fn new(target: &Target, shop: Shop, name: String) -> anyhow::Result<Self> {
        let one = create(target, &format!("{name} one")).await?;
        let many = create(target, &format!("{name} many")).await?;
        let groups = Groups {
            one: Written { group: one, size: 1, added: 0 },
            many: Written { group: many, size: MANY.min(shop.customers), added: 0 },
        };
        let random = Random::seeded(&name);
        Ok(Self { shop, name, random, groups: Some(groups) })
    }

    /// A caller who only reads.
    pub(crate) fn reading(shop: Shop) -> Self {
        Self { shop, name: String::new(), random: Random::seeded(""), groups: None }
    }

    /// The next request of a call; none, where there is nothing to do.
    pub(crate) fn request(&mut self, call: Call) -> Option<Request> {
        let shop = self.shop;
        let groups = "/admin/customer-groups";
        let members = |group: String| format!("{groups}/{group}/customers");
        Some(match call {
            Call::Constant => Request::get("/static"),
            Call::Retrieve => Request::get(format!("{groups}/{}", shop.any_group(self.random.next()))),
            Call::List => Request::get(groups),
            Call::ListCustomers => Request::get("/admin/customers"),
            Call::Search => {
                let number = self.random.below(shop.groups / 10);
                Request::get(format!("{groups}?q=group%20{number:05}"))
            }
            Call::Expanded => Request::get(format!("{groups}/{}?expand=customers", shop.small_group())),
            Call::FirstOfSmall => Request::get(members(shop.small_group())),
            Call::FirstOfMiddle => Request::get(members(shop.middle_group())),
            Call::FirstOfLarge => Request::get(members(shop.large_group())),
            Call::LastOfLarge => {
                let offset = shop.large_members().saturating_sub(50);
                Request::get(format!("{}?offset={offset}", members(shop.large_group())))
            }
            Call::SearchMiddle => Request::get(format!("{}?q={}", members(shop.middle_group()), self.term())),
            Call::SearchLarge => Request::get(format!("{}?q={}", members(shop.large_group()), self.term())),
            Call::Create => {
                let number = self.random.next();
                Request::new("POST", groups.to_owned(), json!({"name": format!("{} {number}", self.name)}))
            }
            Call::Rename => {
                let number = self.random.next();
                let path = format!("{groups}/{}", self.groups.as_ref()?.one.group);
                Request::new("POST", path, json!({"name": format!("{} {number}", self.name)}))
            }
            Call::AddOne => self.groups.as_ref()?.one.add(shop),
            Call::AddMany => self.groups.as_ref()?.many.add(shop),
            Call::RemoveOne => self.groups.as_ref()?.one.remove(shop)?,
            Call::RemoveMany => self.groups.as_ref()?.many.remove(shop)?,
        })
    }

    /// Notes that a request was answered.
    pub(crate) fn done(&mut self, call: Call) {
        let Some(Groups { one, many }) = &mut self.groups else { return };
        match call {
            Call::AddOne => one.added += 1,
            Call::RemoveOne => one.added -= 1,
            Call::AddMany => many.added += 1,
            Call::RemoveMany => many.added -= 1,
            _ => {}
        }
    }

    /// A part of some customers' e-mail addresses.
    fn term(&mut self) -> String {
        format!("customer{:04}", self.random.below(self.shop.customers.min(10_000)))
    }
}

impl Written {
    fn add(&self, shop: Shop) -> Request {
        Request::new("POST", self.batch(), self.customers(shop, self.added))
    }

    fn remove(&self, shop: Shop) -> Option<Request> {
        let last = self.added.checked_sub(1)?;
        Some(Request::new("DELETE", self.batch(), self.customers(shop, last)))
    }

    fn batch(&self) -> String {
        format!("/admin/customer-groups/{}/customers/batch", self.group)
    }

    /// The customers of one time: the next ones in the shop, from its beginning again after the last.
    fn customers(&self, shop: Shop, time: usize) -> Value {
        let first = time * self.size;
        let ids =
            (first..first + self.size).map(|number| json!({"id": customer_id(number % shop.customers)}));
        json!({"customer_ids": ids.collect::<Vec<_>>()})
    }
}

async fn create(target: &Target, name: &str) -> anyhow::Result<String> {
    let request = Request::new("POST", "/admin/customer-groups".to_owned(), json!({"name": name}));
    let answer: Value = serde_json::from_slice(&crate::load::send(target, &request).await?)?;
    let id = answer["customer_group"]["id"].as_str();
    id.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("the server made no group: {answer}"))
}

/// Numbers that are the same in every run.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn seeded(name: &str) -> Self {
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 20
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap_or_default()
    }
}
