use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stheno_api_types::{CreateCustomer, Customer, CustomerEnvelope};

use super::customers;
use crate::operation::{Operation, Unreadable};
use crate::request::Draft;
use crate::{Call, Error};

/// Makes a customer: [`Customers::create`](super::Customers::create).
#[derive(Clone, Debug)]
pub struct Create {
    pub(super) body: CreateCustomer,
}

/// # Making a customer
impl Call<Create> {
    /// Phone number, as it shall be shown.
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.operation.body.phone = Some(phone.into());
        self
    }

    /// Free data: keys and values, or a whole [`Metadata`](crate::Metadata). Adds to what was given before.
    pub fn metadata<K: Into<String>, V: Into<Value>>(
        mut self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.operation.body.metadata.get_or_insert_default().extend(entries);
        self
    }
}

impl Operation for Create {
    type Answer = Customer;

    const NAME: &'static str = "customers.create";

    fn is_repeatable(&self) -> bool {
        false
    }

    fn draft(&self) -> Result<Draft, Error> {
        Draft::new(Method::POST, customers()).json(&self.body)
    }

    fn read(&self, body: &Bytes) -> Result<Customer, Unreadable> {
        let answer: CustomerEnvelope = serde_json::from_slice(body)?;
        Ok(answer.customer)
    }
}
