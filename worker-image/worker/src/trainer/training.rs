//! Reinforcement learning: GRPO with message-wise credit, one on-policy update per step.

use std::collections::BTreeMap;
use std::time::Instant;

use shoprl_contract::run_folder::{
    CreditMetric, Decoding, KindCredit, Metric, Subject, TrainingMetric,
};
use shoprl_contract::{CreditMode, Exit};
use shoprl_model::optimizer::{Rates, warm_up};
use shoprl_rl::advantage::group_relative;
use shoprl_rl::credit::{CreditOptions, Mode, ScoredTrajectory, Telemetry, token_advantages};
use shoprl_rl::groups::StepGroups;

use super::batches::{self, Use};
use super::coordinator::Scored;
use super::job::Job;
use super::learner::{Update, policy_objective};
use super::sample;
use super::state::Phase;

/// A group whose rewards have a smaller standard deviation than this carries no signal and is filtered.
const VARIANCE_FLOOR: f64 = 1e-6;
/// A step plays at most this many times the groups that it needs.
const MAX_OVERSAMPLING: usize = 4;
/// Steps over which the learning rate rises.
const RATE_WARMUP_STEPS: u64 = 5;

/// The episodes of one step.
struct Harvest {
    /// Episodes of the accepted groups, by (group, member).
    accepted: Vec<Scored>,
    /// Advantage of each accepted episode.
    advantages: Vec<f64>,
    /// Episodes of filtered groups, by (group, member): played and measured, but not trained on.
    filtered_episodes: Vec<Scored>,
    filtered_groups: u64,
    next_group: u64,
    seconds: f64,
}

impl Harvest {
    /// All played episodes, including those of filtered groups.
    fn played(&self) -> impl Iterator<Item = &Scored> {
        self.accepted.iter().chain(&self.filtered_episodes)
    }
}

impl Job<'_> {
    /// Runs all steps, with evaluations and checkpoints in between.
    pub(super) fn train(&mut self) -> Result<(), Exit> {
        let (steps, every) =
            (u64::from(self.config.training.steps), u64::from(self.config.evaluation.every_steps));
        let keep = u64::from(self.config.checkpoint.every_steps);
        while self.state.step < steps {
            self.step()?;
            let step = self.state.step;
            if every > 0 && step.is_multiple_of(every) && step < steps {
                self.evaluate(Subject::Progress, Decoding::Greedy, self.config.evaluation.tasks)?;
            }
            if step.is_multiple_of(keep) && step < steps {
                self.checkpoint()?;
            }
        }
        self.enter(Phase::FinalEvaluation);
        Ok(())
    }

    fn step(&mut self) -> Result<(), Exit> {
        let step = self.state.step + 1;
        let harvest = self.harvest(step)?;
        let began = Instant::now();
        let rewards: Vec<f64> = harvest
            .accepted
            .iter()
            .map(|s| sample::reward(self.config, &sample::metrics(s)))
            .collect();
        let credited: Vec<ScoredTrajectory> =
            (harvest.accepted.iter().zip(&rewards).zip(&harvest.advantages))
                .map(|((scored, reward), advantage)| sample::credited(scored, *reward, *advantage))
                .collect::<Result<_, _>>()?;
        let options = self.credit_options();
        let credit_failed = |error| Exit::temporary(format!("credit of step {step}: {error}"));
        let advantages =
            token_advantages(&credited, &options, &self.state.gate).map_err(credit_failed)?;
        let telemetry =
            Telemetry::measure(&credited, &advantages, None, &options, &self.state.gate)
                .map_err(credit_failed)?;
        let update = self.policy_update(step, &harvest.accepted, &advantages)?;
        self.state.gate.observe(&credited, &options).map_err(credit_failed)?;
        let seconds = began.elapsed().as_secs_f64();
        let row = TrainingMetric {
            credit: credit_metric(&telemetry),
            ..metric(step, &harvest, &rewards, &advantages, update, seconds)
        };
        self.record(&harvest, &rewards, row)?;
        self.state.next_group = harvest.next_group;
        self.state.step = step;
        self.report_progress();
        Ok(())
    }

    /// Has groups played until enough of them carry a signal; accepts them in index order.
    fn harvest(&self, step: u64) -> Result<Harvest, Exit> {
        let began = Instant::now();
        let training = &self.config.training;
        let wanted = training.tasks_per_step as usize;
        let mut groups = StepGroups::new(self.state.next_group, wanted, wanted * MAX_OVERSAMPLING);
        let name = batches::step_name(step);
        let actor = batches::policy(self.publish(), Decoding::Sampled);
        let mut opened = self.state.next_group;
        let mut played: BTreeMap<u64, (Vec<Scored>, Vec<f64>)> = BTreeMap::new();
        let mut filtered: BTreeMap<u64, Vec<Scored>> = BTreeMap::new();
        let accepted = loop {
            if let Some(accepted) = groups.finished() {
                break accepted;
            }
            let new: Vec<_> = (opened..groups.next_index())
                .map(|index| (index, batches::training_task(self.config, Use::Training, index)))
                .collect();
            opened = groups.next_index();
            if !new.is_empty() {
                self.open_batch(&name, actor, training.grpo.group_size, &new);
            }
            for (index, scored) in self.next_complete(&name)? {
                let rewards: Vec<f64> = scored
                    .iter()
                    .map(|scored| sample::reward(self.config, &sample::metrics(scored)))
                    .collect();
                let advantages = group_relative(&rewards, VARIANCE_FLOOR);
                groups
                    .complete(index, advantages.is_some())
                    .map_err(|error| Exit::temporary(error.to_string()))?;
                match advantages {
                    Some(advantages) => {
                        played.insert(index, (scored, advantages));
                    }
                    None => {
                        filtered.insert(index, scored);
                    }
                }
            }
        };
        self.shared.lock().coordinator.close(&name);
        if accepted.len() < wanted {
            tracing::warn!(
                step,
                accepted = accepted.len(),
                wanted,
                "too few groups with reward variance, the step is smaller"
            );
        }
        let (episodes, advantages): (Vec<Vec<Scored>>, Vec<Vec<f64>>) =
            played.into_values().unzip();
        Ok(Harvest {
            accepted: episodes.into_iter().flatten().collect(),
            advantages: advantages.into_iter().flatten().collect(),
            filtered_episodes: filtered.into_values().flatten().collect(),
            filtered_groups: groups.filtered() as u64,
            next_group: groups.next_index(),
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// One update on the accepted episodes; `None` if there are none.
    fn policy_update(
        &mut self,
        step: u64,
        accepted: &[Scored],
        advantages: &[Vec<f64>],
    ) -> Result<Option<Update>, Exit> {
        let tokens: usize =
            accepted.iter().map(|scored| scored.trajectory.log_probabilities.len()).sum();
        if tokens == 0 {
            return Ok(None);
        }
        let references = match &self.reference {
            Some(reference) => {
                let sequences: Vec<_> =
                    accepted.iter().map(|scored| scored.trajectory.tokens.clone()).collect();
                Some(self.learner.log_probabilities(reference, &sequences)?)
            }
            None => None,
        };
        let sequences =
            accepted.iter().zip(advantages).enumerate().map(|(i, (scored, advantages))| {
                let reference = references.as_ref().map(|all| all[i].as_slice());
                sample::policy(&scored.trajectory, advantages, reference)
            });
        let rate = self.config.training.learning_rate * warm_up(step - 1, RATE_WARMUP_STEPS);
        let rates = Rates { adamw: rate as f32, muon: 0.0 };
        let update = self.learner.update(
            sequences.collect(),
            &policy_objective(self.config, tokens),
            rates,
        )?;
        self.state.updates += 1;
        Ok(Some(update))
    }

    fn credit_options(&self) -> CreditOptions {
        let mode = match self.config.training.credit.mode {
            CreditMode::Off => Mode::Off,
            CreditMode::Mask => Mode::Mask,
            CreditMode::Conserved => Mode::Conserved,
            CreditMode::Gated => Mode::Gated,
            CreditMode::Dense => Mode::Dense,
        };
        CreditOptions { mode, ..CreditOptions::default() }
    }

    /// Writes a step to the ledger, the journal and the run folder.
    fn record(
        &mut self,
        harvest: &Harvest,
        rewards: &[f64],
        row: TrainingMetric,
    ) -> Result<(), Exit> {
        let digests: Vec<_> = harvest.accepted.iter().map(sample::digest).collect();
        self.state.ledger.append(&digests);
        let episodes: Vec<_> = (0..harvest.accepted.len())
            .map(|i| {
                let training = Some((harvest.advantages[i], digests[i]));
                sample::episode(&harvest.accepted[i], &self.tokenizer, rewards[i], training)
            })
            .collect::<Result<_, _>>()?;
        self.journal.episodes(&batches::step_name(row.step), &episodes)?;
        let played = harvest.played().map(|scored| scored.trajectory.tokens.len() as u64);
        self.state.spend("rollout", harvest.seconds, played.sum());
        self.state.spend("training", row.train_seconds, row.trained_tokens);
        tracing::info!(
            step = row.step,
            reward = row.reward,
            success = row.success,
            entropy = row.entropy,
            filtered = row.filtered_groups,
            rollout = row.rollout_seconds,
            train = row.train_seconds,
            "step done"
        );
        self.report_success(row.success);
        self.shared.lock().measured.reward = Some(row.reward);
        self.journal.metric(&Metric::Training(row))
    }
}

fn metric(
    step: u64,
    harvest: &Harvest,
    rewards: &[f64],
    credited: &[Vec<f64>],
    update: Option<Update>,
    seconds: f64,
) -> TrainingMetric {
    let mean = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        if n > 0.0 { sum / n } else { 0.0 }
    };
    let trained = || harvest.accepted.iter().map(|scored| &scored.trajectory);
    let played = || harvest.played().map(|scored| &scored.trajectory);
    let kept = (credited.iter().zip(&harvest.advantages).zip(trained())).flat_map(
        |((tokens, sample), t)| {
            let policy = t
                .messages
                .iter()
                .filter(|m| m.policy)
                .flat_map(|m| m.start as usize..m.end as usize);
            policy.map(move |i| if tokens[i] * sample > 0.0 { 1.0 } else { 0.0 })
        },
    );
    let statistics = update.map(|update| update.statistics).unwrap_or_default();
    TrainingMetric {
        step,
        reward: mean(&mut rewards.iter().copied()),
        success: mean(&mut harvest.played().map(|scored| sample::metrics(scored).success)),
        finish: mean(&mut harvest.played().map(|scored| sample::metrics(scored).finish)),
        turns: mean(&mut played().map(|t| sample::turns(t) as f64)),
        episode_tokens: mean(&mut played().map(|t| t.tokens.len() as f64)),
        entropy: mean(&mut played().flat_map(|t| t.entropies.iter().map(|h| f64::from(*h)))),
        kl: statistics.kl_sum / (statistics.policy_tokens.max(1) as f64),
        clip_share: statistics.clipped as f64 / (statistics.policy_tokens.max(1) as f64),
        gradient_norm: update.map_or(0.0, |update| update.gradient_norm),
        filtered_groups: harvest.filtered_groups,
        trained_tokens: trained().map(|t| t.tokens.len() as u64).sum(),
        sampled_tokens: played().map(|t| t.log_probabilities.len() as u64).sum(),
        credit_kept: mean(&mut kept.into_iter()),
        credit: CreditMetric::default(),
        rollout_seconds: harvest.seconds,
        train_seconds: seconds,
    }
}

fn credit_metric(telemetry: &Telemetry) -> CreditMetric {
    let kinds = telemetry.kinds.iter().map(|(kind, of_kind)| {
        let credit = KindCredit {
            trust: of_kind.eta,
            correlation: of_kind.correlation,
            share: of_kind.share,
        };
        (kind.name().to_owned(), credit)
    });
    CreditMetric { auc: telemetry.auc, mass_ratio: telemetry.mass_ratio, kinds: kinds.collect() }
}
