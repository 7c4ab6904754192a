//! What a query string is while it is read, and how its parts meet.

use std::collections::BTreeMap;
use std::{iter, mem};

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::{ARRAY_LIMIT, FORBIDDEN_NAME, Object, Value, value};

/// A [`Value`] that still grows.
pub(crate) enum Node {
    Text(String),
    List(List),
    Map(Map),
}

/// An array with gaps. It ends with its last element.
#[derive(Default)]
pub(crate) struct List {
    elements: BTreeMap<usize, Node>,
    /// It was made of an object and a text that were given for the same place.
    from_conflict: bool,
}

/// An object. The order of its properties is put right at the end.
#[derive(Default)]
pub(crate) struct Map {
    properties: IndexMap<String, Node>,
    /// The highest index among the names, if texts that are given for this object's place go behind it, as they do in
    /// what would be an array if it were not too long or had not met an object.
    last_index: Option<f64>,
}

impl Node {
    /// Puts this under the name in a bracket group.
    pub(crate) fn within(self, name: &str) -> Node {
        if name.is_empty() {
            return self.into_list();
        }
        match index(name) {
            Some(index) if index < ARRAY_LIMIT as f64 => Node::List(List::of([(index as usize, self)])),
            None if name == FORBIDDEN_NAME => Node::Map(Map::default()),
            last_index => Node::Map(Map::of([(name.to_owned(), self)], last_index)),
        }
    }

    /// What `[]` makes of this: an array is not wrapped in another one, nor is the object that an index past the
    /// limit makes.
    fn into_list(self) -> Node {
        match self {
            Node::Map(Map { last_index: None, .. }) | Node::Text(_) => Node::List(List::of([(0, self)])),
            list => list,
        }
    }

    fn is_container(&self) -> bool {
        !matches!(self, Node::Text(_))
    }

    /// Adds a text that was given for the same place.
    pub(crate) fn append(&mut self, text: String) {
        let text = Node::Text(text);
        *self = match mem::take(self) {
            Node::List(mut list) => {
                list.push(text);
                list.within_limit()
            }
            Node::Map(mut map) => match map.last_index {
                Some(last) => {
                    let next = last + 1.0;
                    map.properties.insert(next.to_string(), text);
                    map.last_index = Some(next);
                    Node::Map(map)
                }
                None => {
                    let mut both = List::of([(0, Node::Map(map)), (1, text)]);
                    both.from_conflict = true;
                    Node::List(both)
                }
            },
            first => Node::List(List::of([(0, first), (1, text)])),
        };
    }

    /// Adds what another key gave for the same place.
    fn merge(&mut self, source: Node) {
        let source = match source {
            Node::Text(text) if text.is_empty() => return,
            Node::Text(text) => return self.append(text),
            container => container,
        };
        *self = match (mem::take(self), source) {
            (Node::Map(mut map), source) => {
                map.merge(source.into());
                Node::Map(map)
            }
            (Node::List(mut list), Node::List(source)) => {
                list.merge(source);
                list.within_limit()
            }
            (Node::List(list), source) => {
                let last_index = list.from_conflict.then(|| list.last_index());
                let mut map = Map::from(list);
                map.last_index = last_index;
                map.merge(source.into());
                Node::Map(map)
            }
            (first, Node::List(list)) => list.behind(first).within_limit(),
            (first, Node::Map(map)) if map.last_index.is_some() => Node::Map(map.behind(first)),
            (first, second) => Node::List(List::of([(0, first), (1, second)])),
        };
    }
}

impl Default for Node {
    fn default() -> Self {
        Node::Text(String::new())
    }
}

impl List {
    fn of(elements: impl IntoIterator<Item = (usize, Node)>) -> Self {
        Self { elements: elements.into_iter().collect(), from_conflict: false }
    }

    fn len(&self) -> usize {
        self.elements.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    fn push(&mut self, element: Node) {
        self.elements.insert(self.len(), element);
    }

    /// Moves all elements up by one, for a new first.
    fn behind(self, first: Node) -> Self {
        let rest = self.elements.into_iter().map(|(index, element)| (index + 1, element));
        Self::of(iter::once((0, first)).chain(rest))
    }

    /// Elements fill the gaps. Where there is one already, two containers become one, and all else goes to the end.
    fn merge(&mut self, source: List) {
        for (index, element) in source.elements {
            match self.elements.get_mut(&index) {
                None => {
                    self.elements.insert(index, element);
                }
                Some(present) if present.is_container() && element.is_container() => present.merge(element),
                Some(_) => self.push(element),
            }
        }
    }

    fn last_index(&self) -> f64 {
        self.len() as f64 - 1.0
    }

    /// The list, or, if it is too long for an array, the object that stands for it.
    fn within_limit(self) -> Node {
        if self.len() <= ARRAY_LIMIT {
            return Node::List(self);
        }
        let last_index = self.last_index();
        let mut map = Map::from(self);
        map.last_index = Some(last_index);
        Node::Map(map)
    }
}

impl Map {
    fn of(properties: impl IntoIterator<Item = (String, Node)>, last_index: Option<f64>) -> Self {
        Self { properties: properties.into_iter().collect(), last_index }
    }

    /// Moves all indices up by one, for a new first. There are no other names: a single key has made this object.
    fn behind(self, first: Node) -> Self {
        let mut shifted = Self::of([("0".to_owned(), first)], self.last_index.map(|last| last + 1.0));
        for (name, value) in self.properties {
            let name = index(&name).map_or(name, |index| (index + 1.0).to_string());
            shifted.properties.insert(name, value);
        }
        shifted
    }

    pub(crate) fn merge(&mut self, source: Map) {
        for (name, value) in source.properties {
            self.merge_property(name, value);
        }
        if source.last_index.is_some() && self.last_index.is_none() {
            self.last_index = self.properties.keys().filter_map(|name| index(name)).reduce(f64::max);
        }
    }

    pub(crate) fn merge_property(&mut self, name: String, value: Node) {
        if let Some(last) = self.last_index {
            self.last_index = index(&name).map(|index| index.max(last)).or(self.last_index);
        }
        match self.properties.entry(name) {
            Entry::Occupied(mut present) => present.get_mut().merge(value),
            Entry::Vacant(vacant) => {
                vacant.insert(value);
            }
        }
    }
}

impl From<List> for Map {
    fn from(list: List) -> Self {
        let properties = list.elements.into_iter().map(|(index, element)| (index.to_string(), element));
        Self::of(properties, None)
    }
}

impl From<Node> for Map {
    fn from(node: Node) -> Self {
        match node {
            Node::Map(map) => map,
            Node::List(list) => list.into(),
            text => List::of([(0, text)]).into(),
        }
    }
}

impl From<Map> for Object {
    fn from(map: Map) -> Self {
        Object::collect(map.properties.into_iter().map(|(name, node)| (name, node.into())))
    }
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        match node {
            Node::Text(text) => Value::String(text),
            Node::List(list) => Value::Array(list.elements.into_values().map(Value::from).collect()),
            Node::Map(map) => Value::Object(map.into()),
        }
    }
}

/// The number that a name is, if JavaScript would write that number the same way. JavaScript knows no integers:
/// beyond 2^53 only some numbers are left, and from 10^21 on they are written with an exponent.
fn index(name: &str) -> Option<f64> {
    let rank = value::rank(name);
    if rank < u32::MAX {
        return Some(f64::from(rank));
    }
    let number: f64 = name.parse().ok()?;
    (number >= f64::from(rank) && number < 1e21 && number.to_string() == name).then_some(number)
}
