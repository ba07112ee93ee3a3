//! Words a goal by templates. A template is the order of the parts and a lead for each.

use shoprl_rl::seed::Stream;

use super::Goal;
use super::persona::Persona;
use crate::draw;
use crate::mall::catalog::{Catalog, Fact};
use crate::task::Split;

/// A part of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Facts,
    Brand,
    Options,
    Budget,
}

use Part::{Brand as B, Budget as P, Facts as F, Options as O};

/// A template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wording {
    order: [Part; 4],
    /// Before and after the product type.
    want: (&'static str, &'static str),
    facts: &'static str,
    /// Before and after the brand.
    brand: (&'static str, &'static str),
    options: &'static str,
    /// Before and after the amount.
    budget: (&'static str, &'static str),
    /// Refers to the recipient's habits.
    habit: &'static str,
}

#[rustfmt::skip]
const TRAIN: [Wording; 8] = [
    Wording { order: [F, B, O, P], want: ("想买", ""), facts: "要", brand: ("品牌要", ""), options: "选", budget: ("预算", "元以内"), habit: "其他照以往的喜好" },
    Wording { order: [F, O, B, P], want: ("帮我找", ""), facts: "最好是", brand: ("只认", "这个牌子"), options: "规格要", budget: ("不超过", "元"), habit: "其余按平时的习惯来" },
    Wording { order: [B, F, O, P], want: ("给我推荐一款", ""), facts: "得有", brand: ("", "的"), options: "我要", budget: ("价格在", "元以下"), habit: "没说的就照老样子" },
    Wording { order: [P, F, B, O], want: ("需要一个", ""), facts: "希望", brand: ("牌子是", ""), options: "拍", budget: ("最多花", "元"), habit: "剩下的你看记录就知道" },
    Wording { order: [O, F, P, B], want: ("打算入手", ""), facts: "必须", brand: ("买", "家的"), options: "款式是", budget: ("控制在", "元内"), habit: "其他照以往的喜好" },
    Wording { order: [F, P, O, B], want: ("看看", "有没有合适的"), facts: "看重", brand: ("想要", "牌"), options: "买", budget: ("", "元封顶"), habit: "其余按平时的习惯来" },
    Wording { order: [F, O, P, B], want: ("家里缺", ""), facts: "要求", brand: ("习惯用", ""), options: "就要", budget: ("", "元以内能接受"), habit: "没说的就照老样子" },
    Wording { order: [B, O, F, P], want: ("求一款", ""), facts: "需要", brand: ("认准", ""), options: "规格选", budget: ("预算上限", "元"), habit: "剩下的你看记录就知道" },
];

/// Orders and combinations that training never shows, with their own leads.
#[rustfmt::skip]
const HELD_OUT: [Wording; 4] = [
    Wording { order: [P, O, F, B], want: ("麻烦挑个", ""), facts: "一定要", brand: ("牌子定", ""), options: "具体是", budget: ("手头只有", "元"), habit: "别的依着从前的口味" },
    Wording { order: [B, P, F, O], want: ("想换一个", ""), facts: "讲究", brand: ("信得过", ""), options: "下单选", budget: ("超过", "元就算了"), habit: "没交代的参考过往" },
    Wording { order: [O, B, P, F], want: ("准备置办", ""), facts: "偏爱", brand: ("冲着", "去的"), options: "认定", budget: ("价钱别高过", "元"), habit: "别的依着从前的口味" },
    Wording { order: [P, B, O, F], want: ("急用", ""), facts: "少不了", brand: ("点名", ""), options: "锁定", budget: ("", "元是底线"), habit: "没交代的参考过往" },
];

impl Wording {
    pub(super) fn draw(split: Split, stream: &mut Stream) -> Self {
        match split {
            Split::Train => draw::pick(stream, &TRAIN),
            Split::HeldOut => draw::pick(stream, &HELD_OUT),
        }
    }
}

/// A goal to put into words.
pub(super) struct Speech<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) goal: &'a Goal,
    pub(super) persona: Option<&'a Persona>,
    pub(super) wording: Wording,
}

impl Speech<'_> {
    /// The instruction: everything that the file does not imply.
    pub(super) fn instruction(&self) -> String {
        let mut parts = vec![self.opening_words()];
        parts.extend(self.wording.order.into_iter().filter_map(|part| self.part(part)));
        if self.persona.is_some() {
            parts.push(self.wording.habit.to_owned());
        }
        parts.join("，") + "。"
    }

    /// The shopper's opening: the product type alone.
    pub(super) fn opening(&self) -> String {
        self.opening_words() + "。"
    }

    fn opening_words(&self) -> String {
        let (before, after) = self.wording.want;
        let leaf = self.catalog.word(self.catalog.path(self.goal.leaf)[2]);
        let person =
            self.persona.map(|persona| format!("给{}，", persona.person)).unwrap_or_default();
        [&person, before, leaf, after].concat()
    }

    /// A part in words; `None` if there is nothing to say.
    pub(super) fn part(&self, part: Part) -> Option<String> {
        let Wording { facts, brand, options, budget, .. } = self.wording;
        match part {
            F => self.listed(facts, &self.spoken_facts()),
            B => {
                let wanted = self.catalog.word(self.spoken_brand()?);
                Some([brand.0, wanted, brand.1].concat())
            }
            O => self.listed(options, &self.goal.options),
            P => Some(format!("{}{}{}", budget.0, self.goal.budget, budget.1)),
        }
    }

    /// The facts that the file does not imply.
    pub(super) fn spoken_facts(&self) -> Vec<Fact> {
        let implied = |fact| self.persona.is_some_and(|persona| persona.implies(fact));
        self.goal.facts.iter().copied().filter(|&fact| !implied(fact)).collect()
    }

    fn spoken_brand(&self) -> Option<u32> {
        self.goal.brand.filter(|_| !self.persona.is_some_and(Persona::implies_brand))
    }

    fn listed(&self, lead: &str, facts: &[Fact]) -> Option<String> {
        let words: Vec<&str> = facts.iter().map(|fact| self.catalog.word(fact.value)).collect();
        (!words.is_empty()).then(|| [lead, &words.join("、")].concat())
    }

    /// The phrase that refers to the recipient's habits.
    pub(super) fn habit(&self) -> &'static str {
        self.wording.habit
    }
}

/// The templates of both splits, for a test.
#[cfg(test)]
pub(in crate::mall) fn templates() -> (Vec<Wording>, Vec<Wording>) {
    (TRAIN.to_vec(), HELD_OUT.to_vec())
}

#[cfg(test)]
impl Wording {
    /// The order and the leads, which identify a template.
    pub(super) fn shape(&self) -> ([Part; 4], [&'static str; 8]) {
        let Self { order, want, facts, brand, options, budget, .. } = *self;
        (order, [want.0, want.1, facts, brand.0, brand.1, options, budget.0, budget.1])
    }
}
