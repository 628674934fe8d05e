//! The time series: means with their timestamps, on the disk.
//!
//! It is the one place where two leaders could do harm, and therefore the one that decides between
//! them: each mean carries the epoch of its leader, which is the transaction that made the leader's
//! znode, and a mean of an older epoch than the newest one seen is refused. A mean that is sent
//! again because its answer was lost is known by its epoch and number, and stored once.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::defects::{Defect, Planted};
use super::http::{Point, StoreRequest, WebMessage};
use super::node::ZkNode;
use super::vocabulary::{Band, StoreMean, StoreMetrics, StoreRefuse};
use crate::codec::{Reader, Writer};
use crate::node::{Ctx, NodeId, Probe, record_log};

const SERIES: &str = "series";

/// The time series.
pub struct Store {
    planted: Planted,
    /// Thousandths; what lies outside is an anomaly.
    band: (i64, i64),
    points: Vec<Point>,
    known: BTreeSet<(u64, u64)>,
    newest_epoch: u64,
    anomalies: usize,
}

impl Store {
    /// An empty series, before the disk was read.
    pub fn new(planted: Planted, band: (i64, i64)) -> Store {
        Store {
            planted,
            band,
            points: Vec::new(),
            known: BTreeSet::new(),
            newest_epoch: 0,
            anomalies: 0,
        }
    }

    /// Read the disk; a record that a crash left unfinished was never confirmed.
    pub fn boot(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        ctx.emit(Band { low: self.band.0, high: self.band.1 });
        for record in record_log::recover(ctx, SERIES) {
            self.take(read_point(&record).expect("a record with a valid checksum is a point"));
        }
    }

    fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    fn take(&mut self, point: Point) {
        self.newest_epoch = self.newest_epoch.max(point.epoch);
        self.known.insert((point.epoch, point.number));
        self.anomalies += usize::from(self.is_anomaly(&point));
        self.points.push(point);
    }

    fn is_anomaly(&self, point: &Point) -> bool {
        point.milli < self.band.0 || point.milli > self.band.1
    }

    /// A web replica asks.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_, ZkNode>, from: NodeId, message: WebMessage) {
        let WebMessage::StoreRequest { id, request: question } = message else { return };
        let (status, points): (u16, Vec<Point>) = match question {
            StoreRequest::Put { epoch, number, milli } => {
                (self.put(ctx, epoch, number, milli), vec![])
            }
            StoreRequest::List => (200, self.points.clone()),
            StoreRequest::Anomalies => {
                (200, self.points.iter().filter(|point| self.is_anomaly(point)).copied().collect())
            }
        };
        ctx.send(from, WebMessage::StoreReply { id, status, points: Rc::from(points) }.into());
    }

    fn put(&mut self, ctx: &mut Ctx<'_, ZkNode>, epoch: u64, number: u64, milli: i64) -> u16 {
        let is_known = self.known.contains(&(epoch, number));
        if is_known && !self.plants(Defect::RetryStoredTwice) {
            return 200;
        }
        let newest_epoch = self.newest_epoch;
        if epoch < newest_epoch && !self.plants(Defect::NoFencing) {
            ctx.emit(StoreRefuse {
                epoch,
                number: number.into(),
                milli: milli.into(),
                newest_epoch: newest_epoch.into(),
            });
            return 409;
        }
        let at_ms = ctx.wall().as_nanos().div_euclid(1_000_000);
        let point = Point { epoch, number, milli, at_ms };
        self.take(point);
        ctx.append(SERIES, write_point(&point));
        let anomaly = self.is_anomaly(&point).into();
        ctx.emit(StoreMean { epoch, number, milli, at_ms: at_ms.into(), anomaly });
        200
    }

    /// Show the metrics.
    pub fn probe(&self, probe: &mut Probe<'_>) {
        probe.show(&StoreMetrics { means_stored: self.points.len(), anomalies: self.anomalies });
    }
}

fn write_point(point: &Point) -> Vec<u8> {
    let mut writer = Writer::default();
    record_log::write(&mut writer, |writer| {
        for number in [point.epoch, point.number, point.milli as u64, point.at_ms as u64] {
            writer.u64(number);
        }
    });
    writer.0
}

fn read_point(record: &[u8]) -> Option<Point> {
    let mut reader = Reader(record);
    let (epoch, number) = (reader.u64()?, reader.u64()?);
    Some(Point { epoch, number, milli: reader.i64()?, at_ms: reader.i64()? })
}
