//! How each habit is broken.

use shoprl_rl::seed::{Purpose, Stream};

use super::Play;
use crate::agent::Actor;
use crate::mall::agent::expert;
use crate::mall::agent::reading::{Item, Observation, Opening, Page, Row};
use crate::mall::analysis::Fault;
use crate::mall::catalog::Catalog;
use crate::mall::task::{Goal, Implied};
use crate::mall::vocabulary::{Leaf, vocabulary};
use crate::task::TaskKey;

/// The answer that replaces a question that was suppressed.
const NOTHING_WANTED: &str = "顾客 没有要求。\n剩余40轮";
const OPTIONS: &str = "询问规格";
const BUY: &str = "购买";

/// One error to make.
pub(super) struct Slip {
    fault: Fault,
    goal: Goal,
    implied: Implied,
    /// Which of two variants of the error to make.
    other_way: bool,
    /// Random number that selects what is dropped.
    pick: u64,
    has_shopper: bool,
    has_persona: bool,
    /// What the expert reads next instead of the shop's answer.
    instead: Option<String>,
    /// A reader of the unaltered file, and the action that it wants now, for comparison.
    careful: Option<(Box<dyn Actor>, String)>,
    searched: bool,
}

impl Slip {
    pub(super) fn new(fault: Fault, key: &TaskKey, goal: Goal, implied: Implied) -> Self {
        let purpose = [fault as u64, key.scenario as u64, key.split as u64];
        let mut stream = Stream::new(key.seed, Purpose::Fault, &purpose);
        Self {
            fault,
            goal,
            implied,
            other_way: stream.bernoulli(0.5),
            pick: stream.below(1 << 16),
            has_shopper: key.scenario.has_shopper(),
            has_persona: key.scenario.has_persona(),
            instead: None,
            careful: (fault == Fault::PersonaOverread).then(|| (expert(), String::new())),
            searched: false,
        }
    }

    /// The observation that the expert reads.
    pub(super) fn shows(&mut self, play: &Play<'_>) -> String {
        if let Some(text) = self.instead.take() {
            return text;
        }
        let text = &play.observation;
        if let Some((careful, wants)) = self.careful.as_mut().filter(|_| !self.searched) {
            *wants = careful.act(text);
        }
        let first = play.actions.is_empty();
        match self.fault {
            Fault::PersonaIgnored if first && self.has_persona => without_records(text),
            Fault::PersonaOverread if first && self.has_persona => {
                self.overread(text, play.mall.catalog())
            }
            Fault::SearchLeavesMatch if text.starts_with("结果") => self.without_matches(play),
            _ => text.clone(),
        }
    }

    /// Plays the expert's action, or another one in its place.
    pub(super) fn acts(&mut self, play: &mut Play<'_>, action: &str) {
        let is_search = action.starts_with("搜索");
        let first_search = is_search && !std::mem::replace(&mut self.searched, is_search);
        match self.fault {
            Fault::SearchDropsFact if is_search => self.search_less(play, action),
            Fault::SearchLeavesMatch => self.leave(play, action),
            Fault::SearchRepeats if first_search => self.repeat(play, action),
            Fault::ClickBreaksConstraint => self.click(play, action, first_search),
            Fault::BuysUnverified => self.buy_blindly(play, action),
            Fault::BuysAfterRefusal if self.has_shopper && self.other_way => {
                self.buy_again(play, action);
            }
            Fault::BuysAfterRefusal if self.has_shopper => self.buy_the_refused(play, action),
            Fault::PersonaIgnored if first_search && self.has_persona => play.err(action),
            Fault::PersonaOverread if first_search && self.has_persona => {
                if self.careful.as_ref().is_some_and(|(_, wants)| adds_words(action, wants)) {
                    play.err(action);
                } else {
                    play.act(action);
                }
            }
            _ => play.act(action),
        }
    }

    /// Drops one fact or the brand from every search.
    fn search_less(&self, play: &mut Play<'_>, action: &str) {
        let catalog = play.mall.catalog();
        let said = self.goal.facts.iter().filter(|fact| !self.implied.facts.contains(fact));
        let brand = self.goal.brand.filter(|_| !self.implied.brand);
        let said: Vec<&str> =
            said.map(|fact| fact.value).chain(brand).map(|id| catalog.word(id)).collect();
        let Some(&dropped) = said.get(self.pick as usize % said.len().max(1)) else {
            play.act(action);
            return;
        };
        let words: Vec<&str> = action.split(' ').filter(|word| *word != dropped).collect();
        play.err(&words.join(" "));
    }

    /// The page without the rows of products that meet the goal.
    fn without_matches(&self, play: &Play<'_>) -> String {
        let rows = play.session.storefront().rows();
        let hidden = |line: &str| {
            let number = line.strip_prefix('#').and_then(|line| line.split(' ').next());
            let row: Option<usize> = number.and_then(|number| number.parse().ok());
            let id = row.and_then(|row| rows.get(row.checked_sub(1)?));
            id.is_some_and(|id| self.goal.is_met_by(&play.mall.catalog().at(*id)))
        };
        let lines: Vec<&str> = play.observation.lines().filter(|line| !hidden(line)).collect();
        lines.join("\n")
    }

    /// The expert does not see a match. The first action after which it is no longer shown is the error.
    fn leave(&self, play: &mut Play<'_>, action: &str) {
        let mall = play.mall;
        let shown = play.session.storefront().rows().to_vec();
        let matches = shown.iter().filter(|id| self.goal.is_met_by(&mall.catalog().at(**id)));
        let at = play.actions.len();
        play.act(action);
        let after = play.session.storefront().rows();
        let left = |id: &u32| play.is_over() || !after.contains(id);
        if play.slip.is_none() && matches.copied().any(|id| left(&id)) {
            play.slip = Some(at);
        }
    }

    /// Repeats the search immediately, or alternates between two searches.
    fn repeat(&self, play: &mut Play<'_>, action: &str) {
        play.act(action);
        if self.other_way {
            let broader = action.split(' ').next().unwrap_or(action).to_owned();
            play.act(&broader);
            play.err(action);
            play.act(&broader);
            play.act(action);
        } else {
            play.err(action);
        }
    }

    /// Opens a row or chooses an option that contradicts a stated fact.
    fn click(&self, play: &mut Play<'_>, action: &str, first_search: bool) {
        if first_search && !self.other_way && self.pick.is_multiple_of(3) {
            // Without a ceiling there are rows above the budget.
            let words: Vec<&str> =
                action.split(' ').filter(|word| !word.starts_with('¥')).collect();
            play.act(&words.join(" "));
            return;
        }
        if play.slip.is_none() && self.other_way && action.starts_with("选择") {
            self.choose_another(play, action);
        } else if play.slip.is_none() && !self.other_way && action.starts_with("打开") {
            let contradicting = self.contradicting_row(play);
            if let Some(number) = contradicting {
                play.err(&format!("打开#{number}"));
            }
        }
        play.act(action);
    }

    fn choose_another(&self, play: &mut Play<'_>, action: &str) {
        let wanted = action.trim_start_matches("选择");
        let others = play.session.storefront().visit().and_then(|visit| {
            let product = play.mall.catalog().product(visit.product)?;
            let mut axes = product.options();
            let (_, values) = axes.find(|(_, values)| values.contains(&wanted))?;
            Some(values.into_iter().filter(|it| *it != wanted).map(str::to_owned).collect())
        });
        let others: Vec<String> = others.unwrap_or_default();
        if let Some(other) = others.get(self.pick as usize % others.len().max(1)) {
            let at = play.actions.len();
            play.act(&["选择", other].concat());
            // A sold-out value is refused, so nothing was chosen.
            play.slip = (!play.observation.starts_with("无效")).then_some(at);
        }
    }

    /// A row of another brand, above the budget, or with another value of a single-valued axis.
    fn contradicting_row(&self, play: &Play<'_>) -> Option<usize> {
        let Page::Results(results) = Observation::read(&play.observation).page else {
            return None;
        };
        let catalog = play.mall.catalog();
        let leaf = vocabulary().leaves.get(self.goal.leaf as usize)?;
        let brand = self.goal.brand.filter(|_| !self.implied.brand).map(|it| catalog.word(it));
        let facts = self.goal.facts.iter().filter(|fact| !self.implied.facts.contains(fact));
        let facts: Vec<&str> = facts.map(|fact| catalog.word(fact.value)).collect();
        let contradicts = |row: &&Row| {
            brand.is_some_and(|brand| brand != row.brand)
                || row.fen > self.goal.budget_fen()
                || facts.iter().any(|fact| row.tags.iter().any(|tag| excludes(leaf, tag, fact)))
        };
        let rows: Vec<&Row> = results.rows.iter().filter(contradicts).collect();
        rows.get(self.pick as usize % rows.len().max(1)).map(|row| row.number)
    }

    /// Buys the first product that the expert would leave because of a stated fact.
    fn buy_blindly(&self, play: &mut Play<'_>, action: &str) {
        if play.slip.is_none() && self.rejects(play, action) && self.page_contradicts(play) {
            self.choose_all(play);
            play.err(BUY);
        } else {
            play.act(action);
        }
    }

    /// Proposes a product that the expert would leave, and buys it after the shopper has refused it.
    fn buy_the_refused(&self, play: &mut Play<'_>, action: &str) {
        if play.slip.is_some() || !self.rejects(play, action) {
            play.act(action);
            return;
        }
        self.choose_all(play);
        play.act("推荐");
        let refused = ["顾客 不合适", "顾客 我要的不是"];
        if refused.iter().any(|words| play.observation.starts_with(words)) {
            play.err(BUY);
        }
    }

    /// Does not ask about the options, tries to buy, is stopped by the shopper, and buys again.
    fn buy_again(&mut self, play: &mut Play<'_>, action: &str) {
        if action == OPTIONS && play.slip.is_none() {
            self.instead = Some(NOTHING_WANTED.to_owned());
            return;
        }
        play.act(action);
        if action == BUY && play.slip.is_none() && play.observation.starts_with("顾客 先别买")
        {
            play.err(BUY);
            play.act(OPTIONS);
        }
    }

    /// Whether the expert leaves the product page that it has just read.
    fn rejects(&self, play: &Play<'_>, action: &str) -> bool {
        let goes_on = !action.starts_with("选择") && action != BUY;
        goes_on && play.observation.starts_with("商品") && self.searched
    }

    /// Whether the page contradicts a stated fact.
    fn page_contradicts(&self, play: &Play<'_>) -> bool {
        let catalog = play.mall.catalog();
        let Page::Item(item) = Observation::read(&play.observation).page else {
            return false;
        };
        let word = |id| catalog.word(id);
        let said = self.goal.facts.iter().filter(|fact| !self.implied.facts.contains(fact));
        let has = |list: &Item, value: &str| list.facts.iter().any(|(_, it)| it == value);
        let offers =
            |value: &str| item.options.iter().any(|(_, it)| it.iter().any(|it| it == value));
        let mut said = said.map(|fact| word(fact.value));
        let brand = self.goal.brand.filter(|_| !self.implied.brand);
        said.any(|value| !has(&item, value))
            || brand.is_some_and(|brand| word(brand) != item.brand)
            || self.goal.options.iter().any(|option| !offers(word(option.value)))
            || item.fen > self.goal.budget_fen()
            || word(catalog.path(self.goal.leaf)[2]) != item.leaf
    }

    /// Chooses the wanted options that the product offers.
    fn choose_all(&self, play: &mut Play<'_>) {
        for option in &self.goal.options {
            let value = play.mall.catalog().word(option.value).to_owned();
            let offered = play.session.storefront().visit().is_some_and(|visit| {
                play.mall.catalog().at(visit.product).find_option(&value).is_some()
            });
            if offered {
                play.act(&["选择", &value].concat());
            }
        }
    }

    /// The file without the recipient's returns, or with an order of another category attributed to the wanted product type.
    fn overread(&self, text: &str, catalog: &Catalog) -> String {
        let opening = Opening::read(text);
        let said = |relation: &str| opening.text.contains(&format!("给{relation}，"));
        let person = opening.family.iter().find(|(relation, _)| said(relation));
        let Some((_, person)) = person else {
            return text.to_owned();
        };
        let leaf = catalog.word(catalog.path(self.goal.leaf)[2]);
        let near = |name: &str| {
            let parent = catalog.path(self.goal.leaf)[1];
            let mut leaves = (0..catalog.leaves() as u32).map(|leaf| catalog.path(leaf));
            leaves.any(|path| path[1] == parent && catalog.word(path[2]) == name)
        };
        let order = [person, " 订单 "].concat();
        let lines = text.lines().filter_map(|line| {
            let Some(rest) = line.strip_prefix(&order) else {
                return Some(line.to_owned());
            };
            let (bought, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            if self.other_way {
                let rest = rest.replace("退货", "留用");
                let line =
                    if near(bought) { line.to_owned() } else { format!("{order}{leaf} {rest}") };
                return Some(line);
            }
            (!(near(bought) && rest.ends_with("退货"))).then(|| line.to_owned())
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Whether `query` has a word that `careful` lacks.
fn adds_words(query: &str, careful: &str) -> bool {
    query.split(' ').any(|word| !careful.split(' ').any(|it| it == word))
}

fn without_records(text: &str) -> String {
    let record = |line: &&str| {
        ["订单", "关注店铺", "取消关注"].iter().any(|verb| line.split(' ').nth(1) == Some(verb))
    };
    text.lines().filter(|line| !record(line)).collect::<Vec<_>>().join("\n")
}

/// Whether `tag` excludes `fact`: another value of a single-valued axis.
fn excludes(leaf: &Leaf, tag: &str, fact: &str) -> bool {
    let has = |values: &[&str], word: &str| values.contains(&word);
    let mut axes = leaf.axes.iter().filter(|axis| !axis.several);
    tag != fact && axes.any(|axis| has(&axis.values, tag) && has(&axis.values, fact))
}
