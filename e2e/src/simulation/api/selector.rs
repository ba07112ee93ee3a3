//! Label selectors.

use serde_json::Value;

/// Whether the labels of `object` match `selector`: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`.
pub(super) fn matches(selector: &str, object: &Value) -> bool {
    let labels = super::at(object, &["metadata", "labels"]);
    let label = |name: &str| labels.and_then(|labels| labels.get(name.trim())?.as_str());
    requirements(selector).all(|part| {
        if let Some((name, values)) = part.split_once(" in (") {
            let mut values = values.trim_end_matches(')').split(',').map(str::trim);
            return label(name).is_some_and(|label| values.any(|value| value == label));
        }
        if let Some((name, value)) = part.split_once("!=") {
            return label(name) != Some(value.trim());
        }
        if let Some((name, value)) = part.split_once('=') {
            return label(name) == Some(value.trim_start_matches('=').trim());
        }
        match part.strip_prefix('!') {
            Some(name) => label(name).is_none(),
            None => label(part).is_some(),
        }
    })
}

/// Splits at the commas outside of parentheses.
fn requirements(selector: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    let parts = selector.split(move |letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::matches;

    #[test]
    fn labels_are_selected_by_equality_by_set_and_by_presence() {
        let object = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
        let check = |selector, expected| {
            assert_eq!(matches(selector, &object), expected, "{selector}");
        };
        check("", true);
        check("a=1,b==2", true);
        check("a=2", false);
        check("a!=2", true);
        check("c!=2", true);
        check("a in (0, 1),b", true);
        check("a in (0, 2)", false);
        check("!c", true);
        check("c", false);
    }
}
