//! TensorFlow's event messages, reduced to scalars.

use prost::{Message, Oneof};

/// tensorflow.Event.
#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct Event {
    /// Seconds since the start of the run.
    #[prost(double, tag = "1")]
    pub(in super::super) wall_time: f64,
    /// Step.
    #[prost(int64, tag = "2")]
    pub(in super::super) step: i64,
    /// Content.
    #[prost(oneof = "What", tags = "3, 5")]
    pub(in super::super) what: Option<What>,
}

/// tensorflow.Event.what.
#[derive(Clone, PartialEq, Oneof)]
pub(in super::super) enum What {
    /// First event of every file.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values.
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// tensorflow.Summary.
#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct Summary {
    /// Values with their tags.
    #[prost(message, repeated, tag = "1")]
    pub(in super::super) value: Vec<Value>,
}

/// tensorflow.Summary.Value.
#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct Value {
    /// Name of the series.
    #[prost(string, tag = "1")]
    pub(in super::super) tag: String,
    /// Part of a oneof in TensorFlow, so it is present even if 0.
    #[prost(float, optional, tag = "2")]
    pub(in super::super) simple_value: Option<f32>,
}
