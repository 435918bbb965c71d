//! JSON as strictly as the Python host reads it: an array is no object, and a key stands once.
//!
//! What serde derives for a struct also takes an array of its fields, and `serde_json::Value` keeps the last of equal keys.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, SEE_FORMATS};
use crate::read::fault;

/// A struct that is written as an object, and as nothing else.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes a map.
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Any JSON, the keys of whose objects stand once each.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Tree(pub(crate) Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes anything.
        struct Anything;

        impl<'de> Visitor<'de> for Anything {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree(Value::Null))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree(value.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                let mut array = Vec::new();
                while let Some(Tree(item)) = items.next_element()? {
                    array.push(item);
                }
                Ok(Tree(array.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tree, A::Error> {
                let mut object = Map::new();
                while let Some(key) = fields.next_key::<String>()? {
                    if object.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("the key {key:?} stands twice in one object")));
                    }
                    let Tree(value) = fields.next_value()?;
                    object.insert(key, value);
                }
                Ok(Tree(object.into()))
            }
        }

        deserializer.deserialize_any(Anything)
    }
}

/// What a JSON text holds.
///
/// # Errors
/// [`Error::FileMalformed`].
pub(crate) fn parse<T: DeserializeOwned>(text: &str, source: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        fault::of(text, source).unwrap_or_else(|| Error::FileMalformed {
            file: source.to_owned(),
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
            hint: SEE_FORMATS,
        })
    })
}

/// What an object in a JSON text holds.
pub(crate) fn object<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text).map(|Object(found)| found)
}

/// What an object that was read holds.
pub(crate) fn object_of<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(value).map(|Object(found)| found)
}
