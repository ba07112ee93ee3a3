//! The committed tokenizer equals the one built from the shop's lexicon.
//! `UPDATE_EXPECT=1 cargo test --release -p shoprl-worker --test it tokenizer` rewrites it.

use expect_test::expect_file;

#[test]
fn the_committed_tokenizer_has_every_word_of_the_lexicon() {
    let json = shoprl_model::tokenizer::build(&shoprl_simulator::lexicon())
        .expect("the lexicon makes a tokenizer");
    expect_file!["../../../model/tokenizer.json"].assert_eq(&json);
}
