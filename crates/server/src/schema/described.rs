//! The schemas in the API's description: what is valid is written once, as the declared fields.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Required, Schema as Described};

use super::field::{Field, Kind, parse_number};
use super::{Schema, definitions};

/// A time, as the examples of a comparison show it.
const TIME: &str = "2024-11-03T08:00:00.000Z";

impl Schema {
    /// A body, or an object inside of another.
    pub(crate) fn described(&self) -> Object {
        let mut object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        for field in self.fields {
            object = object.property(field.name(), field.described_as_property());
            if field.is_required() {
                object = object.required(field.name());
            }
        }
        object.build()
    }

    /// A query string, as its parameters.
    pub(crate) fn described_parameters(&self) -> Vec<Parameter> {
        self.fields.iter().flat_map(Field::described_as_parameters).collect()
    }
}

impl Field {
    fn described_as_property(&self) -> RefOr<Described> {
        let about = Some(self.described().about);
        match self.kind() {
            Kind::Objects { schema, .. } => ArrayBuilder::new()
                .schema_type(self.or_null(Type::Array))
                .items(schema.described())
                .description(about)
                .into(),
            Kind::Object => ObjectBuilder::new()
                .schema_type(self.or_null(Type::Object))
                .additional_properties(Some(AdditionalProperties::FreeForm(true)))
                .description(about)
                .into(),
            _ => self.described_text().schema_type(self.or_null(Type::String)).description(about).into(),
        }
    }

    fn or_null(&self, r#type: Type) -> SchemaType {
        if self.may_be_null() { SchemaType::from_iter([r#type, Type::Null]) } else { r#type.into() }
    }

    /// A text, with what is said of its form.
    fn described_text(&self) -> ObjectBuilder {
        let (shortest, longest) = self.length();
        let format = match self.kind() {
            Kind::Email => Some(SchemaFormat::KnownFormat(KnownFormat::Email)),
            Kind::Date => Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)),
            _ => None,
        };
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(format)
            .min_length(shortest)
            .max_length(longest)
            .pattern(self.described().pattern)
            // The page fills in an example of the parameter itself; these it shows.
            .examples(self.described().example)
    }

    /// What has several forms is several parameters, so that each is sent by name: programs that are generated from a
    /// description know nothing of brackets.
    fn described_as_parameters(&self) -> Vec<Parameter> {
        let (name, about) = (self.name(), self.described().about);
        match self.kind() {
            Kind::Number => {
                let number = ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some(0))
                    .examples(self.described().example.and_then(parse_number));
                vec![self.parameter(name.to_owned(), about.to_owned(), number)]
            }
            Kind::Texts | Kind::TextsOrText => vec![self.list_parameter()],
            Kind::DateRange => definitions::DATE_COMPARISON
                .fields
                .iter()
                .map(|end| {
                    let text = end.described_text().examples([TIME]);
                    let about = format!("{about} {}. {FORMS_OF_TIME}", end.described().about);
                    self.parameter(format!("{name}[{}]", end.name()), about, text)
                })
                .collect(),
            Kind::IdFilter => {
                let comparisons = definitions::TEXT_COMPARISON.fields.iter().map(|comparison| {
                    let about = comparison.described().about.to_owned();
                    self.parameter(
                        format!("{name}[{}]", comparison.name()),
                        about,
                        comparison.described_text(),
                    )
                });
                std::iter::once(self.list_parameter()).chain(comparisons).collect()
            }
            _ => vec![self.parameter(name.to_owned(), about.to_owned(), self.described_text())],
        }
    }

    fn list_parameter(&self) -> Parameter {
        let list = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
        self.parameter(format!("{}[]", self.name()), self.described().about.to_owned(), list)
    }

    fn parameter(&self, name: String, about: String, schema: impl Into<RefOr<Described>>) -> Parameter {
        let schema = schema.into();
        let is_list = matches!(schema, RefOr::T(Described::Array(_)));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(if self.is_required() { Required::True } else { Required::False })
            .description(Some(about))
            .style(is_list.then_some(ParameterStyle::Form))
            .explode(is_list.then_some(true))
            .schema(Some(schema))
            .build()
    }
}

const FORMS_OF_TIME: &str =
    "An ISO 8601 date or time, or what else JavaScript's `new Date()` reads; or seconds since 1970.";
