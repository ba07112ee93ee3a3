//! Plays episodes of the expert with a language model that speaks for the shopper, and counts accepted and rejected replies.
//! usage: shopper URL MODEL EPISODES [KEY-FILE]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use shoprl_simulator::mall::{
    Mall, Preset, Replay, Session, Words, agent, difficulty, replay_voiced,
};
use shoprl_simulator::{Scenario, Split, TaskKey};
use shoprl_worker::voice::{Author, Options, Voice};

#[derive(Default)]
struct Counts {
    remarks: u32,
    first_try: u32,
    later: u32,
    rules: u32,
    unfit: u32,
    seconds: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, model, episodes, key_file @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: shopper URL MODEL EPISODES [KEY-FILE]");
    };
    let voice = Voice::new(Options {
        url: url.parse().context(url.clone())?,
        model: model.clone(),
        key_file: key_file.first().map(Into::into),
        temperature: 0.7,
        seed: 1,
        attempts: 4,
        deadline: Duration::from_secs(60),
        backoff: Duration::from_millis(200),
        concurrent: 1,
        max_tokens: 60,
    })?;
    let mall = Arc::new(Mall::generate(Preset::Fine, 0)?);
    let (mut counts, mut successes, mut ruled) = (Counts::default(), 0.0, 0.0);
    let count: u64 = episodes.parse().context(episodes.clone())?;
    for seed in 0..count {
        let scenario = [Scenario::MultiTurn, Scenario::MultiTurnPersona][(seed % 2) as usize];
        let key = TaskKey { split: Split::HeldOut, scenario, seed };
        let replay = episode(&mall, &key, &voice, &mut counts, seed == 0).await?;
        successes += replay.outcome.success;
        ruled += difficulty::play(&mall, &key, agent::expert())?.0.outcome.success;
    }
    let Counts { remarks, first_try, later, rules, unfit, seconds } = counts;
    println!(
        "{count} episodes, {remarks} remarks, {:.2} s each",
        seconds / f64::from(remarks.max(1))
    );
    println!("words of the model: {first_try} at the first try, {later} after rejected replies");
    println!("words of the rules: {rules}; rejected replies: {unfit}");
    println!("the expert solves {successes} episodes, and {ruled} when the rules speak");
    Ok(())
}

async fn episode(
    mall: &Arc<Mall>,
    key: &TaskKey,
    voice: &Voice,
    counts: &mut Counts,
    print: bool,
) -> anyhow::Result<Replay> {
    let (mut session, opening) = Session::start_voiced(Arc::clone(mall), key);
    let (mut expert, mut actions, mut words) = (agent::expert(), Vec::new(), Words::new());
    let mut observations = vec![opening];
    while session.ended().is_none() {
        let action = expert.act(observations.last().map_or("", String::as_str));
        let turn = match session.cue(&action) {
            None => session.step(&action)?,
            Some(cue) => {
                let begun = Instant::now();
                let nonce = (key.seed << 8) | actions.len() as u64;
                let spoken = voice.say(&cue, nonce).await?;
                counts.seconds += begun.elapsed().as_secs_f64();
                counts.remarks += 1;
                match spoken.by {
                    Author::Model { unfit: 0 } => counts.first_try += 1,
                    Author::Model { unfit } => {
                        counts.later += 1;
                        counts.unfit += unfit;
                    }
                    Author::Rules { unfit, .. } => {
                        counts.rules += 1;
                        counts.unfit += unfit;
                    }
                }
                if print {
                    println!("{action}\n  meant: {}\n  said:  {}", cue.plain(), spoken.words);
                }
                words.insert(actions.len(), spoken.words.clone());
                session.step_voiced(&action, &spoken.words)?
            }
        };
        observations.push(turn.observation);
        actions.push(action);
    }
    let replay = replay_voiced(mall, key, &actions, &words)?;
    ensure!(replay.observations == observations, "the replay has other observations");
    Ok(replay)
}
