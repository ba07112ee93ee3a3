//! The content of a job's checkpoint: writing it and restoring from it.

use std::error::Error;
use std::fs;
use std::path::Path;

use shoprl_contract::{Exit, error_chain};
use shoprl_model::config::ModelConfig;
use shoprl_model::folder;
use shoprl_model::parameters::Parameters;
use shoprl_model::tokenizer::Tokenizer;

use super::learner::Learner;
use super::state::{JobState, Phase};
use crate::checkpoint::Checkpoint;

/// Folder of the weights, in Hugging Face format.
const MODEL: &str = "model";
/// File of the optimiser's state.
const OPTIMIZER: &str = "optimizer.safetensors";
/// File of the [`JobState`].
const STATE: &str = "state.json";
/// Folder of the policy after warm-up, for the KL penalty; written from the end of the warm-up on.
const REFERENCE: &str = "reference";

/// Everything that a checkpoint holds.
pub(super) struct Content<'a> {
    pub(super) model: &'a ModelConfig,
    pub(super) tokenizer: &'a Tokenizer,
    pub(super) learner: &'a Learner,
    pub(super) reference: Option<&'a Parameters>,
    pub(super) state: &'a JobState,
}

impl Content<'_> {
    /// Fills a checkpoint's folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Self { model, tokenizer, learner, reference, state } = self;
        folder::save(&folder.join(MODEL), model, &learner.parameters, tokenizer)?;
        if let Some(reference) = reference {
            folder::save(&folder.join(REFERENCE), model, reference, tokenizer)?;
        }
        fs::write(folder.join(OPTIMIZER), learner.optimizer_bytes()?)?;
        fs::write(folder.join(STATE), serde_json::to_vec_pretty(state)?)?;
        Ok(())
    }
}

/// What a checkpoint restores besides the learner.
pub(super) struct Restored {
    pub(super) state: JobState,
    pub(super) reference: Option<Parameters>,
}

/// Restores a checkpoint's weights and optimiser into the learner.
pub(super) fn restore(checkpoint: &Checkpoint, learner: &mut Learner) -> Result<Restored, Exit> {
    let path = &checkpoint.path;
    // The digests matched, so content that does not fit was written by another version of the program.
    let foreign = |file: &str, why: String| {
        Exit::bad_configuration(format!(
            "{}: {why}; continue with the program that wrote it, or start in another folder with --output",
            path.join(file).display()
        ))
    };
    let read =
        |file: &str| fs::read(path.join(file)).map_err(|error| foreign(file, error.to_string()));
    let load = |file: &str| {
        folder::load(&path.join(file)).map_err(|error| foreign(file, error_chain(&error)))
    };
    let state: JobState =
        serde_json::from_slice(&read(STATE)?).map_err(|error| foreign(STATE, error.to_string()))?;
    let (_, parameters) = load(MODEL)?;
    let is_training = state.phase > Phase::WarmupEvaluation;
    learner
        .restore(parameters, &read(OPTIMIZER)?, is_training)
        .map_err(|why| foreign(OPTIMIZER, why))?;
    let reference = if path.join(REFERENCE).exists() { Some(load(REFERENCE)?.1) } else { None };
    Ok(Restored { state, reference })
}
