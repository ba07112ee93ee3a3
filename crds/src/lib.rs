//! The [`ShopRLJob`] type and the CRD generated from it.
//!
//! The same manifest goes to `kubectl apply` and to `shoprl run`. The schema contains only fields that work:
//! a field is added together with its behaviour. This crate has no client and no runtime. Its types do not
//! deny unknown fields, because one bad object must not stop a watch; the command line reports unknown
//! fields by path instead.

mod checkpoint;
mod credit;
mod environment;
mod evaluation;
mod image;
mod job;
pub mod limit;
pub mod overlay;
mod policy;
mod roles;
mod status;
mod training;
pub mod transition;
pub mod union;
mod warmup;

pub use checkpoint::{CLAIM_REMEDY, Checkpoint, ExistingClaim, Store, VolumeClaim};
pub use credit::{Credit, CreditMode, MessageWise, Scorer};
pub use environment::{Catalog, CatalogPreset, Environment, MaxTurns, Scenario};
pub use evaluation::Evaluation;
pub use image::{IMAGE_REMEDY, is_digested};
pub use job::{
    GROUP, KIND, NAME_LENGTH, NAME_LENGTH_REMEDY, NAME_REMEDY, ShopRLJob, ShopRLJobSpec, VERSION,
    schema,
};
pub use overlay::{PodOverlay, Resources};
pub use policy::{Model, ModelPreset, Policy};
pub use roles::{RewardRole, Roles, RolloutRole, SimulatorRole, TrainerRole};
pub use status::{
    Failure, Failures, Intent, Progress, RoleStatus, ShopRLJobStatus, TrainerPhase, WorkerIntent,
};
pub use training::{Algorithm, Grpo, Reward, Training};
pub use warmup::{Sft, Stop, Warmup};
