//! One episode in play: tokens in, tokens out.

use shoprl_contract::v1::{self, EndReason, EpisodeKey, GroupLease, Trajectory, actor};
use shoprl_model::tokenizer::Tokenizer;
use shoprl_simulator::agent::{self, Actor};

use crate::policy;

/// Number of an episode at the rollout's table.
pub(super) type Seat = u64;

/// The player that chooses the actions.
pub(super) enum Player {
    /// The policy, sampled at a temperature.
    Policy { temperature: f32 },
    /// A scripted baseline, which gets observations only.
    Script(Box<dyn Actor>),
}

/// An episode with its messages so far.
pub(super) struct Episode {
    pub(super) key: EpisodeKey,
    pub(super) simulator: String,
    pub(super) player: Player,
    lease: GroupLease,
    tokens: Vec<u32>,
    messages: Vec<v1::Message>,
    log_probabilities: Vec<f32>,
    entropies: Vec<f32>,
    actions: Vec<String>,
    /// The newest observation, for scripts.
    observation: String,
    end: Option<EndReason>,
}

/// The next thing to do with an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Choose an action.
    Act,
    /// Submit it.
    Submit,
}

impl Episode {
    /// An episode of a leased group, not opened yet. `seed` drives scripted players.
    pub(super) fn new(lease: &GroupLease, member: u32, seed: u64) -> Result<Self, String> {
        let kind =
            lease.actor.as_ref().and_then(|actor| actor.kind.as_ref()).ok_or("actor: missing")?;
        let draw =
            policy::sampling_key(seed, &lease.batch, lease.group, member, 0).stream().next_u64();
        let player = match kind {
            actor::Kind::Policy(policy) => Player::Policy { temperature: policy.temperature },
            actor::Kind::Random(_) => Player::Script(agent::random(draw)),
            actor::Kind::SearchFirst(_) => Player::Script(agent::search_first()),
            actor::Kind::Expert(_) => Player::Script(agent::expert(draw)),
            actor::Kind::Demonstrator(script) => {
                Player::Script(agent::demonstrator(draw, script.hastiness))
            }
        };
        Ok(Self {
            key: EpisodeKey { batch: lease.batch.clone(), group: lease.group, member },
            simulator: lease.simulator.clone(),
            player,
            lease: lease.clone(),
            tokens: Vec::new(),
            messages: Vec::new(),
            log_probabilities: Vec::new(),
            entropies: Vec::new(),
            actions: Vec::new(),
            observation: String::new(),
            end: None,
        })
    }

    /// Session name, unique within the job.
    pub(super) fn session(&self) -> String {
        format!("{}/{}/{}", self.key.batch, self.key.group, self.key.member)
    }

    /// Request that opens the session, or opens it again with the actions so far.
    pub(super) fn opening(&self) -> v1::SessionOpening {
        v1::SessionOpening {
            session: self.session(),
            task: self.lease.task,
            actions: self.actions.clone(),
        }
    }

    /// Request with the newest action.
    pub(super) fn action(&self) -> v1::SessionAction {
        v1::SessionAction {
            session: self.session(),
            turn: self.turn(),
            action: self.actions.last().cloned().unwrap_or_default(),
        }
    }

    /// Number of actions taken.
    pub(super) fn turn(&self) -> u32 {
        u32::try_from(self.actions.len()).unwrap_or(u32::MAX)
    }

    /// Takes the simulator's reply to the opening or the newest action. [`Self::unread`] then returns the tokens that the
    /// policy has not read.
    pub(super) fn observe(
        &mut self,
        reply: &v1::SessionReply,
        tokenizer: &Tokenizer,
        room: &Room,
    ) -> Next {
        if reply.end() != EndReason::Unspecified {
            self.end = Some(reply.end());
            return Next::Submit;
        }
        let tokens = policy::observation_tokens(tokenizer, &reply.observation);
        if self.tokens.len() + tokens.len() + room.action > room.context {
            // The episode ends with its own reason; no observation is cut.
            self.end = Some(EndReason::ContextLimit);
            return Next::Submit;
        }
        self.observation.clone_from(&reply.observation);
        self.push(&tokens, false);
        Next::Act
    }

    /// Tokens of the newest observation, if no action followed it yet.
    pub(super) fn unread(&self) -> &[u32] {
        match self.messages.last() {
            Some(message) if !message.policy => {
                &self.tokens[message.start as usize..message.end as usize]
            }
            _ => &[],
        }
    }

    /// Takes an action of the policy.
    pub(super) fn act(
        &mut self,
        tokens: &[u32],
        log_probabilities: &[f32],
        entropies: &[f32],
        tokenizer: &Tokenizer,
    ) {
        self.push(tokens, true);
        self.log_probabilities.extend_from_slice(log_probabilities);
        self.entropies.extend_from_slice(entropies);
        self.actions.push(policy::action_text(tokenizer, tokens));
    }

    /// Lets a scripted player act; does nothing for the policy.
    pub(super) fn act_by_script(&mut self, tokenizer: &Tokenizer) {
        let Player::Script(script) = &mut self.player else { return };
        let text = script.act(&self.observation);
        let mut tokens = tokenizer.encode(&text);
        tokens.push(tokenizer.end());
        let zeros = vec![0.0; tokens.len()];
        self.act(&tokens, &zeros, &zeros, tokenizer);
    }

    /// The trajectory, unsealed.
    pub(super) fn into_trajectory(self) -> Trajectory {
        Trajectory {
            batch: self.key.batch,
            group: self.key.group,
            member: self.key.member,
            task: self.lease.task,
            actor: self.lease.actor,
            tokens: self.tokens,
            messages: self.messages,
            log_probabilities: self.log_probabilities,
            entropies: self.entropies,
            end: self.end.unwrap_or(EndReason::Unspecified).into(),
            seal: Vec::new(),
        }
    }

    fn push(&mut self, tokens: &[u32], policy: bool) {
        let position = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let start = position(self.tokens.len());
        self.tokens.extend_from_slice(tokens);
        self.messages.push(v1::Message { start, end: position(self.tokens.len()), policy });
    }
}

/// Length limits in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// One action with its end token.
    pub(super) action: usize,
    /// One episode.
    pub(super) context: usize,
}
