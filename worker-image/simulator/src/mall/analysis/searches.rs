//! Rules over searches and result pages.

use std::collections::{BTreeMap, BTreeSet};

use super::episode::{Episode, Moment};
use super::naming::named;
use super::{Fault, Finding};
use crate::mall::action::Action;
use crate::mall::query::Query;
use crate::session::End;

/// A search.
struct Search<'a> {
    action: usize,
    moment: &'a Moment,
    /// What determines the result list: the terms in any order, and the ceiling.
    key: (BTreeSet<&'a str>, Option<u32>),
    /// Words of the goal, the product type and the file that it names.
    named: BTreeSet<&'a str>,
}

/// The errors in searches, class by class.
pub(super) fn findings(episode: &Episode<'_>) -> Vec<Finding> {
    let known = known_words(episode);
    let words: Vec<&str> = known.goal.union(&known.file).copied().collect();
    let searches: Vec<Search<'_>> = episode
        .accepted()
        .filter_map(|(at, action, moment)| match action {
            Action::Search(query) => Some(search(episode, at, moment, query, &words)),
            _ => None,
        })
        .collect();
    let mut findings = dropped(episode, &searches);
    findings.extend(ignored(episode, &searches));
    findings.extend(overread(&searches, &known));
    findings.extend(repeated(episode, &searches));
    findings.extend(left(episode));
    findings
}

fn search<'a>(
    episode: &'a Episode<'_>,
    action: usize,
    moment: &'a Moment,
    query: &'a Query,
    words: &[&'a str],
) -> Search<'a> {
    let terms = episode.mall.segmenter.terms(&query.text).into_iter().collect();
    Search { action, moment, key: (terms, query.ceiling), named: named(&query.text, words) }
}

/// Words that a query may name.
struct Known<'a> {
    /// All names of the product type, and everything wanted.
    goal: BTreeSet<&'a str>,
    /// Values and brands in the file.
    file: BTreeSet<&'a str>,
}

fn known_words<'a>(episode: &'a Episode<'_>) -> Known<'a> {
    let goal = &episode.goal;
    let catalog = episode.mall.catalog();
    let facts = goal.facts.iter().chain(&goal.options).map(|fact| fact.value);
    let path = catalog.path(goal.leaf).into_iter();
    let wanted = facts.chain(goal.brand).chain(path).map(|id| catalog.word(id));
    let file = episode.file.records.iter().flat_map(|(_, record)| {
        let brand = ["关注店铺 ", "取消关注 "].iter().find_map(|lead| record.strip_prefix(lead));
        let values = record.split(' ').filter_map(|word| word.split_once(':'));
        brand.into_iter().chain(values.map(|(_, value)| value))
    });
    let goal = wanted.chain(catalog.aliases(goal.leaf)).collect();
    Known { goal, file: file.collect() }
}

/// Attributes and brand that were stated before a search and that this and all later searches omit.
fn dropped(episode: &Episode<'_>, searches: &[Search<'_>]) -> Vec<Finding> {
    let goal = &episode.goal;
    let mut dropped: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut judge = |value, words: String, stated: &dyn Fn(&Search<'_>) -> bool| {
        let mut since = searches.iter().filter(|search| stated(search)).peekable();
        let first = since.peek().map(|search| search.action);
        if let Some(first) = first.filter(|_| !since.any(|it| it.named.contains(value))) {
            dropped.entry(first).or_default().push(words);
        }
    };
    for fact in &goal.facts {
        let stated = |search: &Search<'_>| search.moment.stated.facts.contains(fact);
        judge(episode.word(fact.value), episode.name_of(*fact), &stated);
    }
    if let Some(brand) = goal.brand.map(|brand| episode.word(brand)) {
        judge(brand, format!("brand {brand}"), &|search| search.moment.stated.brand);
    }
    let finding = |(action, facts): (_, Vec<String>)| Finding {
        fault: Fault::SearchDropsFact,
        action,
        words: format!("no search names {}, stated before", facts.join(", ")),
    };
    dropped.into_iter().map(finding).collect()
}

/// The facts that the file implies and no search names.
fn ignored(episode: &Episode<'_>, searches: &[Search<'_>]) -> Option<Finding> {
    let brand = episode.goal.brand.filter(|_| episode.implied.brand);
    let implied = episode.implied.facts.iter().map(|fact| fact.value).chain(brand);
    let implied = implied.map(|id| episode.word(id));
    let unnamed = implied.filter(|word| !searches.iter().any(|it| it.named.contains(word)));
    let unnamed: Vec<&str> = unnamed.collect();
    let first = searches.first().filter(|_| !unnamed.is_empty())?;
    let words = format!("no search names {}, which the file implies", unnamed.join(", "));
    Some(Finding { fault: Fault::PersonaIgnored, action: first.action, words })
}

/// Searches for words of the file that are not wanted; each word once.
fn overread(searches: &[Search<'_>], known: &Known<'_>) -> Vec<Finding> {
    let mut reported = BTreeSet::new();
    let mut findings = Vec::new();
    for search in searches {
        let unfounded = search.named.difference(&known.goal).filter(|word| reported.insert(**word));
        let unfounded: Vec<&str> = unfounded.copied().collect();
        if !unfounded.is_empty() {
            let words = unfounded.join(", ");
            findings.push(Finding {
                fault: Fault::PersonaOverread,
                action: search.action,
                words: format!(
                    "searches for {words}, which the file mentions and the goal does not"
                ),
            });
        }
    }
    findings
}

/// Useless repetitions of earlier searches. Searching again is the only way back to the first page or to another list, so a
/// repetition is no error if it leads to something new.
fn repeated(episode: &Episode<'_>, searches: &[Search<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, search) in searches.iter().enumerate() {
        let earlier = &searches[..number];
        if !earlier.iter().any(|it| it.key == search.key) {
            continue;
        }
        let on_show = earlier.last().is_some_and(|it| it.key == search.key)
            && search.moment.before.page() == Some(0);
        let next = searches.get(number + 1).map_or(episode.moments.len(), |next| next.action);
        let words = if on_show {
            "repeats the search whose results are shown"
        } else if !is_new(episode, searches, search.action + 1..next) {
            "repeats an earlier search, and nothing new comes of it"
        } else {
            continue;
        };
        let words = words.to_owned();
        findings.push(Finding { fault: Fault::SearchRepeats, action: search.action, words });
    }
    findings
}

/// Whether one of the actions in `span` opens a product or a result page for the first time, or buys.
fn is_new(episode: &Episode<'_>, searches: &[Search<'_>], span: std::ops::Range<usize>) -> bool {
    let page = |at: usize| {
        let list = searches.iter().rfind(|search| search.action < at).map(|search| &search.key);
        (list, episode.moments[at].after.page())
    };
    episode.accepted().filter(|(at, ..)| span.contains(at)).any(|(at, action, _)| match action {
        Action::Open(_) => {
            let product = episode.opened(at);
            !(0..at).any(|before| episode.opened(before) == product)
        }
        Action::NextPage => {
            let shown = page(at);
            let mut before = episode.accepted().take_while(|(it, ..)| *it < at);
            !before.any(|(it, action, _)| *action == Action::NextPage && page(it) == shown)
        }
        Action::Buy => true,
        _ => false,
    })
}

/// Products that meet the goal, were shown on a page, and were never opened.
fn left(episode: &Episode<'_>) -> Vec<Finding> {
    let catalog = episode.mall.catalog();
    let meets = |id: u32| episode.goal.is_met_by(&catalog.at(id));
    let last = episode.moments.last();
    let bought = last.and_then(|it| it.after.visit()).filter(|_| episode.end == Some(End::Bought));
    if bought.is_some_and(|visit| meets(visit.product)) {
        return Vec::new();
    }
    // A product opened at any time, before or after, was not left.
    let mut handled: BTreeSet<u32> =
        (0..episode.moments.len()).filter_map(|at| episode.opened(at)).collect();
    let mut findings = Vec::new();
    for (at, moment) in episode.moments.iter().enumerate() {
        let ends = at + 1 == episode.moments.len()
            && matches!(episode.end, Some(End::Declined | End::TurnLimit));
        let rows = moment.before.rows().iter();
        let gone = rows.filter(|id| ends || !moment.after.rows().contains(id));
        let matches: Vec<u32> =
            gone.copied().filter(|id| meets(*id) && !handled.contains(id)).collect();
        if matches.is_empty() {
            continue;
        }
        let titles: Vec<&str> = matches.iter().map(|id| catalog.at(*id).title()).collect();
        findings.push(Finding {
            fault: Fault::SearchLeavesMatch,
            action: at,
            words: format!("leaves a page with {}, never opened", titles.join(", ")),
        });
        handled.extend(matches);
    }
    findings
}
