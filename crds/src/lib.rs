//! What users write: the [`ShopRLJob`] type and the CRD made from it.
//!
//! The same manifest goes to `kubectl apply` and to `shoprl run`. The schema holds only what works;
//! a field enters it together with its behaviour. No client and no runtime live here, and the types
//! never deny unknown fields: one bad object must not stop a watch (the command line reports them
//! by path instead).

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
pub use status::{Failure, Failures, Intent, Progress, RoleStatus, ShopRLJobStatus, WorkerIntent};
pub use training::{Algorithm, Grpo, Reward, Training};
pub use warmup::{Sft, Stop, Warmup};
