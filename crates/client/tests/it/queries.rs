//! Whatever is asked for, the server's parser reads the same from the query.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use stheno_client::admin::customer_groups::CustomerGroupSort;
use stheno_client::jiff::Timestamp;
use stheno_client::{Client, CustomerGroups, DateRange, IdFilter, Order};
use stheno_qs::{Object, Value};

static GROUPS: LazyLock<CustomerGroups> =
    LazyLock::new(|| Client::builder("http://h").build().unwrap().admin().customer_groups());

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
