//! Checks YAML before serde reads it: a bounded depth, and no tags but those of the core schema.
//!
//! libyaml, which reads for serde_yaml, needs quadratic time for nested flow collections such as `{a: {a: `, and serde_yaml
//! drops unknown tags without an error. This scan is linear and stops at the first fault.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScanError, Tag};

/// Levels of nesting with aliases expanded. The limit is below serde_yaml's limit of 128 (kubectl's is 10,000).
pub(crate) const MAX_DEPTH: usize = 100;
const CORE_SCHEMA: &str = "tag:yaml.org,2002:";
/// Tags that kubectl and serde_yaml both read as plain types. kubectl ignores unknown tags; here they are errors, because
/// they come from a template or a program that meant something else.
const CORE_TAGS: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];

/// Checks all documents of `text`. The error names the line and the remedy.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut scan = Scan::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_error(text, &error))?;
        scan.event(event).map_err(|fault| format!("line {}: {fault}", span.start.line()))?;
    }
    Ok(())
}

/// The scanner reads ahead of its events and has a limit of its own (255 flow collections), so its error may come first.
fn scan_error(text: &str, error: &ScanError) -> String {
    let place = error.marker();
    match deep_line(text.chars().take(place.index())) {
        Some(line) => format!("line {line}: {}", too_deep()),
        None => {
            format!("not YAML: line {} column {}: {}", place.line(), place.col() + 1, error.info())
        }
    }
}

/// The line at which more than [`MAX_DEPTH`] brackets are open, if there is one.
fn deep_line(text: impl Iterator<Item = char>) -> Option<usize> {
    let (mut line, mut open) = (1, 0_usize);
    for char in text {
        match char {
            '\n' => line += 1,
            '[' | '{' => open += 1,
            ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_DEPTH {
            return Some(line);
        }
    }
    None
}

fn too_deep() -> String {
    format!("nested deeper than the limit of {MAX_DEPTH} levels: remove brackets or indentation")
}

/// Open collections, and the heights of nodes with an anchor.
#[derive(Default)]
struct Scan {
    open: Vec<Collection>,
    heights: HashMap<usize, usize>,
}

/// A sequence or mapping whose end has not been read.
struct Collection {
    /// 0 for none.
    anchor: usize,
    /// Levels below it, so far.
    height: usize,
}

impl Scan {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref())?;
                self.open.push(Collection { anchor, height: 0 });
                self.check_depth(0)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(closed) = self.open.pop() {
                    self.add(closed.anchor, closed.height + 1);
                }
                Ok(())
            }
            Event::Scalar(_, _, anchor, tag) => {
                self.add(anchor, 0);
                check_tag(tag.as_deref())
            }
            Event::Alias(anchor) => {
                // The anchor of a collection that is still open has no height yet.
                let height = *self.heights.get(&anchor).ok_or(
                    "an alias stands inside the collection that it names: write the values instead",
                )?;
                self.add(0, height);
                self.check_depth(height)
            }
            _ => Ok(()),
        }
    }

    /// Adds a node of `height` levels to the innermost open collection.
    fn add(&mut self, anchor: usize, height: usize) {
        if anchor != 0 {
            self.heights.insert(anchor, height);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.height = parent.height.max(height);
        }
    }

    fn check_depth(&self, height: usize) -> Result<(), String> {
        if self.open.len() + height > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }
}

fn check_tag(tag: Option<&Tag>) -> Result<(), String> {
    let Some(tag) = tag else { return Ok(()) };
    let name = format!("{}{}", tag.handle, tag.suffix);
    match name.strip_prefix(CORE_SCHEMA) {
        Some(core) if CORE_TAGS.contains(&core) => Ok(()),
        Some(other) => Err(unknown_tag(&format!("!!{other}"))),
        None => Err(unknown_tag(&name)),
    }
}

fn unknown_tag(tag: &str) -> String {
    format!("the tag {tag} is not supported: remove it and write a plain value")
}

#[cfg(test)]
mod tests;
