//! Measures how hard the tasks are: the rank of the target product, and the success of scripted agents.

use std::sync::Arc;

use super::task::Task;
use super::{Mall, MallError, Replay, Session, agent, replay};
use crate::agent::Actor;
use crate::replay::ReplayError;
use crate::task::{Scenario, Split, TaskKey};

/// Results over the tasks of one scenario. Shares are between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difficulty {
    /// Share of tasks whose target is the first result when everything stated is searched for.
    pub first: f64,
    /// Share of tasks whose target is among the first 20 results.
    pub within_20: f64,
    /// Mean reciprocal rank of the target; 0 beyond rank 100.
    pub reciprocal_rank: f64,
    /// R_succ of searching once and buying the first result.
    pub search_first: f64,
    /// R_succ of random possible actions.
    pub random: f64,
    /// R_succ of the scripted expert.
    pub expert: f64,
    /// Share of tasks that no product satisfies.
    pub nothing_fits: f64,
    /// Mean number of turns of the expert.
    pub turns: f64,
}

/// Plays the task of `key` to its end and scores it.
///
/// # Errors
/// None in practice: the session says when it is over, and playing stops there.
pub fn play(
    mall: &Arc<Mall>,
    key: &TaskKey,
    mut actor: Box<dyn Actor>,
) -> Result<(Replay, Vec<String>), ReplayError> {
    let (mut session, mut observation) = Session::start(Arc::clone(mall), key);
    let mut actions = Vec::new();
    while session.ended().is_none() {
        let action = actor.act(&observation);
        if let Ok(turn) = session.step(&action) {
            observation = turn.observation;
        }
        actions.push(action);
    }
    Ok((replay(mall, key, &actions)?, actions))
}

/// Everything stated in words if the agent asks about everything; without the file.
#[must_use]
pub fn words(mall: &Arc<Mall>, key: &TaskKey) -> String {
    let (mut session, opening) = Session::start(Arc::clone(mall), key);
    let said = |text: &str| {
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("任务 ").or_else(|| line.strip_prefix("顾客 ")));
        lines.collect::<Vec<_>>().concat()
    };
    let mut words = said(&opening);
    if key.scenario.has_shopper() {
        for topic in ["询问属性", "询问品牌", "询问规格", "询问预算"] {
            words.extend(session.step(topic).map(|turn| said(&turn.observation)));
        }
    }
    words
}

/// The product that the goal of `key` was drawn from; `None` if nothing fits. Reveals the goal: for measurements only.
#[must_use]
pub fn target(mall: &Mall, key: &TaskKey) -> Option<u32> {
    let goal = Task::new(mall, key).goal;
    goal.fits.then_some(goal.target)
}

/// The rank, from 1, of the product that the goal of `key` was drawn from, for `query`; `None` beyond `limit` or if nothing
/// fits. Reveals the goal: for measurements only.
///
/// # Errors
/// As [`Mall::search`].
pub fn target_rank(
    mall: &Arc<Mall>,
    key: &TaskKey,
    query: &str,
    limit: usize,
    weights: Option<[f64; 3]>,
) -> Result<Option<usize>, MallError> {
    let Some(target) = target(mall, key) else {
        return Ok(None);
    };
    let found = match weights {
        Some(weights) => mall.search_weighted(query, limit, weights)?,
        None => mall.search(query, limit)?,
    };
    Ok(found.iter().position(|id| *id == target).map(|position| position + 1))
}

/// Measures `tasks` tasks.
///
/// # Errors
/// If the search engine fails.
pub fn difficulty(
    mall: &Arc<Mall>,
    split: Split,
    scenario: Scenario,
    tasks: u64,
) -> Result<Difficulty, Box<dyn std::error::Error>> {
    let mut sum = Difficulty::default();
    let mut fitting = 0.0;
    for seed in 0..tasks {
        let key = TaskKey { split, scenario, seed };
        if Task::new(mall, &key).goal.fits {
            fitting += 1.0;
            let rank = target_rank(mall, &key, &words(mall, &key), 100, None)?;
            sum.first += f64::from(u8::from(rank == Some(1)));
            sum.within_20 += f64::from(u8::from(rank.is_some_and(|rank| rank <= 20)));
            sum.reciprocal_rank += rank.map_or(0.0, |rank| 1.0 / rank as f64);
        }
        sum.search_first += play(mall, &key, agent::search_first())?.0.outcome.success;
        sum.random += play(mall, &key, agent::random(seed))?.0.outcome.success;
        let (expert, actions) = play(mall, &key, agent::expert())?;
        sum.expert += expert.outcome.success;
        sum.turns += actions.len() as f64;
    }
    let all = tasks.max(1) as f64;
    Ok(Difficulty {
        first: sum.first / f64::max(fitting, 1.0),
        within_20: sum.within_20 / f64::max(fitting, 1.0),
        reciprocal_rank: sum.reciprocal_rank / f64::max(fitting, 1.0),
        search_first: sum.search_first / all,
        random: sum.random / all,
        expert: sum.expert / all,
        nothing_fits: 1.0 - fitting / all,
        turns: sum.turns / all,
    })
}
