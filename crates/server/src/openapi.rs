//! The API's description: OpenAPI 3.1, gathered from the routes.
//!
//! Each route describes itself beside its handler. What it takes is described by the declared schema that checks it
//! (`schema/definitions.rs`), what it answers by `stheno-api-types`. Here is what the routes share.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use stheno_api_types::{
    Address, Customer, CustomerGroup, ErrorBody, PartialCustomer, PartialPriceList, PriceList,
};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, HeaderBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoParams, IntoResponses, OpenApi as _};

use crate::router;

/// The description of the API: an OpenAPI 3.1 document, as indented JSON.
pub fn document() -> &'static str {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
        let endpoints = router::endpoints().merge(router::docs());
        let mut document = serde_json::to_value(endpoints.into_openapi()).unwrap_or_default();
        relax_bodies(&mut document);
        name_schemas(&mut document);
        format!("{document:#}\n")
    });
    &DOCUMENT
}

/// What the document says before the routes are added.
pub(crate) fn introduction() -> OpenApi {
    let mut document = Introduction::openapi();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "api_token",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "x-medusa-access-token",
            "An API token, which `stheno user token` makes; one made with `--read-only` is refused by what changes something.",
        ))),
    );
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("A token from `POST /admin/auth/token`, good for 24 hours."))
                .build(),
        ),
    );
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            "connect.sid",
            "The cookie that `POST /admin/auth` sets, good for 10 hours.",
        ))),
    );
    document
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Stheno",
        description = "Customer groups for commerce: the Admin Customer Groups API of Medusa v1, with its customers and \
            its authentication.\n\n\
            **Credentials.** Every call under `/admin` but the two logins needs one of three: an API token, a bearer \
            token, or the session's cookie.\n\n\
            **Errors.** A 401 is the bare text `Unauthorized`. Every other error is JSON: `type` says of which kind it \
            is, `message` says for a person what is wrong, and names every fault of the input at once.\n\n\
            **Texts** must be valid Unicode without the character U+0000. Properties and parameters that are not \
            described are refused.\n\n\
            **Request ids**: each answer has one in `x-request-id`, which the server's log has, too; a request may bring \
            its own.\n\n\
            **Replicas.** Where servers read from replicas, the answer to a write has the header `x-stheno-position`. \
            Sent back with a later request, to whichever server, it makes sure that the answer shows that write.\n\n\
            **Answers that have not changed**: a `GET` with the `ETag` of an earlier answer in `If-None-Match` is \
            answered 304.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This server")),
    security(("api_token" = []), ("bearer" = []), ("session" = [])),
    tags(
        (name = "Customer groups", description = "Groups of customers, and who is in them."),
        (name = "Customers", description = "The customers of the shop."),
        (name = "Authentication", description = "Sessions and bearer tokens of users."),
        (name = "Server", description = "How the server is, and what it speaks."),
    ),
    // Relations lead in circles, so that the macros do not follow them.
    components(schemas(Address, Customer, CustomerGroup, ErrorBody, PartialCustomer, PartialPriceList, PriceList))
)]
struct Introduction;

/// A body may be left out where none of its properties is required.
fn relax_bodies(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let needs_property = |body: &Value| {
        let reference = body.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
        let name = reference.and_then(|reference| reference.rsplit('/').next()).unwrap_or_default();
        schemas[name].get("required").is_some()
    };
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for operation in paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        if let Some(body) = operation.get_mut("requestBody")
            && !needs_property(body)
        {
            body["required"] = false.into();
        }
    }
}

/// Refers to a named schema wherever the macros have copied it, as they do in generic types.
fn name_schemas(document: &mut Value) {
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    let Some(schemas) = schemas else { return };
    let named = schemas.clone();
    for properties in schemas.values_mut().filter_map(|schema| schema.get_mut("properties")) {
        for property in properties.as_object_mut().into_iter().flat_map(Map::values_mut) {
            refer(property, &named);
        }
    }
}

/// Makes a schema, or that of its elements, a reference to the named one that says the same.
fn refer(schema: &mut Value, named: &Map<String, Value>) {
    let bare = |schema: &Value| {
        let mut schema = schema.clone();
        schema.as_object_mut().map(|schema| schema.shift_remove("description"));
        schema
    };
    let wanted = bare(schema);
    if let Some(items) = schema.get_mut("items") {
        refer(items, named);
    } else if let Some((name, _)) = named.iter().find(|(_, candidate)| bare(candidate) == wanted) {
        *schema = json!({"$ref": format!("#/components/schemas/{name}")});
    }
}

/// Has the type, which a route takes as its query, described by its declared schema.
macro_rules! describe_query {
    ($query:ty) => {
        impl utoipa::IntoParams for $query {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                let schema = <Self as $crate::extract::Input>::SCHEMA;
                schema.map($crate::schema::Schema::described_parameters).unwrap_or_default()
            }
        }
    };
}

/// Has the type, which a route takes as its body, described under a name by its declared schema.
macro_rules! describe_body {
    ($body:ty, $name:literal) => {
        impl utoipa::PartialSchema for $body {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let schema = <Self as $crate::extract::Input>::SCHEMA;
                schema.map($crate::schema::Schema::described).unwrap_or_default().into()
            }
        }

        impl utoipa::ToSchema for $body {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

pub(crate) use {describe_body, describe_query};

/// The id of a customer group, in the path.
pub(crate) struct CustomerGroupId;

impl IntoParams for CustomerGroupId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id_in_path("The id of the customer group.", "cgrp_01JBRGKF01104SSAZYSN3KZHD7")]
    }
}

/// The id of a customer, in the path.
pub(crate) struct CustomerId;

impl IntoParams for CustomerId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id_in_path("The id of the customer.", "cus_01JAA3XBJB4NYBM5RVRKHWKNE1")]
    }
}

fn id_in_path(about: &str, example: &str) -> Parameter {
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1))))
        .example(Some(example.into()))
        .build()
}

/// A set of answers other than the one asked for.
macro_rules! refusals {
    ($(#[$about:meta])* $name:ident: $($status:literal => $response:expr),+ $(,)?) => {
        $(#[$about])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(($status.to_string(), RefOr::T($response))),+].into()
            }
        }
    };
}

refusals! {
    /// Of every call that needs a credential.
    Refused:
    400 => invalid("The input is not valid; the message names every fault.", "property foo should not exist"),
    401 => Response::new("There is no valid credential. The text `Unauthorized`, without a content type."),
    429 => too_many("Too many calls were made, where their number is limited."),
    500 => failed(),
    503 => unavailable(),
}

refusals! {
    /// Of every call that changes something.
    ReadOnly:
    403 => error(
        "The API token may only read.",
        json!({"code": "read_only", "type": "not_allowed", "message": "this API token may only read"}),
    ),
}

refusals! {
    /// Of every call that signs in.
    LoginRefused:
    400 => invalid("The input is not valid; the message names every fault.", "email must be an email"),
    401 => ResponseBuilder::new()
        .description("There is no user with this e-mail address and password. The text `Unauthorized`.")
        .content("text/plain", text("Unauthorized"))
        .build(),
    408 => slow_body(),
    413 => large_body(),
    415 => foreign_body(),
    429 => too_many("Too many logins have failed, or too many calls were made, where their number is limited."),
    500 => failed(),
    503 => unavailable(),
}

refusals! {
    /// Of a body.
    BodyRefused:
    408 => slow_body(),
    413 => large_body(),
    415 => foreign_body(),
    507 => error(
        "The disk is full, or the database may not grow; nothing was saved.",
        json!({"code": "store_full", "type": "unavailable", "message": "the database is full"}),
    ),
}

refusals! {
    /// Of a `GET` of what has not changed.
    NotModified:
    304 => Response::new("The answer is still the one that `If-None-Match` names."),
}

refusals! {
    /// Of what names a customer group that is not there.
    CustomerGroupMissing:
    404 => missing("There is no such customer group.", "CustomerGroup with id cgrp_nope was not found"),
}

refusals! {
    /// Of what names a customer that is not there.
    CustomerMissing:
    404 => missing("There is no such customer.", "Customer with id: cus_nope was not found"),
}

refusals! {
    /// Of a name of a customer group that is taken.
    NameTaken:
    422 => taken("Another customer group has this name.", "Key (name)=(VIP) already exists."),
}

refusals! {
    /// Of an e-mail address that is taken.
    EmailTaken:
    422 => taken(
        "Another customer has this e-mail address, or a group is named twice.",
        "A customer with the given email already has an account. Log in instead",
    ),
}

refusals! {
    /// Of a look at the server's state.
    NotReady:
    500 => failed(),
    503 => unavailable(),
}

fn invalid(about: &str, message: &str) -> Response {
    error(about, json!({"type": "invalid_data", "message": message}))
}

fn missing(about: &str, message: &str) -> Response {
    error(about, json!({"type": "not_found", "message": message}))
}

fn taken(about: &str, message: &str) -> Response {
    error(about, json!({"code": "invalid_request_error", "type": "duplicate_error", "message": message}))
}

fn slow_body() -> Response {
    invalid("The body did not arrive in time.", "the body did not arrive in time")
}

fn large_body() -> Response {
    invalid("The body is too large.", "the body is larger than 8388608 bytes")
}

fn foreign_body() -> Response {
    invalid(
        "The body is in a charset or an encoding that is not read.",
        "the charset \"latin1\" is not supported: send UTF-8",
    )
}

fn failed() -> Response {
    error(
        "The server failed; its log says why, under the id in `x-request-id`.",
        json!({"code": "unknown_error", "type": "unknown_error", "message": "An unknown error occurred."}),
    )
}

fn too_many(about: &str) -> Response {
    let message = "too many failed logins; try again in 30 seconds";
    let example = json!({"code": "too_many_requests", "type": "not_allowed", "message": message});
    with_retry_after(error(about, example))
}

fn unavailable() -> Response {
    with_retry_after(error(
        "The database cannot be reached, or the server has more to do than it can; nothing was done.",
        json!({"code": "unavailable", "type": "unavailable", "message": "the database cannot be reached"}),
    ))
}

fn with_retry_after(mut response: Response) -> Response {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer);
    let header =
        HeaderBuilder::new().schema(Some(seconds)).description(Some("After how many seconds to try again."));
    response.headers.insert("Retry-After".to_owned(), header.build().into());
    response
}

fn error(about: &str, example: Value) -> Response {
    let mut content = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    content.example = Some(example);
    ResponseBuilder::new().description(about).content("application/json", content).build()
}

/// A plain text, always the same.
pub(crate) fn text(text: &str) -> Content {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([text]));
    Content::new(Some(Schema::from(schema)))
}
