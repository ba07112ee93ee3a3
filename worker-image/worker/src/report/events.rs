//! TensorBoard's event file: TFRecord frames around Event messages.
//!
//! Both formats are TensorFlow's (tensorflow/core/lib/io/record_writer.h, core/util/event.proto), reduced to the fields of
//! scalars. Times are seconds since the start of the run, so the same rows give the same bytes.

pub(super) mod frame;
pub(super) mod message;
mod scalars;

use prost::Message;

use super::run::Run;
use message::{Event, Summary, Value, What};

/// File name. TensorBoard reads files with `tfevents` in their names.
pub(super) const FILE: &str = "events.out.tfevents.0.shoprl";

/// The bytes of the file.
pub(super) fn file(run: &Run) -> Vec<u8> {
    let mut bytes = Vec::new();
    let version = What::FileVersion("brain.Event:2".to_owned());
    let first = Event { wall_time: 0.0, step: 0, what: Some(version) };
    frame::append(&mut bytes, &first.encode_to_vec());
    for point in scalars::points(run) {
        let value = |(tag, value): (String, f64)| Value { tag, simple_value: Some(value as f32) };
        let summary = Summary { value: point.values.into_iter().map(value).collect() };
        let event = Event {
            wall_time: point.seconds,
            step: point.step as i64,
            what: Some(What::Summary(summary)),
        };
        frame::append(&mut bytes, &event.encode_to_vec());
    }
    bytes
}
