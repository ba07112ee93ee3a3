//! Chinese segmentation by jieba with the lexicon as its only dictionary.

use std::sync::LazyLock;

use jieba_rs::Jieba;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::lexicon;

/// Equal for all words, so that a cut into fewer words always wins.
const FREQUENCY: usize = 1000;

static JIEBA: LazyLock<Jieba> = LazyLock::new(|| {
    let mut jieba = Jieba::empty();
    for word in lexicon::words() {
        jieba.add_word(word, Some(FREQUENCY), None);
    }
    jieba
});

/// The words of `text`, without punctuation and white space. Unknown words are cut into single characters; no hidden Markov
/// model guesses at them.
pub(crate) fn cut(text: &str) -> Vec<&str> {
    let tokens = JIEBA.cut(text, false);
    tokens
        .into_iter()
        .map(|token| token.word)
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .collect()
}

/// [`cut`] as a tantivy tokenizer.
#[derive(Clone, Default)]
pub(super) struct LexiconTokenizer;

impl Tokenizer for LexiconTokenizer {
    type TokenStream<'a> = Words;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words {
        let tokens = cut(text)
            .into_iter()
            .enumerate()
            .map(|(position, word)| {
                let offset_from = word.as_ptr() as usize - text.as_ptr() as usize;
                Token {
                    offset_from,
                    offset_to: offset_from + word.len(),
                    position,
                    text: word.to_owned(),
                    position_length: 1,
                }
            })
            .collect();
        Words { tokens, next: 0 }
    }
}

/// The tokens of one text.
pub(super) struct Words {
    tokens: Vec<Token>,
    next: usize,
}

impl TokenStream for Words {
    fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.tokens.len()
    }

    fn token(&self) -> &Token {
        &self.tokens[self.next - 1]
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokens[self.next - 1]
    }
}
