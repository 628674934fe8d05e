//! The web tier's messages: requests with a target as in HTTP, answers with a status, and what the
//! web replicas ask of the store.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::node::Detail;
use crate::vocabulary::messages;

/// A request as a browser or an instance sends it, and as the balancer passes it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The sender's number for it, given back with the answer.
    pub id: u64,
    /// `/detectar?dato=79.412`, `/listar`, `/anomalias`.
    pub target: Rc<str>,
    /// A header of our own: which leader speaks. 0 for requests that change nothing.
    pub epoch: u64,
    /// A header of our own: the leader's number for the mean, the same when it is sent again.
    pub number: u64,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The number of the request.
    pub id: u64,
    /// 200, 400, 404, 409 (an older leader), 502 (no replica answers), 503 (the store does not
    /// answer).
    pub status: u16,
    /// What it says.
    pub body: Rc<str>,
}

/// A mean in the time series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The leader that sent it.
    pub epoch: u64,
    /// The leader's number for it.
    pub number: u64,
    /// In thousandths.
    pub milli: i64,
    /// When it was stored, by the store's wall clock, ms since 1970.
    pub at_ms: i64,
}

/// What a web replica asks of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreRequest {
    /// Store a mean.
    Put {
        /// Whose.
        epoch: u64,
        /// Which.
        number: u64,
        /// In thousandths.
        milli: i64,
    },
    /// All means.
    List,
    /// The means outside of the band.
    Anomalies,
}

messages! {
    /// The web tier's messages.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum WebMessage {
        /// A request to the balancer, or from it to a replica.
        HttpRequest(HttpRequest),
        /// Its answer.
        HttpResponse(HttpResponse),
        /// A replica asks the time series.
        StoreRequest {
            /// The number of the request.
            id: u64,
            /// What it asks.
            request: StoreRequest,
        },
        /// The time series answers.
        StoreReply {
            /// The number of the request.
            id: u64,
            /// As in HTTP.
            status: u16,
            /// What was asked for.
            points: Rc<[Point]>,
        },
    }
}

impl WebMessage {
    /// Bytes on the wire.
    pub fn size(&self) -> u32 {
        match self {
            WebMessage::HttpRequest(request) => 120 + request.target.len() as u32,
            WebMessage::HttpResponse(response) => 80 + response.body.len() as u32,
            WebMessage::StoreRequest { .. } => 64,
            WebMessage::StoreReply { points, .. } => 40 + 32 * points.len() as u32,
        }
    }

    /// What the trace says of the content.
    pub fn detail(&self) -> Detail {
        match self {
            WebMessage::HttpRequest(request) => {
                Detail::Text(format!("GET {}", request.target).into())
            }
            WebMessage::HttpResponse(response) => {
                Detail::Numbers(&["status"], [i64::from(response.status), 0, 0])
            }
            WebMessage::StoreRequest {
                request: StoreRequest::Put { number, milli, .. }, ..
            } => Detail::Numbers(&["number", "milli"], [*number as i64, *milli, 0]),
            WebMessage::StoreRequest { .. } => Detail::None,
            WebMessage::StoreReply { status, points, .. } => {
                Detail::Numbers(&["status", "points"], [i64::from(*status), points.len() as i64, 0])
            }
        }
    }
}

/// A number of thousandths as text: `79.412`.
pub fn show_milli(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", milli.unsigned_abs() / 1_000, milli.unsigned_abs() % 1_000)
}

/// Thousandths from text; `None` if it is not such a number.
pub fn read_milli(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.is_empty() || part.len() > 3 {
        return None;
    }
    let part: i64 = format!("{part:0<3}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one side writes, the other reads; other texts are refused.
    #[test]
    fn numbers_are_read_as_they_are_written() {
        for milli in [0, 7, 75_000, 84_999, 1_000_010] {
            assert_eq!(read_milli(&show_milli(milli)), Some(milli));
        }
        assert_eq!(read_milli("80"), Some(80_000));
        assert!(
            ["", "x", "1.2345", "-3", "1.2.3", "99999999999999999999"]
                .iter()
                .all(|text| read_milli(text).is_none())
        );
    }
}
