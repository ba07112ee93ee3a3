//! How hard the tasks are: where search puts what is wanted, and how often scripted agents find it.

use super::task::Task;
use super::{Mall, MallError, Replay, Session, agent, replay};
use crate::agent::Actor;
use crate::replay::ReplayError;
use crate::task::{Scenario, Split, TaskKey};
use std::sync::Arc;

/// Shares between 0 and 1 over tasks of one scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Difficulty {
    /// The product that the goal was drawn from is the first result when everything said is searched for.
    pub first: f64,
    /// It is among the first twenty.
    pub within_20: f64,
    /// Mean of one over its rank, 0 beyond a hundred.
    pub reciprocal_rank: f64,
    /// R_succ of searching once and buying the first result.
    pub search_first: f64,
    /// R_succ of random possible actions.
    pub random: f64,
    /// R_succ of the scripted expert.
    pub expert: f64,
    /// Tasks that nothing satisfies.
    pub nothing_fits: f64,
    /// Turns of the expert.
    pub turns: f64,
}

/// Plays the task of `key` to its end and scores it.
///
/// # Errors
/// Never with an actor that plays by the rules: the session says when it is over.
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

/// Everything that the agent is told in words when it asks about everything; no file.
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

/// The product that the goal of `key` was drawn from; `None` where nothing fits. Privileged: for measuring.
#[must_use]
pub fn target(mall: &Mall, key: &TaskKey) -> Option<u32> {
    let goal = Task::new(mall, key).goal;
    goal.fits.then_some(goal.target)
}

/// The rank, from 1, of the product that the goal of `key` was drawn from, when `query` is searched for; `None` beyond
/// `limit`, or where nothing fits. Privileged: for measuring.
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
