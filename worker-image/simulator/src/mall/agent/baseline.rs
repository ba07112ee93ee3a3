//! Baseline agents: search once and buy the first result, and random actions.

use shoprl_rl::seed::{Purpose, Stream};

use super::reading::{Item, Observation, Opening, Page};
use super::request::Request;
use crate::agent::Actor;

/// Searches for the words that it read, opens the first result, chooses the options mentioned, buys.
#[derive(Default)]
pub(super) struct SearchFirst {
    request: Option<Request>,
    open: Option<Vec<String>>,
}

impl Actor for SearchFirst {
    fn act(&mut self, observation: &str) -> String {
        let Some(request) = &self.request else {
            // It uses what is stated and infers nothing from the file.
            let opening = Opening { records: Vec::new(), ..Opening::read(observation) };
            let request = self.request.insert(Request::default());
            request.open(&opening);
            return ["搜索", &request.words()].concat();
        };
        match Observation::read(observation).page {
            Page::Results(results) if results.rows.is_empty() => "没有合适".to_owned(),
            Page::Results(_) => "打开#1".to_owned(),
            // The shopper objected: give up.
            Page::Spoken(_) => "没有合适".to_owned(),
            page => {
                if let Page::Item(item) = page {
                    let offered =
                        |word: &&String| item.options.iter().any(|(_, it)| it.contains(word));
                    self.open = Some(request.options.iter().filter(offered).cloned().collect());
                }
                match self.open.as_mut().and_then(Vec::pop) {
                    Some(option) => ["选择", &option].concat(),
                    None => "购买".to_owned(),
                }
            }
        }
    }
}

/// Chooses uniformly among the actions that look possible.
pub(super) struct Random {
    stream: Stream,
    query: Option<String>,
    shopper: bool,
    rows: usize,
    item: Option<Item>,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let stream = Stream::new(seed, Purpose::Actor, &[]);
        Self { stream, query: None, shopper: false, rows: 0, item: None }
    }

    fn possible(&self) -> Vec<String> {
        let mut actions = vec![["搜索", self.query.as_deref().unwrap_or("商品")].concat()];
        if self.rows > 0 {
            actions.push("翻页".to_owned());
            actions.extend((1..=self.rows).map(|row| format!("打开#{row}")));
        }
        if self.shopper {
            let topics = ["询问属性", "询问品牌", "询问规格", "询问预算"];
            actions.extend(topics.map(str::to_owned));
        }
        if let Some(item) = &self.item {
            let values = item.options.iter().flat_map(|(_, values)| values);
            actions.extend(values.map(|value| ["选择", value].concat()));
            actions.extend(["详情", "返回", "购买"].map(str::to_owned));
        }
        actions
    }
}

impl Actor for Random {
    fn act(&mut self, observation: &str) -> String {
        if self.query.is_none() {
            let opening = Opening::read(observation);
            let mut request = Request::default();
            request.open(&opening);
            self.shopper = opening.shopper;
            self.query = Some(request.leaf.map_or("商品", |leaf| leaf.name).to_owned());
        }
        match Observation::read(observation).page {
            Page::Results(results) => {
                self.rows = results.rows.len();
                self.item = None;
            }
            Page::Item(item) => self.item = Some(item),
            _ => {}
        }
        let mut actions = self.possible();
        let choice = self.stream.below(actions.len() as u64) as usize;
        actions.swap_remove(choice)
    }
}
