//! The warm-up: supervised learning from an imperfect demonstrator, until validation reaches its targets.

use std::collections::VecDeque;
use std::time::Instant;

use shoprl_contract::Exit;
use shoprl_contract::run_folder::{Decoding, Metric, Validation, WarmupMetric};
use shoprl_contract::v1::Trajectory;
use shoprl_model::batch::Sequence;
use shoprl_model::optimizer::{Rates, cosine, warm_up};

use super::batches::{self, Use};
use super::job::Job;
use super::learner::supervised_objective;
use super::sample;
use super::state::Phase;

/// Demonstrations in one batch: about 20 steps, so that rollouts never wait for the learner.
const BLOCK: u64 = 160;
/// Open blocks: the next one is played while this one is trained on.
const AHEAD: u64 = 2;
/// Steps over which the learning rate rises.
const RATE_WARMUP_STEPS: u64 = 30;
/// Final learning rate as a share of the highest.
const FLOOR: f64 = 0.1;
/// Steps per row of metrics.
const ROW: u64 = 20;

/// Sums since the last row of metrics.
struct Window {
    steps: u64,
    loss: f64,
    gradient_norm: f64,
    seconds: f64,
}

impl Window {
    fn new() -> Self {
        Self { steps: 0, loss: 0.0, gradient_norm: 0.0, seconds: 0.0 }
    }
}

impl Job<'_> {
    /// Learns from demonstrations until validation reaches its targets or the token budget is used up.
    pub(super) fn warm_up(&mut self) -> Result<(), Exit> {
        let warmup = self.config.training.warmup.clone();
        let mut queue = Demonstrations::from(self.state.demonstrations);
        let mut window = Window::new();
        while self.state.warmup_tokens < warmup.max_tokens {
            if self.shutdown.is_requested() {
                return Err(Exit::stopped(
                    "asked to stop; run again to continue from the checkpoint",
                ));
            }
            let batch = queue.take(self, warmup.batch as usize)?;
            let before = self.state.warmup_tokens;
            self.supervised_step(&batch, &mut window)?;
            let due = before / warmup.stop.every_tokens
                < self.state.warmup_tokens / warmup.stop.every_tokens;
            if !due {
                if window.steps == ROW {
                    self.write_window(&mut window, None)?;
                }
                continue;
            }
            let measured = self.validate()?;
            self.write_window(&mut window, Some(measured))?;
            self.checkpoint()?;
            let stop = &warmup.stop;
            if measured.greedy_success >= stop.greedy_success
                && measured.sampled_success >= stop.sampled_success
            {
                break;
            }
        }
        self.write_window(&mut window, None)?;
        queue.close(self);
        self.enter(Phase::WarmupEvaluation);
        Ok(())
    }

    fn supervised_step(&mut self, batch: &[Trajectory], window: &mut Window) -> Result<(), Exit> {
        let began = Instant::now();
        let warmup = &self.config.training.warmup;
        let weight = warmup.observation_weight as f32;
        let (sequences, actions): (Vec<Sequence>, Vec<usize>) =
            batch.iter().map(|trajectory| sample::supervised(trajectory, weight)).unzip();
        let actions: usize = actions.iter().sum();
        let tokens: u64 = sequences.iter().map(|sequence| sequence.tokens.len() as u64).sum();
        let factor = self.warmup_factor();
        let rates = Rates {
            adamw: (warmup.learning_rate * factor) as f32,
            muon: (warmup.matrix_learning_rate * factor) as f32,
        };
        let update =
            self.learner.update(sequences, &supervised_objective(actions as f32), rates)?;
        self.state.updates += 1;
        self.state.warmup_step += 1;
        self.state.warmup_tokens += tokens;
        self.state.demonstrations += batch.len() as u64;
        window.steps += 1;
        window.loss += update.statistics.supervised_nll_sum / update.statistics.supervised_weight;
        window.gradient_norm += update.gradient_norm;
        window.seconds += began.elapsed().as_secs_f64();
        self.state.spend("warmup", began.elapsed().as_secs_f64(), tokens);
        self.report_progress();
        Ok(())
    }

    /// Factor on the learning rates: a rise, then half a cosine over the token budget.
    fn warmup_factor(&self) -> f64 {
        let progress =
            self.state.warmup_tokens as f64 / self.config.training.warmup.max_tokens as f64;
        warm_up(self.state.warmup_step, RATE_WARMUP_STEPS) * cosine(progress, FLOOR)
    }

    fn validate(&mut self) -> Result<Validation, Exit> {
        let began = Instant::now();
        let count = u64::from(self.config.training.warmup.stop.tasks);
        let tasks: Vec<_> =
            (0..count).map(|i| batches::training_task(self.config, Use::Validation, i)).collect();
        let version = self.publish();
        let mut success = [0.0; 2];
        let mut tokens = 0;
        for (success, decoding) in success.iter_mut().zip([Decoding::Greedy, Decoding::Sampled]) {
            let name = batches::validation_name(self.state.warmup_tokens, decoding);
            let episodes = self.play(&name, batches::policy(version, decoding), &tasks)?;
            *success = episodes.iter().map(|scored| sample::metrics(scored).success).sum::<f64>()
                / count as f64;
            tokens +=
                episodes.iter().map(|scored| scored.trajectory.tokens.len() as u64).sum::<u64>();
        }
        self.state.spend("validation", began.elapsed().as_secs_f64(), tokens);
        self.report_success(success[0]);
        let measured = Validation { greedy_success: success[0], sampled_success: success[1] };
        tracing::info!(tokens = self.state.warmup_tokens, ?measured, "validation done");
        Ok(measured)
    }

    fn write_window(
        &mut self,
        window: &mut Window,
        validation: Option<Validation>,
    ) -> Result<(), Exit> {
        if window.steps == 0 {
            return Ok(());
        }
        let steps = window.steps as f64;
        let row = WarmupMetric {
            step: self.state.warmup_step,
            tokens: self.state.warmup_tokens,
            loss: window.loss / steps,
            gradient_norm: window.gradient_norm / steps,
            learning_rate: self.config.training.warmup.learning_rate * self.warmup_factor(),
            seconds: window.seconds,
            validation,
        };
        tracing::info!(step = row.step, tokens = row.tokens, loss = row.loss, "warm-up step done");
        self.journal.metric(&Metric::Warmup(row))?;
        *window = Window::new();
        Ok(())
    }
}

/// Demonstrations in order, played before they are needed.
struct Demonstrations {
    next_block: u64,
    /// Demonstrations of the first block that an earlier attempt trained on.
    skip: usize,
    ready: VecDeque<Trajectory>,
}

impl Demonstrations {
    /// Starts at demonstration number `first`.
    fn from(first: u64) -> Self {
        Self { next_block: first / BLOCK, skip: (first % BLOCK) as usize, ready: VecDeque::new() }
    }

    /// The next `count` demonstrations.
    fn take(&mut self, job: &Job<'_>, count: usize) -> Result<Vec<Trajectory>, Exit> {
        while self.ready.len() < count {
            for block in self.next_block..self.next_block + AHEAD {
                open(job, block);
            }
            let name = batches::demonstrations_name(self.next_block);
            let mut played = Vec::new();
            while played.len() < BLOCK as usize {
                played.extend(job.next_complete(&name)?);
            }
            job.shared.lock().coordinator.close(&name);
            played.sort_by_key(|(index, _)| *index);
            let trajectories =
                played.into_iter().flat_map(|(_, scored)| scored).map(|scored| scored.trajectory);
            self.ready.extend(trajectories.skip(std::mem::take(&mut self.skip)));
            self.next_block += 1;
        }
        Ok(self.ready.drain(..count).collect())
    }

    /// Closes the blocks that were opened in advance.
    fn close(&self, job: &Job<'_>) {
        let mut state = job.shared.lock();
        for block in self.next_block..self.next_block + AHEAD {
            state.coordinator.close(&batches::demonstrations_name(block));
        }
    }
}

fn open(job: &Job<'_>, block: u64) {
    let groups: Vec<_> = (block * BLOCK..(block + 1) * BLOCK)
        .map(|i| (i, batches::training_task(job.config, Use::Demonstration, i)))
        .collect();
    let name = batches::demonstrations_name(block);
    if !job.shared.lock().coordinator.is_open(&name) {
        job.open_batch(&name, batches::demonstrator(job.config), 1, &groups);
    }
}
