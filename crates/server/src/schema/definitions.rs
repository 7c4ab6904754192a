//! The schemas of all routes, their fields in the order in which Medusa 1.20 tells faults.
//!
//! That is, for each class of Medusa's that is named here: its own properties as declared, then those of its parent.

use super::Schema;
use super::field::{Field, Shape};

/// The longest name of a group, in bytes (deviation `name-limit`).
const MAX_NAME: usize = 2600;

/// `AdminPostAuthReq`
pub(crate) static LOGIN: Schema =
    Schema::object(&[Field::email("email").not_empty(), Field::plain_text("password").not_empty()]);

/// `FindParams`
pub(crate) static RETRIEVE_QUERY: Schema = Schema::query(&FIND_PARAMS);

/// `FindParams`
pub(crate) static RETRIEVE_CUSTOMER_GROUP_QUERY: Schema = Schema::splitting_query(&FIND_PARAMS);

static FIND_PARAMS: [Field; 2] =
    [Field::plain_text("expand").optional(), Field::plain_text("fields").optional()];

/// `AdminGetCustomerGroupsParams`
pub(crate) static LIST_CUSTOMER_GROUPS_QUERY: Schema = Schema::splitting_query(&[
    Field::plain_text("order").optional(),
    Field::number("offset").optional(),
    Field::number("limit").optional(),
    Field::plain_text("expand").optional(),
    Field::plain_text("fields").optional(),
    Field::id_filter("id").optional(),
    Field::text("q").optional(),
    Field::texts("name").optional(),
    Field::date_range("updated_at").optional(),
    Field::date_range("created_at").optional(),
    Field::text("discount_condition_id").optional().refusing_empty(),
]);

/// `AdminGetCustomersParams`
pub(crate) static LIST_CUSTOMERS_QUERY: Schema = Schema::splitting_query(&[
    Field::number("limit").optional(),
    Field::number("offset").optional(),
    Field::plain_text("expand").optional(),
    Field::plain_text("fields").optional(),
    Field::text("q").optional(),
    Field::anything("has_account"),
    Field::texts_or_text("groups").optional(),
    Field::plain_text("order").optional(),
    Field::date_range("created_at").optional(),
    Field::date_range("updated_at").optional(),
]);

/// `AdminGetCustomersParams`, with the group of the path for `groups`.
pub(crate) static LIST_MEMBERS_QUERY: Schema = Schema::query(&[
    Field::number("limit").optional(),
    Field::number("offset").optional(),
    Field::plain_text("expand").optional(),
    Field::plain_text("fields").optional(),
    Field::text("q").optional(),
    Field::anything("has_account"),
    Field::anything("groups"),
    Field::plain_text("order").optional(),
    Field::date_range("created_at").optional(),
    Field::date_range("updated_at").optional(),
]);

/// `AdminPostCustomerGroupsReq`
pub(crate) static CREATE_CUSTOMER_GROUP: Schema =
    Schema::object(&[Field::text("name").at_most(MAX_NAME), Field::object("metadata").optional()]);

/// `AdminPostCustomerGroupsGroupReq`
pub(crate) static UPDATE_CUSTOMER_GROUP: Schema = Schema::object(&[
    Field::text("name").optional().at_most(MAX_NAME),
    Field::object("metadata").optional().refusing_null(),
]);

/// `AdminPostCustomerGroupsGroupCustomersBatchReq`
pub(crate) static CUSTOMER_BATCH: Schema = Schema::object(&[Field::objects(
    "customer_ids",
    &REFERENCE,
    // As Medusa's database says it (`cg.add.array_of_arrays`).
    Shape::FlatElements(
        "Can't insert null value in field customer_id on insert in table customer_group_customers",
    ),
)]);

/// `AdminDeleteCustomerGroupsGroupCustomerBatchReq`
pub(crate) static CUSTOMER_BATCH_REMOVAL: Schema =
    Schema::object(&[Field::objects("customer_ids", &REFERENCE, Shape::Elements)]);

/// `CustomerGroupsBatchCustomer`, and the `Group` of a customer's update.
static REFERENCE: Schema = Schema::object(&[Field::text("id")]);

/// `AdminPostCustomersReq`
pub(crate) static CREATE_CUSTOMER: Schema = Schema::object(&[
    Field::email("email"),
    Field::text("first_name"),
    Field::text("last_name"),
    Field::plain_text("password"),
    Field::text("phone").optional(),
    Field::object("metadata").optional(),
]);

/// `AdminPostCustomersCustomerReq`
pub(crate) static UPDATE_CUSTOMER: Schema = Schema::object(&[
    Field::email("email").optional(),
    Field::text("first_name").optional(),
    Field::text("last_name").optional(),
    Field::plain_text("password").optional(),
    Field::text("phone").optional(),
    Field::object("metadata").optional(),
    Field::objects("groups", &REFERENCE, Shape::Array).optional(),
]);

/// `DateComparisonOperator`
pub(super) static DATE_COMPARISON: Schema = Schema::object(&[
    Field::date("lt").optional(),
    Field::date("gt").optional(),
    Field::date("gte").optional(),
    Field::date("lte").optional(),
]);

/// `StringComparisonOperator`
pub(super) static TEXT_COMPARISON: Schema = Schema::object(&[
    Field::text("lt").optional(),
    Field::text("gt").optional(),
    Field::text("gte").optional(),
    Field::text("lte").optional(),
    Field::text("contains").optional(),
    Field::text("starts_with").optional(),
    Field::text("ends_with").optional(),
]);
