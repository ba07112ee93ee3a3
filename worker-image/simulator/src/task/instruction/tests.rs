use super::*;
use std::collections::BTreeSet;

fn leads(wording: &Wording) -> [Word; 6] {
    let Wording { want, attributes, brand, options, budget, .. } = *wording;
    [want, attributes, brand, options, budget.0, budget.1]
}

#[test]
fn held_out_templates_are_new_combinations_of_words_that_training_shows() {
    let known: BTreeSet<Word> = TRAIN.iter().flat_map(leads).collect();
    let trained: BTreeSet<[Word; 6]> = TRAIN.iter().map(leads).collect();
    for wording in &HELD_OUT {
        assert!(leads(wording).iter().all(|word| known.contains(word)));
        assert!(!trained.contains(&leads(wording)));
    }
}
