//! Sessions of both shops that are opened, played with invalid actions, ended and dropped.

use std::sync::Arc;

use shoprl_rl::seed::Stream;
use shoprl_simulator::mall::{self, Mall};
use shoprl_simulator::{End, Limits, Scenario, Session, SessionError, Shop, Split, TaskKey, Turn};

use super::{Outcome, actions};

/// Number of open sessions.
const LIVE: usize = 64;
/// Upper bound of an observation in characters: more than a page of twenty rows.
const LONGEST: usize = 4_000;
/// First word of a refusal in both shops.
const REFUSED: &str = "无效";

/// A random task; seeds include the extreme values.
pub(super) fn key(stream: &mut Stream) -> TaskKey {
    let seeds = [0, u64::MAX, stream.below(1000), stream.next_u64()];
    TaskKey {
        split: if stream.bernoulli(0.5) { Split::Train } else { Split::HeldOut },
        scenario: Scenario::ALL[stream.below(4) as usize],
        seed: seeds[stream.below(4) as usize],
    }
}

enum Live {
    Mall(Box<mall::Session>),
    Mini(Session),
}

impl Live {
    fn step(&mut self, action: &str) -> Result<Turn, SessionError> {
        match self {
            Self::Mall(session) => session.step(action),
            Self::Mini(session) => session.step(action),
        }
    }

    fn ended(&self) -> Option<End> {
        match self {
            Self::Mall(session) => session.ended(),
            Self::Mini(session) => session.ended(),
        }
    }
}

/// Both shops with their open sessions.
pub(super) struct Sessions {
    mall: Arc<Mall>,
    mini: Arc<Shop>,
    live: Vec<Live>,
    /// The last observation of each session.
    read: Vec<String>,
}

impl Sessions {
    pub(super) fn new(mall: Arc<Mall>, mini: Arc<Shop>) -> Self {
        Self { mall, mini, live: Vec::new(), read: Vec::new() }
    }

    /// Plays one action in one session. Ended sessions are replaced first.
    pub(super) fn play(&mut self, stream: &mut Stream) -> Outcome {
        let place = stream.below(LIVE as u64) as usize;
        let gone = self.live.get(place).is_none_or(|live| live.ended().is_some());
        // Some sessions are dropped before their end.
        if gone || stream.bernoulli(0.02) {
            self.open(place, stream);
        }
        let place = place.min(self.live.len() - 1);
        let live = &mut self.live[place];
        let action = actions::any(stream, &self.read[place]);
        let turn = match (live.ended(), live.step(&action)) {
            (Some(before), answer) => {
                assert_eq!(answer, Err(SessionError::Ended { end: before }));
                return Outcome::Refused;
            }
            (None, answer) => answer.unwrap(),
        };
        assert_eq!(turn.end, live.ended());
        assert_eq!(turn.end.is_some(), turn.observation.ends_with("结束"), "{}", turn.observation);
        let length = turn.observation.chars().count();
        assert!(length < LONGEST, "{length} characters answer {action:?}");
        let refused = turn.observation.starts_with(REFUSED);
        if !refused {
            self.read[place] = turn.observation;
        }
        if refused { Outcome::Refused } else { Outcome::Done }
    }

    fn open(&mut self, place: usize, stream: &mut Stream) {
        let key = key(stream);
        let (live, opening) = if stream.bernoulli(0.5) {
            let (session, opening) = mall::Session::start(Arc::clone(&self.mall), &key);
            (Live::Mall(Box::new(session)), opening)
        } else {
            let (session, opening) =
                Session::start(Arc::clone(&self.mini), &key, Limits::default()).unwrap();
            (Live::Mini(session), opening)
        };
        if place < self.live.len() {
            self.live[place] = live;
            self.read[place] = opening;
        } else {
            self.live.push(live);
            self.read.push(opening);
        }
    }
}
