//! A rule-based shopper. It answers only the question asked, names the wrong topics of a proposal without the right values,
//! and refuses a purchase that is wrong in something that the agent never asked about.

use super::Goal;
use super::persona::Implied;
use super::topic::{TOPICS, Topic, axes, named_in};
use super::wording::{Part, Speech, Wording};
use crate::mall::Mall;
use crate::mall::catalog::{Catalog, Fact};
use crate::mall::storefront::Visit;
use crate::mall::voice::{Remark, Tone};

/// A shopper with a goal.
#[derive(Clone, Debug)]
pub(in crate::mall) struct Shopper {
    goal: Goal,
    implied: Option<Implied>,
    wording: Wording,
    asked: Vec<Topic>,
    /// Names of single axes that were asked about.
    asked_axes: Vec<String>,
}

impl Shopper {
    pub(super) fn new(goal: &Goal, implied: Option<Implied>, wording: Wording) -> Self {
        Self { goal: goal.clone(), implied, wording, asked: Vec::new(), asked_axes: Vec::new() }
    }

    /// The leaf of the wanted product.
    pub(in crate::mall) fn leaf(&self) -> u32 {
        self.goal.leaf
    }

    /// The answer to a question about a topic or an axis; `None` for anything else.
    pub(in crate::mall) fn answer(&mut self, catalog: &Catalog, topic: &str) -> Option<Remark> {
        if let Some(topic) = Topic::named(topic) {
            if !self.asked.contains(&topic) {
                self.asked.push(topic);
            }
            return Some(self.reply(catalog, self.about(catalog, topic)));
        }
        let known = axes(catalog, self.goal.leaf).contains(topic);
        known.then(|| {
            if !self.asked_axes.iter().any(|axis| axis == topic) {
                self.asked_axes.push(topic.to_owned());
            }
            self.reply(catalog, self.about_axis(catalog, topic))
        })
    }

    /// The answer to a question in free words: about each topic and axis that it names, topics first.
    pub(in crate::mall) fn answer_freely(&mut self, catalog: &Catalog, question: &str) -> Remark {
        let mut words = String::new();
        for name in named_in(question, catalog, self.goal.leaf) {
            if let Some(remark) = self.answer(catalog, name).filter(|it| !words.contains(&it.words))
            {
                words.push_str(&remark.words);
            }
        }
        if words.is_empty() {
            words.push_str("想问哪方面？属性、品牌、规格、预算都可以问。");
        }
        self.reply(catalog, words)
    }

    fn reply(&self, catalog: &Catalog, words: String) -> Remark {
        let habit = words.contains(self.speech(catalog).habit());
        Remark { tone: Tone::Answers, words, habit }
    }

    fn about(&self, catalog: &Catalog, topic: Topic) -> String {
        let speech = self.speech(catalog);
        let implied = self.implied.as_ref();
        let (said, habit) = match topic {
            Topic::Attributes => {
                let said = self.facts_said(catalog);
                (said, implied.is_some_and(|it| !it.facts.is_empty()))
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
        let implied = |fact: &Fact| self.implied.as_ref().is_some_and(|it| it.facts.contains(fact));
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
        let implied = self.implied.as_ref().map(|it| it.facts.as_slice()).unwrap_or_default();
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

    /// The shopper's opinion of a proposal: the topics that are wrong, never the right values.
    pub(in crate::mall) fn opinion(&self, mall: &Mall, visit: &Visit) -> Remark {
        if mall.catalog.at(visit.product).leaf() != self.goal.leaf {
            return objects("我要的不是这个东西。".to_owned());
        }
        let lacks = self.goal.lacks_of(mall, visit);
        let names: Vec<&str> = TOPICS
            .iter()
            .filter(|(topic, _)| lacks.iter().any(|lack| lack.topic == *topic))
            .map(|(_, name)| *name)
            .collect();
        if names.is_empty() {
            Remark { tone: Tone::Agrees, words: "可以，就这个。".to_owned(), habit: false }
        } else {
            objects(format!("不合适，{}不对。", names.join("、")))
        }
    }

    /// Why the shopper stops a purchase: something is wrong that was never asked about.
    pub(in crate::mall) fn objection(&self, mall: &Mall, visit: &Visit) -> Option<Remark> {
        let lacks = self.goal.lacks_of(mall, visit);
        if lacks.iter().all(|lack| self.was_asked(&mall.catalog, lack.topic, lack.fact)) {
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
}

fn objects(words: String) -> Remark {
    Remark { tone: Tone::Objects, words, habit: false }
}
