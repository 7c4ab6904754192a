use stheno_api_types::{CustomerGroupList, CustomerList};

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of this page, in the order asked for.
    pub items: Vec<T>,
    /// How many items match in all.
    pub count: u64,
    /// How many items precede this page.
    pub offset: u64,
    /// How many items fit on a page; 0 if all do.
    pub limit: u64,
}

impl<T> Page<T> {
    /// Where the next page begins; `None` if this is the last.
    pub fn next_offset(&self) -> Option<u64> {
        let end = self.offset + self.items.len() as u64;
        let more = self.limit > 0 && !self.items.is_empty() && end < self.count;
        more.then_some(end)
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<G> From<CustomerGroupList<G>> for Page<G> {
    fn from(list: CustomerGroupList<G>) -> Self {
        Self { items: list.customer_groups, count: list.count, offset: list.offset, limit: list.limit }
    }
}

impl From<CustomerList> for Page<stheno_api_types::Customer> {
    fn from(list: CustomerList) -> Self {
        Self { items: list.customers, count: list.count, offset: list.offset, limit: list.limit }
    }
}
