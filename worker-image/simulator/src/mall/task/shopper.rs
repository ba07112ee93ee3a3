//! A shopper by rules: answers what is asked and only that, says what is wrong with a proposal without saying what is
//! wanted instead, and refuses a purchase that is wrong in something the agent never asked about.

use super::Goal;
use super::persona::Persona;
use super::wording::{Part, Speech, Wording};
use crate::mall::Mall;
use crate::mall::catalog::{Catalog, Fact};
use crate::mall::storefront::Visit;
use crate::mall::voice::{Remark, Tone};
use std::collections::BTreeSet;

/// What can be asked about, besides single axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Attributes,
    Brand,
    Options,
    Budget,
}

/// The names of the topics.
pub(in crate::mall) const TOPIC_NAMES: [&str; 4] = ["属性", "品牌", "规格", "预算"];

const TOPICS: [(Topic, &str); 4] = [
    (Topic::Attributes, TOPIC_NAMES[0]),
    (Topic::Brand, TOPIC_NAMES[1]),
    (Topic::Options, TOPIC_NAMES[2]),
    (Topic::Budget, TOPIC_NAMES[3]),
];

/// A shopper with a wish.
#[derive(Clone, Debug)]
pub(in crate::mall) struct Shopper {
    goal: Goal,
    implied: Option<Implied>,
    wording: Wording,
    asked: Vec<Topic>,
    /// Names of single axes that were asked about.
    asked_axes: Vec<String>,
}

/// What the file tells and the shopper does not.
#[derive(Clone, Debug)]
struct Implied {
    fact: Vec<Fact>,
    brand: bool,
}

impl Shopper {
    pub(super) fn new(goal: &Goal, persona: Option<&Persona>, wording: Wording) -> Self {
        let implied = persona.map(|persona| Implied {
            fact: goal.facts.iter().copied().filter(|&fact| persona.implies(fact)).collect(),
            brand: persona.implies_brand(),
        });
        Self { goal: goal.clone(), implied, wording, asked: Vec::new(), asked_axes: Vec::new() }
    }

    /// What the thing is that is wanted.
    pub(in crate::mall) fn leaf(&self) -> u32 {
        self.goal.leaf
    }

    /// The answer to a question about a topic or an axis; `None` if it is neither.
    pub(in crate::mall) fn answer(&mut self, catalog: &Catalog, topic: &str) -> Option<Remark> {
        if let Some(&(topic, _)) = TOPICS.iter().find(|(_, name)| *name == topic) {
            if !self.asked.contains(&topic) {
                self.asked.push(topic);
            }
            return Some(self.tells(catalog, self.about(catalog, topic)));
        }
        let known = axes(catalog, self.goal.leaf).contains(topic);
        known.then(|| {
            if !self.asked_axes.iter().any(|axis| axis == topic) {
                self.asked_axes.push(topic.to_owned());
            }
            self.tells(catalog, self.about_axis(catalog, topic))
        })
    }

    /// The answer to a question in free words: about every topic and axis that it names, in the order of both lists.
    pub(in crate::mall) fn answer_freely(&mut self, catalog: &Catalog, question: &str) -> Remark {
        let leaf = axes(catalog, self.goal.leaf);
        let named = TOPIC_NAMES.into_iter().chain(leaf).filter(|name| question.contains(name));
        let named: Vec<String> = named.map(str::to_owned).collect();
        let mut words = String::new();
        for name in named {
            if let Some(remark) =
                self.answer(catalog, &name).filter(|it| !words.contains(&it.words))
            {
                words.push_str(&remark.words);
            }
        }
        if words.is_empty() {
            words.push_str("想问哪方面？属性、品牌、规格、预算都可以问。");
        }
        self.tells(catalog, words)
    }

    fn tells(&self, catalog: &Catalog, words: String) -> Remark {
        let habit = words.contains(self.speech(catalog).habit());
        Remark { tone: Tone::Tells, words, habit }
    }

    fn about(&self, catalog: &Catalog, topic: Topic) -> String {
        let speech = self.speech(catalog);
        let implied = self.implied.as_ref();
        let (said, habit) = match topic {
            Topic::Attributes => {
                let said = self.facts_said(catalog);
                (said, implied.is_some_and(|it| !it.fact.is_empty()))
            }
            Topic::Brand => {
                let habit = implied.is_some_and(|it| it.brand);
                (speech.part(Part::Brand).filter(|_| !habit), habit)
            }
            Topic::Options => (speech.part(Part::Options), false),
            Topic::Budget => (speech.part(Part::Budget), false),
        };
        let habit = habit.then(|| speech.habit().to_owned());
        let words: Vec<String> = said.into_iter().chain(habit).collect();
        if words.is_empty() { "没有要求。".to_owned() } else { words.join("，") + "。" }
    }

    fn facts_said(&self, catalog: &Catalog) -> Option<String> {
        let implied = |fact: &Fact| self.implied.as_ref().is_some_and(|it| it.fact.contains(fact));
        let spoken: Vec<&str> = self
            .goal
            .facts
            .iter()
            .filter(|fact| !implied(fact))
            .map(|fact| catalog.word(fact.value))
            .collect();
        (!spoken.is_empty()).then(|| ["要", &spoken.join("、")].concat())
    }

    fn about_axis(&self, catalog: &Catalog, axis: &str) -> String {
        let of_axis = |fact: &&Fact| catalog.word(fact.axis) == axis;
        let implied = self.implied.as_ref().map(|it| it.fact.as_slice()).unwrap_or_default();
        if implied.iter().any(|fact| of_axis(&fact)) {
            return [self.speech(catalog).habit(), "。"].concat();
        }
        let wanted = self.goal.facts.iter().chain(&self.goal.options).filter(of_axis);
        let words: Vec<&str> = wanted.map(|fact| catalog.word(fact.value)).collect();
        if words.is_empty() {
            "没有要求。".to_owned()
        } else {
            ["要", &words.join("、"), "。"].concat()
        }
    }

    fn speech<'a>(&'a self, catalog: &'a Catalog) -> Speech<'a> {
        Speech { catalog, goal: &self.goal, persona: None, wording: self.wording }
    }

    /// What the shopper says to a proposal: which topics are wrong, never what would be right.
    pub(in crate::mall) fn opinion(&self, mall: &Mall, visit: &Visit) -> Remark {
        if mall.catalog.at(visit.product).leaf() != self.goal.leaf {
            return objects("我要的不是这个东西。".to_owned());
        }
        let wrong = self.wrong(mall, visit);
        let names: Vec<&str> = TOPICS
            .iter()
            .filter(|(it, _)| wrong.iter().any(|(topic, _)| topic == it))
            .map(|it| it.1)
            .collect();
        if names.is_empty() {
            Remark { tone: Tone::Agrees, words: "可以，就这个。".to_owned(), habit: false }
        } else {
            objects(format!("不合适，{}不对。", names.join("、")))
        }
    }

    /// Why the shopper does not let the agent buy: something is wrong that was never asked about.
    pub(in crate::mall) fn objection(&self, mall: &Mall, visit: &Visit) -> Option<Remark> {
        let wrong = self.wrong(mall, visit);
        if !wrong.iter().any(|(topic, fact)| !self.was_asked(&mall.catalog, *topic, *fact)) {
            return None;
        }
        let open = TOPICS.iter().filter(|(topic, _)| !self.asked.contains(topic));
        let names: Vec<&str> = open.map(|(_, name)| *name).collect();
        Some(objects(format!("先别买，信息还不完整，还没问：{}。", names.join("、"))))
    }

    fn was_asked(&self, catalog: &Catalog, topic: Topic, fact: Option<Fact>) -> bool {
        let by_axis =
            |fact: Fact| self.asked_axes.iter().any(|axis| axis == catalog.word(fact.axis));
        self.asked.contains(&topic) || fact.is_some_and(by_axis)
    }

    /// What is wrong with buying `visit` as it is chosen. The thing itself was said at the beginning.
    fn wrong(&self, mall: &Mall, visit: &Visit) -> Vec<(Topic, Option<Fact>)> {
        let product = mall.catalog.at(visit.product);
        let chosen = product.chosen(&visit.selection);
        let mut wrong = Vec::new();
        let missing = self.goal.facts.iter().filter(|&&fact| !product.has_fact(fact));
        wrong.extend(missing.map(|&fact| (Topic::Attributes, Some(fact))));
        if self.goal.brand.is_some_and(|brand| product.brand_id() != brand) {
            wrong.push((Topic::Brand, None));
        }
        let missing = self.goal.options.iter().filter(|option| !chosen.contains(option));
        wrong.extend(missing.map(|&option| (Topic::Options, Some(option))));
        if visit.price(mall) > self.goal.budget_fen() {
            wrong.push((Topic::Budget, None));
        }
        wrong
    }
}

fn objects(words: String) -> Remark {
    Remark { tone: Tone::Objects, words, habit: false }
}

/// What things of a leaf differ in: attributes and options, by name.
fn axes(catalog: &Catalog, leaf: u32) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for product in catalog.in_leaf(leaf) {
        names.extend(product.attributes().map(|(axis, _)| axis));
        names.extend(product.options().map(|(axis, _)| axis));
    }
    names
}
