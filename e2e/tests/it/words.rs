//! Words that docs/GLOSSARY.md retires, in every text that users or contributors read: docs, comments, names, messages.

use std::path::Path;
use std::process::Command;

use regex::Regex;

/// A pattern, and what to write in its place.
const RETIRED: &[(&str, &str)] = &[
    (r"(?i)wish", "intent (operator), preference or request (shopper)"),
    (r"(?i)\bwhoever\b", "the caller, the reader, any process that ..."),
    (r"(?i)\bnobody\b", "no process, no user, nothing"),
    (r"(?i)\bsomebody\b", "another process, another user"),
    (r"(?i)\beverybody\b", "all workers, all users"),
    (r"(?i)\bwhom\b", "name the actor and use an active verb"),
    (r"(?i)\b(tell|tells|told)\b", "report, return, notify, send, distinguish"),
    (r"(?i)\blast[ _]words\b", "termination message, final status"),
    (r"(?i)\bso many\b", "the number: N seconds, N steps"),
    (r"(?i)\b(a|one|this|that|next|every|each|another|new|of) pass\b", "a reconcile, a scan"),
    (r"(?i)\blook_again\b|\blooks? again\b|\blooked at\b", "requeue, reconcile, inspect"),
    (r"(?i)\bcarr(y|ies|ied)[ _]out\b", "apply, execute"),
    (r"(?i)\bseen\b", "observed, cached, measured, visited"),
    (r"(?i)\bat[ _]once\b", "immediately, or: at the same time"),
    (r"(?i)\bany more\b", "no longer"),
    (r"(?i)\bbeside\b", "next to, in addition to, alongside"),
    (r"(?i)\bshall\b", "must, will"),
    (r"(?i)\bknow(s|n)? of\b", "knows, has cached"),
    (r"(?i)\bon (its|their) way\b", "in flight, pending"),
    (r"(?i)\bgoods\b", "products"),
    (r"(?i)\bthe house\b", "the project, the layout"),
    (r"(?i)\b(our|the) notes\b", "the content itself, or a source that the reader has"),
    (r"(?i)\bgives? way\b", "is preempted, yields"),
];

/// Files that quote others or record output, and this list itself.
const EXEMPT: &[&str] = &[
    "Cargo.lock",
    "LICENSE",
    "e2e/tests/it/words.rs",
    "docs/GLOSSARY.md",
    "docs/benchmarks/peers/",
];

#[test]
fn no_text_uses_a_word_that_the_glossary_retires() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("git").arg("ls-files").current_dir(&root).output().expect("git runs");
    let files = String::from_utf8(output.stdout).expect("names are UTF-8");
    let retired: Vec<(Regex, &str)> = RETIRED
        .iter()
        .map(|(word, replacement)| (Regex::new(word).expect("a pattern"), *replacement))
        .collect();
    let mut faults = Vec::new();
    for file in files.lines().filter(|file| !EXEMPT.iter().any(|exempt| file.starts_with(exempt))) {
        // Pictures and archives are not UTF-8.
        let Ok(text) = std::fs::read_to_string(root.join(file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (pattern, replacement) in &retired {
                if let Some(found) = pattern.find(line) {
                    faults.push(format!(
                        "{file}:{}: {:?}: write {replacement}",
                        number + 1,
                        found.as_str()
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} retired words:\n{}", faults.len(), faults.join("\n"));
}
