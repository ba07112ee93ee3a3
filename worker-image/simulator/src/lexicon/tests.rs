use super::*;

#[test]
fn the_lexicon_has_no_duplicates_and_stays_small() {
    let words = lexicon();
    let mut unique = words.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), words.len());
    assert!((450..=650).contains(&words.len()), "{} words", words.len());
}

#[test]
fn a_word_has_one_class_wherever_it_is_listed() {
    for domain in &vocabulary::DOMAINS {
        for (axis, values) in domain.axes.iter().enumerate() {
            for value in values {
                assert_eq!(class(value), Some(Class::Attribute), "{value}");
                let elsewhere = domain.axes.iter().skip(axis + 1).flatten();
                assert!(!elsewhere.into_iter().any(|other| other == value), "{value}");
            }
        }
        for size in domain.sizes {
            assert_eq!(class(size), Some(Class::Size), "{size}");
        }
        for category in domain.categories {
            assert!(matches!(class(category), Some(Class::Category { .. })), "{category}");
        }
    }
}

/// If `long` starts with `short`, what is left of `long` must not be the beginning of anything that can follow.
#[test]
fn no_two_neighbours_can_be_read_as_a_longer_word() {
    for long in words() {
        for short in words() {
            let Some(rest) = long.strip_prefix(short) else {
                continue;
            };
            if rest.is_empty() {
                continue;
            }
            for next in words() {
                assert!(
                    !next.starts_with(rest) && !rest.starts_with(next),
                    "{short} before {next} could be read as {long}"
                );
            }
        }
    }
}

#[test]
fn prices_rise() {
    for (yuan, word) in vocabulary::PRICES {
        assert_eq!(word, format!("¥{yuan}"));
    }
    assert!(vocabulary::PRICES.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn segmentation_gives_back_the_text() {
    for (text, expected) in [
        ("搜索枕头¥199", vec!["搜索", "枕头", "¥199"]),
        ("打开#10", vec!["打开", "#10"]),
        ("选择食品级品牌x", vec!["选择", "食品级", "品牌", "x"]),
        ("", vec![]),
    ] {
        assert_eq!(segment(text), expected);
    }
}
