//! A JSON body as Express reads it: an object or an array; nothing, where there is no body or one of another type.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Buf as _, Bytes, BytesMut};
use flate2::read::{GzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http_body_util::BodyExt as _;
use serde_json::{Map, Number, Value};

use crate::error::BodyError;

/// Bodies larger than this are parsed where that holds up nobody else.
const PARSED_HERE: usize = 64 * 1024;

/// How many times the limit is read of a body that is too large, so that a client that is still sending gets to read
/// the answer.
const READ_AND_FORGOTTEN: usize = 4;

/// What is accepted of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The most bytes, also after decompression.
    pub(super) bytes: usize,
    /// The longest time that it may take to arrive.
    pub(super) time: Duration,
}

/// Reads a body.
pub(super) async fn read(head: &Parts, body: Body, limits: Limits) -> Result<Value, BodyError> {
    if body.is_end_stream() || !is_json(head)? {
        return Ok(Value::Object(Map::new()));
    }
    let encoding = Encoding::of(head)?;
    let waits_for_word = head.headers.contains_key(EXPECT);
    let arrival = tokio::time::timeout(limits.time, collect(body, limits.bytes, waits_for_word));
    let bytes = arrival.await.map_err(|_| BodyError::TooSlow)??;
    if bytes.len() <= PARSED_HERE && matches!(encoding, Encoding::Identity) {
        return parse(&bytes);
    }
    let work = move || encoding.decode(bytes, limits.bytes).and_then(|bytes| parse(&bytes));
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(BodyError::Broken))
}

/// Gathers the bytes of a body.
async fn collect(mut body: Body, limit: usize, waits_for_word: bool) -> Result<Bytes, BodyError> {
    let read_at_most = if waits_for_word { limit } else { limit.saturating_mul(READ_AND_FORGOTTEN) };
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > read_at_most {
        return Err(BodyError::TooLarge(limit));
    }
    let mut bytes = BytesMut::with_capacity(declared.min(limit));
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > read_at_most {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge(limit)) } else { Ok(bytes.freeze()) }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Value, BodyError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BodyError::Malformed("it is not UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            as_javascript(&mut value);
            Ok(value)
        }
        Ok(_) => Err(BodyError::Malformed("it must be an object or an array".to_owned())),
        Err(error) => Err(BodyError::Malformed(error.to_string())),
    }
}

/// Whether the body is said to be JSON, in an encoding of Unicode that we read.
fn is_json(head: &Parts) -> Result<bool, BodyError> {
    let Some(value) = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return Ok(false);
    };
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json")) {
        return Ok(false);
    }
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    match charset.as_deref() {
        None | Some("utf-8" | "utf8") => Ok(true),
        Some(other) => {
            Err(BodyError::Unsupported(format!("the charset {other:?} is not supported: send UTF-8")))
        }
    }
}

pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    fn of(head: &Parts) -> Result<Self, BodyError> {
        let named = head.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or_default());
        match named.unwrap_or("identity").to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::Identity),
            "gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            other => {
                let text =
                    format!("the content encoding {other:?} is not supported: send gzip, deflate or none");
                Err(BodyError::Unsupported(text))
            }
        }
    }

    pub(super) fn decode(self, bytes: Bytes, limit: usize) -> Result<Bytes, BodyError> {
        match self {
            Self::Identity => Ok(bytes),
            Self::Gzip => decompress(GzDecoder::new(bytes.reader()), limit),
            Self::Deflate => decompress(ZlibDecoder::new(bytes.reader()), limit),
        }
    }
}

fn decompress(decoder: impl Read, limit: usize) -> Result<Bytes, BodyError> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(bound).read_to_end(&mut bytes).map_err(|_| BodyError::Undecodable)?;
    if bytes.len() > limit { Err(BodyError::TooLarge(limit)) } else { Ok(bytes.into()) }
}

/// Takes every number as JavaScript does, as a double: `1.0` is 1, and what a double cannot hold is rounded.
fn as_javascript(value: &mut Value) {
    match value {
        Value::Number(number) => {
            // Up to this, every whole number is a double; beyond, a double's digits are not all its own.
            const WHOLE: f64 = 9_007_199_254_740_992.0;
            if let Some(double) = number.as_f64() {
                #[expect(clippy::cast_possible_truncation, reason = "the value is whole and small enough")]
                let rounded = if double.fract() == 0.0 && double.abs() <= WHOLE {
                    Some(Number::from(double as i64))
                } else {
                    Number::from_f64(double)
                };
                if let Some(rounded) = rounded {
                    *number = rounded;
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_javascript),
        Value::Object(object) => object.values_mut().for_each(as_javascript),
        _ => {}
    }
}
