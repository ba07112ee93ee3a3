use std::time::{Duration, Instant};

use super::*;

/// Far above what the scan takes; libyaml alone takes minutes for some of these texts.
const LIMIT: Duration = Duration::from_secs(2);
const MANY: usize = 50_000;

#[track_caller]
fn check_fault(text: &str, expected: &str) {
    let begun = Instant::now();
    assert_eq!(check(text), Err(expected.to_owned()));
    let took = begun.elapsed();
    assert!(took < LIMIT, "{took:?}");
}

fn too_deep_at(line: usize) -> String {
    format!(
        "line {line}: nested deeper than the limit of 100 levels: remove brackets or indentation"
    )
}

#[test]
fn deep_nesting_is_refused_in_linear_time_with_limit_and_line() {
    for opening in ["[", "{", "- ", "? ", "{a: ", "[a, ", "[{a: ", "&a [", "!!seq ["] {
        check_fault(&opening.repeat(MANY), &too_deep_at(1));
        check_fault(&format!("a: 1\n---\n{}", opening.repeat(MANY)), &too_deep_at(3));
    }
    check_fault(&("[".repeat(MANY) + &"]".repeat(MANY)), &too_deep_at(1));
    check_fault(&"[\n".repeat(MANY), &too_deep_at(101));
    let lines: String = (0..1000).map(|indent| format!("{}a:\n", " ".repeat(indent))).collect();
    check_fault(&lines, &too_deep_at(101));
    // Closing brackets in strings hide the depth from the error text, not from the limit.
    let begun = Instant::now();
    check(&"[\"]\", ".repeat(MANY)).unwrap_err();
    assert!(begun.elapsed() < LIMIT);
}

#[test]
fn aliases_count_with_the_depth_of_what_they_name() {
    let chain = |links: usize| {
        let link = |n: usize| format!("a{n}: &a{n} [*a{}]\n", n - 1);
        "a0: &a0 []\n".to_owned() + &(1..links).map(link).collect::<String>()
    };
    assert_eq!(check(&chain(99)), Ok(()));
    check_fault(&chain(MANY), &too_deep_at(100));
    check_fault(
        "a: &a\n  b: [*a]\n",
        "line 2: an alias stands inside the collection that it names: write the values instead",
    );
}

#[test]
fn depth_up_to_the_limit_is_accepted_and_brackets_in_text_do_not_count() {
    assert_eq!(check(&("[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH))), Ok(()));
    assert_eq!(
        check(&format!("a: \"{}\"\nb: |\n  {}\n", "[".repeat(MANY), "{".repeat(MANY))),
        Ok(())
    );
    assert_eq!(check(&format!("a: x{}\n# {}\n", "[".repeat(MANY), "{".repeat(MANY))), Ok(()));
}

#[test]
fn an_unknown_tag_is_refused_with_its_line_and_the_remedy() {
    for (tag, named) in [
        ("!!python/object:os.system", "!!python/object:os.system"),
        ("!foo", "!foo"),
        ("!", "!"),
        ("!!binary", "!!binary"),
        ("!!timestamp", "!!timestamp"),
        ("!<tag:example.org,2026:x>", "tag:example.org,2026:x"),
    ] {
        let expected =
            format!("line 2: the tag {named} is not supported: remove it and write a plain value");
        for value in ["x", "[x]", "{x: y}", "\n- x"] {
            check_fault(&format!("a: 1\nb: {tag} {value}\n"), &expected);
        }
        check_fault(&format!("a: 1\n{tag} b: 2\n"), &expected);
    }
}

#[test]
fn tags_of_the_core_schema_are_accepted_as_kubectl_does() {
    let text = "a: !!str 1\nb: !!int 2\nc: !!float 3\nd: !!bool true\ne: !!null null\nf: !!map {}\n\
        g: !!seq []\nh: !<tag:yaml.org,2002:int> 4\n";
    assert_eq!(check(text), Ok(()));
}

#[test]
fn a_syntax_error_is_named_with_line_and_column() {
    let fault = check("spec: [1, 2\n").unwrap_err();
    assert!(fault.starts_with("not YAML: line 2 column 1: "), "{fault}");
}
