//! Evaluations on held-out tasks: product families and phrasings that training never uses.

use std::time::Instant;

use shoprl_contract::Exit;
use shoprl_contract::run_folder::{Decoding, Evaluation, Subject};

use super::batches;
use super::job::Job;
use super::sample;
use super::state::Phase;

/// Episodes of an evaluation that are written to the run folder.
const SHOWN: usize = 40;

impl Job<'_> {
    /// The evaluation before reinforcement learning.
    pub(super) fn evaluate_warm_up(&mut self) -> Result<(), Exit> {
        let tasks = self.config.evaluation.final_tasks;
        for decoding in [Decoding::Greedy, Decoding::Sampled] {
            self.evaluate(Subject::Warmup, decoding, tasks)?;
        }
        if self.config.training.grpo.kl_coefficient > 0.0 {
            self.reference = Some(self.learner.parameters.clone());
        }
        self.learner.begin_training();
        self.enter(Phase::Training);
        Ok(())
    }

    /// The final evaluation, of the policy and of the baselines.
    pub(super) fn evaluate_finally(&mut self) -> Result<(), Exit> {
        let tasks = self.config.evaluation.final_tasks;
        for decoding in [Decoding::Greedy, Decoding::Sampled] {
            self.evaluate(Subject::Trained, decoding, tasks)?;
        }
        for subject in
            [Subject::Random, Subject::SearchFirst, Subject::Demonstrator, Subject::Expert]
        {
            self.evaluate(subject, Decoding::Scripted, tasks)?;
        }
        self.enter(Phase::Finished);
        Ok(())
    }

    /// Measures a subject on the first `tasks` held-out tasks, unless a row of this measurement exists.
    pub(super) fn evaluate(
        &mut self,
        subject: Subject,
        decoding: Decoding,
        tasks: u32,
    ) -> Result<(), Exit> {
        let step = self.state.step;
        let same =
            |row: &Evaluation| (row.subject, row.decoding, row.step) == (subject, decoding, step);
        if tasks == 0 || self.journal.evaluations()?.iter().any(same) {
            return Ok(());
        }
        let began = Instant::now();
        let actor = match batches::script(self.config, subject) {
            Some(script) => script,
            None => batches::policy(self.publish(), decoding),
        };
        let name = batches::evaluation_name(subject, decoding, step);
        let keys: Vec<_> =
            (0..u64::from(tasks)).map(|i| batches::held_out_task(self.config, i)).collect();
        let scored = self.play(&name, actor, &keys)?;
        let seconds = began.elapsed().as_secs_f64();
        let episodes = scored.iter().map(sample::result).collect::<Result<Vec<_>, _>>()?;
        let shown = scored.iter().take(SHOWN).map(|scored| {
            let reward = sample::reward(self.config, &sample::metrics(scored));
            sample::episode(scored, &self.tokenizer, reward, None)
        });
        self.journal.episodes(&name, &shown.collect::<Result<Vec<_>, _>>()?)?;
        let tokens: u64 = episodes.iter().map(|episode| u64::from(episode.tokens)).sum();
        let success =
            episodes.iter().map(|episode| episode.metrics.success).sum::<f64>() / f64::from(tasks);
        tracing::info!(?subject, ?decoding, step, success, seconds, "evaluation done");
        self.journal.evaluation(&Evaluation { subject, decoding, step, seconds, episodes })?;
        self.state.spend("evaluation", seconds, tokens);
        if decoding == Decoding::Greedy {
            self.report_success(success);
        }
        Ok(())
    }
}
