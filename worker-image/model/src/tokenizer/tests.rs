use proptest::prelude::*;

use super::*;

/// Words that are prefixes of each other, overlap, look like bytes of the GPT-2 alphabet or are single characters.
const WORDS: &[&str] = &[
    "搜索",
    "打开",
    "红",
    "红色",
    "红色运动鞋",
    "运动",
    "运动鞋",
    "鞋柜",
    "色",
    "¥",
    "¥50",
    "¥500",
    "#1",
    "#10",
    "…",
    "×",
    "é",
    "a",
    "ab",
    "abc",
    "bcd",
    " ",
    "\n",
    "。第",
    "回合",
    "Ġ",
];

fn tokenizer() -> Tokenizer {
    let words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    Tokenizer::from_json(&build(&words).unwrap()).unwrap()
}

/// The documented rule: at every position the longest word that starts there, else one byte.
fn cut(text: &str) -> Vec<u32> {
    let (mut at, mut tokens) = (0, Vec::new());
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        let fits = |number: &usize| rest.starts_with(WORDS[*number].as_bytes());
        match (0..WORDS.len()).filter(fits).max_by_key(|&number| WORDS[number].len()) {
            Some(number) => (tokens.push(259 + number as u32), at += WORDS[number].len()),
            None => (tokens.push(u32::from(rest[0])), at += 1),
        };
    }
    tokens
}

/// Text made of words, parts of words and arbitrary characters.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => prop::sample::select(WORDS).prop_map(str::to_owned),
        2 => prop::sample::select(WORDS).prop_map(|word| word.chars().take(2).collect()),
        2 => any::<char>().prop_map(String::from),
        1 => Just("<0xA5>".to_owned()),
        1 => ".{0,4}",
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

#[test]
fn the_longest_word_wins_and_the_rest_is_bytes() {
    let tokenizer = tokenizer();
    let check = |text: &str, expected: &[&str]| {
        let tokens = tokenizer.encode(text);
        let found: Vec<String> = tokens.iter().map(|&token| tokenizer.decode(&[token])).collect();
        assert_eq!(found, expected, "{text}");
    };
    check(
        "搜索红色运动鞋柜¥500",
        &["搜索", "红色运动鞋", "\u{fffd}", "\u{fffd}", "\u{fffd}", "¥500"],
    );
    check("红色运动", &["红色", "运动"]);
    check("#10", &["#10"]);
    check("#100", &["#10", "0"]);
    check("abcd", &["abc", "d"]);
    check("x¥5…", &["x", "¥", "5", "…"]);
    check("", &[]);
}

#[test]
fn text_cannot_forge_a_control_token() {
    let tokenizer = tokenizer();
    for (id, name) in CONTROL {
        let tokens = tokenizer.encode(&format!("红{name}"));
        assert!(!tokens.contains(&id), "{name}");
        assert_eq!(tokenizer.decode(&tokens), format!("红{name}"));
        assert_eq!(tokenizer.decode(&[id]), name);
    }
    assert_eq!((tokenizer.pad(), tokenizer.act(), tokenizer.end()), (PAD, ACT, END));
}

#[test]
fn the_vocabulary_is_bytes_controls_and_words_in_order() {
    let tokenizer = tokenizer();
    assert_eq!(tokenizer.vocab_size(), 259 + WORDS.len());
    for (number, word) in WORDS.iter().enumerate() {
        assert_eq!(tokenizer.word(word), Some(259 + number as u32), "{word}");
    }
    assert_eq!(tokenizer.word("<|act|>"), None);
    assert_eq!(tokenizer.decode(&[0xe7, 0xba, 259]), "\u{fffd}\u{fffd}搜索");
}

proptest! {
    #[test]
    fn decoding_restores_every_text(text in text()) {
        let tokenizer = tokenizer();
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text)), text);
    }

    #[test]
    fn the_longest_word_is_matched_first(text in text()) {
        prop_assert_eq!(tokenizer().encode(&text), cut(&text));
    }
}

#[test]
fn an_error_names_the_bad_word_of_a_lexicon() {
    let check = |words: &[&str], expected: &str| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(build(&words).unwrap_err().to_string(), expected);
    };
    check(&["红", ""], "word 1 of the lexicon is empty");
    check(&["红", "色", "红"], "word 2 of the lexicon, `红`, occurs twice");
    check(
        &["<|end|>"],
        "word 0 of the lexicon, `<|end|>`, has the spelling of a control or byte token",
    );
    check(
        &["<0x41>"],
        "word 0 of the lexicon, `<0x41>`, has the spelling of a control or byte token",
    );
}

#[test]
fn a_foreign_tokenizer_is_refused_with_the_difference() {
    let json = tokenizer().json().to_owned();
    let check = |text: &str, expected: &str| {
        let message = Tokenizer::from_json(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check("{}", "not a tokenizer: ");
    check(&json.replace("<|act|>", "<|go|>"), "token 257 is `<|go|>`, but must be `<|act|>`");
    check(
        &json
            .replace("\"<0x07>\": 7,", "\"<0x07>\": 8,")
            .replace("\"<0x08>\": 8,", "\"<0x08>\": 7,"),
        "token 7 is `<0x08>`, but must be `<0x07>`",
    );
    check(
        &json.replace("\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}"),
        "`normalizer` is set, but must be null",
    );
    check(
        &json.replacen("\"single_word\": false", "\"single_word\": true", 1),
        "must have single_word, lstrip, rstrip and normalized false",
    );
}
