//! Checkpoints of a job: what goes into the folder, and back.

use std::fs;
use std::path::Path;

use shoprl_contract::{Exit, error_chain};
use shoprl_model::folder;
use shoprl_model::parameters::Parameters;

use super::job::Job;
use super::learner::Learner;
use super::state::{JobState, Phase};
use crate::checkpoint::Checkpoint;

/// Hugging Face folder of the weights.
const MODEL: &str = "model";
/// State of the optimiser.
const OPTIMIZER: &str = "optimizer.safetensors";
/// [`JobState`].
const STATE: &str = "state.json";
/// The policy after warm-up, for the KL penalty; there from the end of the warm-up on.
const REFERENCE: &str = "reference";

impl Job<'_> {
    /// Keeps everything that is needed to go on from here to the same bytes.
    pub(super) fn checkpoint(&mut self) -> Result<(), Exit> {
        self.state.journal = self.journal.sync()?;
        let updates = self.state.updates;
        let write = |folder: &Path| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            folder::save(
                &folder.join(MODEL),
                &self.model,
                &self.learner.parameters,
                &self.tokenizer,
            )?;
            if let Some(reference) = &self.reference {
                folder::save(&folder.join(REFERENCE), &self.model, reference, &self.tokenizer)?;
            }
            fs::write(folder.join(OPTIMIZER), self.learner.optimizer_bytes()?)?;
            fs::write(folder.join(STATE), serde_json::to_vec_pretty(&self.state)?)?;
            Ok(())
        };
        self.store
            .save(&self.attempt, self.state.tick(), updates, write)
            .map_err(|error| error.exit())?;
        Ok(())
    }
}

/// What a checkpoint brings back.
pub(super) struct Restored {
    pub(super) state: JobState,
    pub(super) reference: Option<Parameters>,
}

/// Puts a checkpoint's weights and optimiser into the learner.
pub(super) fn restore(checkpoint: &Checkpoint, learner: &mut Learner) -> Result<Restored, Exit> {
    let path = &checkpoint.path;
    // The digests were right, so what does not fit was written by another version of the program.
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
