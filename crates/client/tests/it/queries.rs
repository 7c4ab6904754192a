//! Whatever is asked for, the server's parser reads the same from the query.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use stheno_client::admin::customer_groups::{CustomerGroupField, CustomerGroupRelation, CustomerGroupSort};
use stheno_client::admin::customers::{CustomerField, CustomerRelation, CustomerSort};
use stheno_client::jiff::Timestamp;
use stheno_client::{Admin, Call, Client, CustomerGroups, DateRange, IdFilter, Operation, Order};
use stheno_qs::{Object, Value};

static ADMIN: LazyLock<Admin> = LazyLock::new(|| Client::builder("http://h").build().unwrap().admin());
static GROUPS: LazyLock<CustomerGroups> = LazyLock::new(|| ADMIN.customer_groups());

/// The query of a call, as the server reads it.
fn read<O: Operation>(call: &Call<O>) -> Object {
    stheno_qs::parse(call.to_request().unwrap().uri().query().unwrap_or_default())
}

fn object<const N: usize>(parameters: [(&str, Value); N]) -> Object {
    parameters.into_iter().collect()
}

fn array(texts: &[String]) -> Value {
    texts.iter().cloned().map(Value::from).collect::<Vec<_>>().into()
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}

proptest! {
    #[test]
    fn are_read_as_they_were_meant(
        q in ".*",
        names in vec(".*", 1..20),
        ids in vec(".*", 1..20),
        start in 0_i64..4_000_000_000_000,
        end in 0_i64..4_000_000_000_000,
        limit: u64,
        offset: u64,
        descending: bool,
    ) {
        let column = CustomerGroupSort::UpdatedAt;
        let order = if descending { Order::descending(column) } else { Order::ascending(column) };
        let request = GROUPS
            .list()
            .q(&q)
            .name(&names)
            .id(IdFilter::any_of(&ids))
            .created_at(time(start)..=time(end))
            .updated_at(DateRange::new().after(time(start)).before(time(end)))
            .order(order)
            .limit(limit)
            .offset(offset)
            .to_request()
            .unwrap();

        let iso = |milliseconds| Value::from(format!("{:.3}", time(milliseconds)));
        let range = |from, to| Object::from_iter([(from, iso(start)), (to, iso(end))]);
        let order = if descending { "-updated_at" } else { "updated_at" };
        let meant: Object = [
            ("q", Value::from(q)),
            ("name", array(&names)),
            ("id", array(&ids)),
            ("created_at", range("gte", "lte").into()),
            ("updated_at", range("gt", "lt").into()),
            ("order", order.into()),
            ("limit", limit.to_string().into()),
            ("offset", offset.to_string().into()),
        ]
        .into_iter()
        .collect();
        prop_assert_eq!(stheno_qs::parse(request.uri().query().unwrap()), meant);
    }

    #[test]
    fn of_groups_by_comparison(
        text in ".*",
        other in ".*",
        condition in ".*",
        relations in subsequence(vec![CustomerGroupRelation::Customers, CustomerGroupRelation::PriceLists], 1..=2),
        fields in subsequence(vec![CustomerGroupField::Name, CustomerGroupField::Customers(CustomerField::Email)], 1..=2),
    ) {
        let joined = |texts: Vec<String>| Value::from(texts.join(","));
        let comparisons = [
            ("gt", IdFilter::after(&text)),
            ("gte", IdFilter::at_or_after(&text)),
            ("lt", IdFilter::before(&text)),
            ("lte", IdFilter::at_or_before(&text)),
            ("starts_with", IdFilter::starts_with(&text)),
            ("ends_with", IdFilter::ends_with(&text)),
            ("contains", IdFilter::contains(&text)),
        ];
        for (name, comparison) in comparisons {
            let filter = comparison.and(IdFilter::before(&other));
            let mut meant = object([(name, text.as_str().into())]);
            meant.insert("lt", other.as_str());
            prop_assert_eq!(read(&GROUPS.list().id(filter)), object([("id", meant.into())]));
        }
        let list = GROUPS.list().discount_condition_id(&condition).expand(relations.clone()).fields(fields.clone());
        let meant = object([
            ("discount_condition_id", condition.into()),
            ("expand", joined(relations.iter().map(ToString::to_string).collect())),
            ("fields", joined(fields.iter().map(ToString::to_string).collect())),
        ]);
        prop_assert_eq!(read(&list), meant);
        let retrieve = GROUPS.retrieve("a").expand(relations.clone());
        let meant = object([("expand", joined(relations.iter().map(ToString::to_string).collect()))]);
        prop_assert_eq!(read(&retrieve), meant);
    }

    #[test]
    fn of_customers(
        q in ".*",
        groups in vec(".*", 1..20),
        has_account: bool,
        start in 0_i64..4_000_000_000_000,
        limit: u64,
    ) {
        let iso = Value::from(format!("{:.3}", time(start)));
        let list = ADMIN
            .customers()
            .list()
            .q(&q)
            .groups(&groups)
            .has_account(has_account)
            .created_at(time(start)..)
            .order(CustomerSort::LastName.descending())
            .expand([CustomerRelation::Groups, CustomerRelation::Orders])
            .fields([CustomerField::Email, CustomerField::Phone])
            .limit(limit);
        let meant = object([
            ("q", q.clone().into()),
            ("groups", array(&groups)),
            ("has_account", has_account.to_string().into()),
            ("created_at", object([("gte", iso.clone())]).into()),
            ("order", "-last_name".into()),
            ("expand", "groups,orders".into()),
            ("fields", "email,phone".into()),
            ("limit", limit.to_string().into()),
        ]);
        prop_assert_eq!(read(&list), meant);

        let members = GROUPS.list_customers("a").q(&q).has_account(has_account).updated_at(..time(start)).offset(limit);
        let meant = object([
            ("q", q.into()),
            ("has_account", has_account.to_string().into()),
            ("updated_at", object([("lt", iso)]).into()),
            ("offset", limit.to_string().into()),
        ]);
        prop_assert_eq!(read(&members), meant);
    }

    /// What this crate does not know is sent as it was named.
    #[test]
    fn of_parameters_that_are_named(value in ".*", other in ".*") {
        let list = GROUPS.list().query("id[gt]", &value).query("sales_channel", &other);
        let id = object([("gt", value.into())]);
        prop_assert_eq!(read(&list), object([("id", id.into()), ("sales_channel", other.into())]));
    }

    #[test]
    fn ids_stay_in_their_segment(id in ".+") {
        prop_assume!(!matches!(id.as_str(), "." | ".."));
        let request = GROUPS.list_customers(&id).to_request().unwrap();
        // As the HTTP client reads it, which would resolve `..` if there were one.
        let url: reqwest::Url = request.uri().to_string().parse().unwrap();
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        prop_assert_eq!(segments.len(), 4);
        let decoded = percent_encoding::percent_decode_str(segments[2]).decode_utf8().unwrap();
        prop_assert_eq!(decoded.as_ref(), id);
    }
}
