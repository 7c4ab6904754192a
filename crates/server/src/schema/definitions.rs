//! The schemas of all routes, their fields in the order in which Medusa 1.20 tells faults.
//!
//! That is, for each class of Medusa's that is named here: its own properties as declared, then those of its parent.
//! What a field is `about` is what the API's description says of it.

use super::Schema;
use super::field::{Field, Shape};

/// The longest name of a group, in bytes (deviation `name-limit`).
const MAX_NAME: usize = 2600;

/// A regular expression of none, one or several of what `item` is one for, with commas.
macro_rules! list_of {
    ($item:expr) => {
        concat!("^((", $item, ")(,(", $item, "))*)?$")
    };
}

/// `AdminPostAuthReq`
pub(crate) static LOGIN: Schema = Schema::object(&[
    Field::email("email").not_empty().about("The user's e-mail address, in any case."),
    Field::plain_text("password").not_empty().about("The password."),
]);

/// `FindParams`
pub(crate) static RETRIEVE_QUERY: Schema = Schema::query(&[EXPAND_CUSTOMERS, IGNORED_FIELDS]);

/// `FindParams`, of an update of a customer group.
pub(crate) static UPDATE_CUSTOMER_GROUP_QUERY: Schema =
    Schema::query(&[EXPAND_CUSTOMER_GROUPS, IGNORED_FIELDS]);

/// `FindParams`
pub(crate) static RETRIEVE_CUSTOMER_GROUP_QUERY: Schema =
    Schema::splitting_query(&[EXPAND_CUSTOMER_GROUPS, FIELDS_OF_CUSTOMER_GROUPS]);

/// `AdminGetCustomerGroupsParams`
pub(crate) static LIST_CUSTOMER_GROUPS_QUERY: Schema = Schema::splitting_query(&[
    Field::plain_text("order")
        .optional()
        .about(
            "The column to sort by, with a minus before it for descending; without it, the youngest come first. Groups \
             that do not differ in it are sorted by id. A column that the shop has added can be named, too.",
        )
        .pattern("^(-?(id|created_at|updated_at|deleted_at|name))?$")
        .example("name"),
    OFFSET,
    CURSOR,
    Field::number("limit").optional().about("How many come at most, 10 if not given; 0 means all.").example("20"),
    EXPAND_CUSTOMER_GROUPS,
    FIELDS_OF_CUSTOMER_GROUPS,
    Field::id_filter("id").optional().about(
        "The ids of the groups. Either a list of ids or comparisons can be given, not both.",
    ),
    Field::text("q").optional().about(
        "A text that the name contains, upper and lower case alike. It takes the place of `name[]`.",
    ),
    Field::texts("name").optional().about("The names of the groups, in their exact case."),
    UPDATED_AT,
    CREATED_AT,
    Field::text("discount_condition_id")
        .optional()
        .refusing_empty()
        .about("A discount condition that the groups belong to."),
]);

/// `AdminGetCustomersParams`
pub(crate) static LIST_CUSTOMERS_QUERY: Schema = Schema::splitting_query(&[
    LIMIT_OF_CUSTOMERS,
    OFFSET,
    CURSOR,
    EXPAND_CUSTOMERS,
    IGNORED_FIELDS,
    Q_OF_CUSTOMERS,
    HAS_ACCOUNT,
    Field::texts_or_text("groups").optional().about(
        "The ids of groups: customers that are in any of them, with those of these groups that they are in.",
    ),
    ORDER_OF_CUSTOMERS,
    CREATED_AT,
    UPDATED_AT,
]);

/// `AdminGetCustomersParams`, with the group of the path for `groups`.
pub(crate) static LIST_MEMBERS_QUERY: Schema = Schema::query(&[
    LIMIT_OF_CUSTOMERS,
    OFFSET,
    CURSOR,
    EXPAND_CUSTOMERS,
    IGNORED_FIELDS,
    Q_OF_CUSTOMERS,
    HAS_ACCOUNT,
    Field::anything("groups").about("Has no effect: the group is that of the path."),
    ORDER_OF_CUSTOMERS,
    CREATED_AT,
    UPDATED_AT,
]);

const OFFSET: Field =
    Field::number("offset").optional().about("How many to pass over, 0 if not given.").example("0");

const CURSOR: Field = Field::plain_text("cursor").optional().refusing_empty().about(
    "Where to begin, in place of `offset`: what the header `Link` of the page before it has. All else must be asked for as \
     it was, but for `limit`, `expand` and `fields`.",
);

const LIMIT_OF_CUSTOMERS: Field = Field::number("limit")
    .optional()
    .about("How many come at most, 50 if not given; 0 means all.")
    .example("20");

const EXPAND_CUSTOMER_GROUPS: Field = Field::plain_text("expand")
    .optional()
    .about(
        "The relations to show, with commas: `customers`, `price_lists`, and, behind a dot, the relations of these \
         (`customers.shipping_addresses`).",
    )
    .pattern(list_of!(
        r"customers(\.(groups|shipping_addresses|billing_address|orders))?|price_lists(\.customer_groups)?"
    ))
    .example("customers");

const FIELDS_OF_CUSTOMER_GROUPS: Field = Field::plain_text("fields")
    .optional()
    .about(
        "The columns to show, with commas, in place of all; the id always comes. A column of a relation stands behind a \
         dot (`customers.email`), a relation as a whole behind a star (`*customers`). `customer_count` is the number \
         of a group's members, which comes only where it is named. A column that the shop has added can be named, too.",
    )
    .pattern(list_of!(concat!(
        r"\+?(id|created_at|updated_at|deleted_at|name|metadata|customer_count)|\*(customers|price_lists)",
        r"|customers\.(id|created_at|updated_at|deleted_at|email|first_name|last_name|billing_address_id|phone",
        r"|has_account|metadata)",
        r"|price_lists\.(id|created_at|updated_at|deleted_at|name|description|type|status|starts_at|ends_at)",
    )))
    .example("id,name");

const EXPAND_CUSTOMERS: Field = Field::plain_text("expand")
    .optional()
    .about(
        "The relations to show, with commas: `groups`, `shipping_addresses`, `billing_address`, `orders`, and, behind a \
         dot, the relations of these (`groups.price_lists`).",
    )
    .pattern(list_of!(
        r"groups(\.(customers|price_lists))?|(shipping_addresses|billing_address)(\.customer)?|orders"
    ))
    .example("groups");

const IGNORED_FIELDS: Field =
    Field::plain_text("fields").optional().about("Has no effect: all columns come.");

const Q_OF_CUSTOMERS: Field = Field::text("q").optional().about(
    "A text that the e-mail address, the first name, the last name or the full name contains, upper and lower case alike.",
);

const HAS_ACCOUNT: Field = Field::anything("has_account")
    .about("`true`: customers who can log in; `false`: guests. Anything else asks for neither.");

const ORDER_OF_CUSTOMERS: Field = Field::plain_text("order")
    .optional()
    .about(
        "The column to sort by, with a minus before it for descending; `id` if not given. Customers that do not differ in \
         it are sorted by id. A column that the shop has added can be named, too.",
    )
    .pattern(
        "^(-?(id|created_at|updated_at|deleted_at|email|first_name|last_name|billing_address_id|phone|has_account))?$",
    )
    .example("-created_at");

const CREATED_AT: Field = Field::date_range("created_at").optional().about("Made");

const UPDATED_AT: Field = Field::date_range("updated_at").optional().about("Last changed");

/// `AdminPostCustomerGroupsReq`
pub(crate) static CREATE_CUSTOMER_GROUP: Schema = Schema::object(&[
    Field::text("name").at_most(MAX_NAME).about(
        "Name, unique among the groups (upper and lower case are different), at most 2,600 bytes of UTF-8.",
    ),
    Field::object("metadata").optional().about("Free data, stored as it comes."),
]);

/// `AdminPostCustomerGroupsGroupReq`
pub(crate) static UPDATE_CUSTOMER_GROUP: Schema = Schema::object(&[
    Field::text("name")
        .of_filled_column()
        .at_most(MAX_NAME)
        .about("A new name, unique among the groups, at most 2,600 bytes of UTF-8."),
    Field::object("metadata").optional().refusing_null().about(MERGED),
]);

const MERGED: &str = "Free data to be merged into what is there, one level deep: keys that are not named stay, a key with \
                      an empty string is removed, a key with null is kept with null.";

/// `AdminPostCustomerGroupsGroupCustomersBatchReq`
pub(crate) static CUSTOMER_BATCH: Schema = Schema::object(&[Field::objects(
    "customer_ids",
    &REFERENCE,
    // As Medusa's database says it (`cg.add.array_of_arrays`).
    Shape::FlatElements(
        "Can't insert null value in field customer_id on insert in table customer_group_customers",
    ),
)
.about("The customers to add. Who is a member already stays one, and who comes twice counts once.")]);

/// `AdminDeleteCustomerGroupsGroupCustomerBatchReq`
pub(crate) static CUSTOMER_BATCH_REMOVAL: Schema =
    Schema::object(&[Field::objects("customer_ids", &REFERENCE, Shape::Elements)
        .about("The customers to remove. Who is not a member, or does not exist, is passed over.")]);

/// `CustomerGroupsBatchCustomer`, and the `Group` of a customer's update.
static REFERENCE: Schema = Schema::object(&[Field::text("id").about("The id.")]);

/// `AdminPostCustomersReq`
pub(crate) static CREATE_CUSTOMER: Schema = Schema::object(&[
    Field::email("email").about("E-mail address, stored in lower case."),
    Field::text("first_name").about("First name."),
    Field::text("last_name").about("Last name."),
    Field::plain_text("password")
        .about("The password that the customer will log in with; empty for a guest."),
    Field::text("phone").optional().about("Phone number."),
    Field::object("metadata").optional().about("Free data, stored as it comes."),
]);

/// `AdminPostCustomersCustomerReq`
pub(crate) static UPDATE_CUSTOMER: Schema = Schema::object(&[
    Field::email("email").of_filled_column().about("A new e-mail address, for a guest only."),
    Field::text("first_name").optional().about("First name."),
    Field::text("last_name").optional().about("Last name."),
    Field::plain_text("password").optional().about("A new password; an empty one changes nothing."),
    Field::text("phone").optional().about("Phone number."),
    Field::object("metadata").optional().about(MERGED),
    Field::objects("groups", &REFERENCE, Shape::Array).optional().about(
        "The groups that the customer shall be in from now on; from all others the customer is removed. An id may come once \
         only.",
    ),
]);

/// `DateComparisonOperator`
pub(super) static DATE_COMPARISON: Schema = Schema::object(&[
    Field::date("lt").optional().about("before this time"),
    Field::date("gt").optional().about("after this time"),
    Field::date("gte").optional().about("at this time or later"),
    Field::date("lte").optional().about("at this time or earlier"),
]);

/// `StringComparisonOperator`
pub(super) static TEXT_COMPARISON: Schema = Schema::object(&[
    Field::text("lt").optional().about("Ids before this."),
    Field::text("gt").optional().about("Ids after this."),
    Field::text("gte").optional().about("This id and those after it."),
    Field::text("lte").optional().about("This id and those before it."),
    Field::text("contains").optional().about("Ids that contain this, upper and lower case alike."),
    Field::text("starts_with").optional().about("Ids that start with this, upper and lower case alike."),
    Field::text("ends_with").optional().about("Ids that end with this, upper and lower case alike."),
]);
