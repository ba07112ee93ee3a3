//! The job in the trainer: its state and its phases.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shoprl_contract::v1::Actor;
use shoprl_contract::{Exit, ExitReason, Outcome, RunConfig, v1};
use shoprl_model::config::ModelConfig;
use shoprl_model::device::ComputeDevice;
use shoprl_model::parameters::Parameters;
use shoprl_model::tokenizer::Tokenizer;
use shoprl_rl::credit::Gate;

use super::coordinator::Scored;
use super::journal::Journal;
use super::learner::Learner;
use super::resume::{self, Content, Restored};
use super::shared::{Published, Shared};
use super::state::{JobState, Phase};
use crate::checkpoint::{Attempt, Store};
use crate::shutdown::Shutdown;

/// How often a waiting learner checks for a shutdown request.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How often a waiting learner logs what it waits for.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Everything that the learner's thread owns.
pub(super) struct Job<'a> {
    pub(super) config: &'a RunConfig,
    pub(super) model: ModelConfig,
    pub(super) tokenizer: Tokenizer,
    pub(super) learner: Learner,
    /// Changes only between two updates, so it can be saved at any moment.
    pub(super) state: JobState,
    /// The policy after warm-up, if there is a KL penalty.
    pub(super) reference: Option<Parameters>,
    pub(super) journal: Journal,
    pub(super) store: Store,
    pub(super) attempt: Attempt,
    pub(super) shared: Arc<Shared>,
    pub(super) shutdown: Shutdown,
}

impl<'a> Job<'a> {
    /// Starts the job, or continues from the attempt's parent checkpoint.
    pub(super) fn begin(
        config: &'a RunConfig,
        directory: &Path,
        device: &ComputeDevice,
        threads: usize,
        (store, attempt): (Store, Attempt),
        shared: Arc<Shared>,
        shutdown: Shutdown,
    ) -> Result<Self, Exit> {
        let tokenizer = crate::policy::tokenizer()?;
        let model = crate::policy::model(config, &tokenizer)?;
        let mut learner = Learner::new(device, &model, config, threads)?;
        let Restored { state, reference } = match &attempt.parent {
            Some(parent) => resume::restore(parent, &mut learner)?,
            None => Restored { state: JobState::new(Gate::default()), reference: None },
        };
        let journal = Journal::open(directory, state.journal)?;
        tracing::info!(
            attempt = attempt.number,
            phase = state.phase.name(),
            updates = state.updates,
            "attempt started"
        );
        let job = Self {
            config,
            model,
            tokenizer,
            learner,
            state,
            reference,
            journal,
            store,
            attempt,
            shared,
            shutdown,
        };
        job.report_progress();
        Ok(job)
    }

    /// Runs until the job is finished. When asked to stop, writes a checkpoint first.
    pub(super) fn run(&mut self) -> Result<Exit, Exit> {
        match self.phases() {
            Ok(()) => Ok(Exit::finished(self.outcome())),
            Err(exit) if exit.reason == ExitReason::Stopped => {
                self.checkpoint()?;
                tracing::info!(updates = self.state.updates, "checkpoint written before exit");
                Err(exit)
            }
            Err(exit) => Err(exit),
        }
    }

    fn phases(&mut self) -> Result<(), Exit> {
        while self.state.phase != Phase::Finished {
            self.report_progress();
            match self.state.phase {
                Phase::Warmup => self.warm_up()?,
                Phase::WarmupEvaluation => self.evaluate_warm_up()?,
                Phase::Training => self.train()?,
                Phase::FinalEvaluation => self.evaluate_finally()?,
                Phase::Finished => {}
            }
            self.checkpoint()?;
        }
        self.journal.budget(&self.state.budget)?;
        let violations = self.shared.lock().coordinator.violations();
        if violations > 0 {
            tracing::error!(violations, "determinism_violation: rollouts contradicted each other");
        }
        self.report_progress();
        Ok(())
    }

    /// Saves everything that a later attempt needs to compute the same bytes from here on.
    pub(super) fn checkpoint(&mut self) -> Result<(), Exit> {
        self.state.journal = self.journal.sync()?;
        let content = Content {
            model: &self.model,
            tokenizer: &self.tokenizer,
            learner: &self.learner,
            reference: self.reference.as_ref(),
            state: &self.state,
        };
        self.store
            .save(&self.attempt, self.state.tick(), self.state.updates, |folder| {
                content.write(folder)
            })
            .map_err(|error| error.exit())?;
        Ok(())
    }

    /// Enters a phase.
    pub(super) fn enter(&mut self, phase: Phase) {
        tracing::info!(
            from = self.state.phase.name(),
            to = phase.name(),
            updates = self.state.updates,
            "phase started"
        );
        self.state.phase = phase;
    }

    /// Publishes the current weights; returns their version.
    pub(super) fn publish(&self) -> u64 {
        let version = self.state.updates;
        let mut state = self.shared.lock();
        if state.published.as_ref().is_none_or(|published| published.version != version) {
            let bytes = Arc::new(self.learner.parameters.to_bytes());
            state.published = Some(Published { version, bytes });
        }
        version
    }

    /// Opens a batch with its first groups.
    pub(super) fn open_batch(
        &self,
        name: &str,
        actor: Actor,
        members: u32,
        groups: &[(u64, v1::TaskKey)],
    ) {
        let mut state = self.shared.lock();
        state.coordinator.open(name, actor, members);
        for (index, task) in groups {
            state.coordinator.add(name, *index, *task);
        }
        drop(state);
        self.shared.work.notify_waiters();
    }

    /// Waits until a batch has complete groups, and takes them.
    pub(super) fn next_complete(&self, batch: &str) -> Result<Vec<(u64, Vec<Scored>)>, Exit> {
        let mut logged = Instant::now();
        loop {
            if self.shutdown.is_requested() {
                return Err(Exit::stopped(
                    "asked to stop; run again to continue from the checkpoint",
                ));
            }
            let found = self.shared.wait(POLL_INTERVAL, |state| {
                if let Some(exit) = state.coordinator.fatal() {
                    return Some(Err(exit.clone()));
                }
                let complete = state.coordinator.take_complete(batch);
                (!complete.is_empty()).then_some(Ok(complete))
            });
            match found {
                Some(found) => return found,
                None if logged.elapsed() >= LOG_INTERVAL => {
                    logged = Instant::now();
                    let waiting = self.shared.lock().coordinator.waiting_for(logged);
                    if waiting.is_empty() {
                        tracing::info!(batch, "waiting for episodes in play");
                    } else {
                        tracing::warn!(batch, "waiting for {waiting}");
                    }
                }
                None => {}
            }
        }
    }

    /// Plays a batch of one-member groups; returns the episodes in group order.
    pub(super) fn play(
        &self,
        name: &str,
        actor: Actor,
        tasks: &[v1::TaskKey],
    ) -> Result<Vec<Scored>, Exit> {
        let groups: Vec<(u64, v1::TaskKey)> = (0..).zip(tasks.iter().copied()).collect();
        self.open_batch(name, actor, 1, &groups);
        let mut done: Vec<(u64, Scored)> = Vec::with_capacity(tasks.len());
        while done.len() < tasks.len() {
            let complete = self.next_complete(name)?;
            done.extend(
                complete
                    .into_iter()
                    .flat_map(|(index, scored)| scored.into_iter().map(move |s| (index, s))),
            );
        }
        self.shared.lock().coordinator.close(name);
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, scored)| scored).collect())
    }

    /// Updates the progress for `GetProgress` and the metrics.
    pub(super) fn report_progress(&self) {
        let (state, training) = (&self.state, &self.config.training);
        let share =
            |done: u64, of: u64| if of == 0 { 1.0 } else { (done as f64 / of as f64).min(1.0) };
        // Shares of the quickstart's wall time. Only the forecast in the live view depends on them.
        let done = match state.phase {
            Phase::Warmup => 0.45 * share(state.warmup_tokens, training.warmup.max_tokens),
            Phase::WarmupEvaluation => 0.45,
            Phase::Training => 0.5 + 0.42 * share(state.step, u64::from(training.steps)),
            Phase::FinalEvaluation => 0.92,
            Phase::Finished => 1.0,
        };
        let mut shared = self.shared.lock();
        let progress = &mut shared.progress;
        state.phase.reported().write(progress);
        progress.step = state.step;
        progress.target_steps = u64::from(training.steps);
        progress.weights_version = state.updates;
        progress.done = done;
        shared.measured.spent.clone_from(&state.budget);
    }

    fn outcome(&self) -> Outcome {
        let success = self.shared.lock().progress.success;
        // Negative while nothing was measured.
        let success = (success >= 0.0).then(|| format!("{success:.2}"));
        Outcome { weights_version: self.state.updates, success }
    }

    /// Updates the newest success rate for `GetProgress` and the metrics.
    pub(super) fn report_success(&self, success: f64) {
        self.shared.lock().progress.success = success;
    }
}
