//! Files of a crate do not import each other in a cycle. A file and its own submodules count as one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

use super::tidy::{root, text, tracked};

/// A module by its path, `[]` for `lib.rs` or `main.rs`.
type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_crate_has_an_import_cycle_between_files() {
    let mut found = Vec::new();
    for manifest in tracked("*Cargo.toml") {
        let Some(folder) = manifest.parent() else { continue };
        let modules = modules(&folder.join("src"));
        let cycles = cycles(&edges(&modules));
        let name = folder.strip_prefix(root()).unwrap_or(folder).display().to_string();
        found.extend(cycles.into_iter().map(|edge| format!("{name}: {edge}")));
    }
    assert!(found.is_empty(), "move what both files need into a third:\n{}", found.join("\n"));
}

#[test]
fn a_cycle_is_found_in_use_items_and_paths_but_not_with_submodules() {
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let module = |(name, text): &(&str, &str)| {
            let path = name.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
            (path.collect(), (*text).to_owned())
        };
        assert_eq!(cycles(&edges(&files.iter().map(module).collect())), expected, "{files:?}");
    };
    check(&[("a", "use crate::b::B;"), ("b", "fn f() { super::a::g() }")], &["a -> b", "b -> a"]);
    check(&[("a", "use super::{b::{B, C}, c};"), ("b", "use crate::c::D;"), ("c", "")], &[]);
    check(&[("a", "use self::b::B;"), ("a::b", "use super::A;")], &[]);
    check(&[("", "mod a;"), ("a", "use crate::A;")], &[]);
    check(
        &[
            ("a", "// crate::b::f\n#[cfg(test)]\nmod tests { use crate::b::B; }"),
            ("b", "use crate::a::A;"),
        ],
        &[],
    );
    check(
        &[("a", "use crate::b;"), ("b", "use crate::c;"), ("c", "use crate::a;")],
        &["a -> b", "b -> c", "c -> a"],
    );
}

/// The modules of a source folder with their texts, without tests, generated code and programs in `bin`.
fn modules(source: &Path) -> BTreeMap<Module, String> {
    let mut modules = BTreeMap::new();
    for path in tracked("*.rs") {
        let Ok(relative) = path.strip_prefix(source) else { continue };
        let relative = relative.with_extension("");
        let mut module: Module =
            relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let is_test = module.iter().any(|part| part == "tests" || part.ends_with("tests"));
        if is_test || matches!(module[0].as_str(), "gen" | "bin") {
            continue;
        }
        if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
            module.pop();
        }
        modules.insert(module, text(&path));
    }
    modules
}

fn edges(modules: &BTreeMap<Module, String>) -> Edges {
    let mut edges = Edges::new();
    for (module, text) in modules {
        for path in paths(text) {
            let target = resolve(modules, module, &path);
            if !target.starts_with(module) && modules.contains_key(&target) {
                edges.entry(module.clone()).or_default().insert(target);
            }
        }
    }
    edges
}

/// Paths that begin with `crate`, `super` or `self`, outside of comments and inline tests.
fn paths(text: &str) -> Vec<String> {
    let regex = |pattern| Regex::new(pattern).expect("a pattern");
    let tests = regex(r"#\[cfg\(test\)\]\s*(?:#\[path[^\n]*\]\s*)?mod ");
    let code = tests.split(text).next().unwrap_or_default();
    let code = regex(r"//[^\n]*").replace_all(code, "");
    let items = regex(r"\buse\s+((?:crate|super|self)\b[^;]*);");
    let mut paths: Vec<String> =
        items.captures_iter(&code).flat_map(|item| expand(&item[1])).collect();
    let body = regex(r"\buse\s+[^;]*;").replace_all(&code, "");
    let inline = regex(r"\b(?:crate|super)(?:::\w+)+");
    paths.extend(inline.find_iter(&body).map(|found| found.as_str().to_owned()));
    paths
}

/// The paths of a use tree.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let mut depth = 0_i32;
    let parts = inner.split(move |letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty());
    parts.flat_map(expand).map(|path| format!("{}{path}", prefix.trim())).collect()
}

/// The innermost module that a path of `module` names.
fn resolve(modules: &BTreeMap<Module, String>, module: &Module, path: &str) -> Module {
    let mut parts = path.split("::").map(str::trim).peekable();
    let mut target = module.clone();
    match parts.peek() {
        Some(&"crate") => {
            target.clear();
            parts.next();
        }
        Some(&"self") => drop(parts.next()),
        _ => {
            while parts.next_if_eq(&"super").is_some() {
                target.pop();
            }
        }
    }
    for part in parts {
        target.push(part.to_owned());
        if !modules.contains_key(&target) {
            target.pop();
            break;
        }
    }
    target
}

/// The edges between modules of a cycle, as `from -> to`.
fn cycles(edges: &Edges) -> Vec<String> {
    let name =
        |module: &Module| if module.is_empty() { "lib".to_owned() } else { module.join("::") };
    let all = edges.iter().flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)));
    let cyclic = all.filter(|(from, to)| reaches(edges, to, from));
    cyclic.map(|(from, to)| format!("{} -> {}", name(from), name(to))).collect()
}

fn reaches(edges: &Edges, from: &Module, to: &Module) -> bool {
    let (mut visited, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if visited.insert(module) {
            open.extend(edges.get(module).into_iter().flatten());
        }
    }
    false
}
