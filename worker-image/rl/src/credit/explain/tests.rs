use super::*;

const EPISODE: &str = r#"{
    "tokens": 6,
    "messages": [
        {"start": 0, "end": 3, "policy": true, "kind": "search"},
        {"start": 3, "end": 4, "policy": false, "kind": "environment"},
        {"start": 4, "end": 6, "policy": true, "kind": "buy"}],
    "scores": [0.1, -0.5, -0.1, 9, 0.4, 0.2],
    "reward": 0.75
}"#;

/// The episode with one piece of its text replaced.
fn explained(from: &str, to: &str) -> Result<Explanation, String> {
    assert!(EPISODE.contains(from));
    let input = serde_json::from_str::<ExplainInput>(&EPISODE.replacen(from, to, 1));
    input.map_err(|e| e.to_string()).and_then(|input| explain(&input).map_err(|e| e.to_string()))
}

#[test]
fn an_episode_is_explained_in_every_mode() {
    let explanation = explained("0.75", "0.75").unwrap();
    assert_eq!(explanation.labels, [1, -1, -1, 0, 1, 1]);
    assert_eq!(explanation.pivots, [1, 4]);
    let runs = explanation.segments.iter().map(|s| (s.start, s.end, s.kind, s.kept));
    let expected =
        [(0, 1, Kind::Search, true), (1, 3, Kind::Search, false), (4, 6, Kind::Buy, true)];
    assert_eq!(runs.collect::<Vec<_>>(), expected);
    assert_eq!((explanation.policy_tokens, explanation.kept_tokens), (5, 3));
    assert_eq!(explanation.advantage, 0.75, "the reward is the default advantage");

    let mode = |mode| explanation.advantages[&mode].as_slice();
    assert_eq!(mode(Mode::Off), [0.75, 0.75, 0.75, 0.0, 0.75, 0.75]);
    assert_eq!(mode(Mode::Mask), [0.75, 0.0, 0.0, 0.0, 0.75, 0.75]);
    assert_eq!(mode(Mode::Conserved), [1.25, 0.0, 0.0, 0.0, 1.25, 1.25]);
    assert_eq!(mode(Mode::Conserved), mode(Mode::Gated), "trust is full by default");
    // The search's step is -1/6; the first reward is half of it.
    let first = -0.5 / 6.0;
    assert!((explanation.rewards[0] - first).abs() < 1e-12, "{:?}", explanation.rewards);
    assert!((mode(Mode::Dense)[5] - (0.75 - first)).abs() < 1e-12);
    assert_eq!(explanation.weights.len(), 4);
}

#[test]
fn trust_and_options_are_taken_from_the_input() {
    let with = |fields: &str| explained("\"reward\"", &format!("{fields}, \"reward\"")).unwrap();
    let distrusted = with("\"eta\": 0");
    assert_eq!(distrusted.advantages[&Mode::Gated], distrusted.advantages[&Mode::Off]);
    let wide = with("\"options\": {\"threshold\": 1}");
    assert_eq!(wide.pivots, [0_usize; 0]);
    let nothing = with("\"advantage\": 0");
    assert!(nothing.advantages[&Mode::Gated].iter().all(|credit| *credit == 0.0));
    assert!(!nothing.weights.contains_key(&Mode::Dense));
    assert_eq!(nothing.kept_tokens, 5, "without a sign all labels agree");
}

#[test]
fn an_error_names_the_field_its_value_and_the_remedy() {
    let check = |from: &str, to: &str, expected: &str| {
        let error = explained(from, to).unwrap_err();
        assert!(error.contains(expected), "{to}: {error}");
    };
    check("\"tokens\": 6", "\"tokens\": 7", "messages end at 6, tokens is 7");
    check("\"tokens\": 6", "\"tokens\": \"six\"", "tokens must be a count, a list of ids");
    check("\"end\": 3", "\"end\": 2", "messages[1].start is 3, expected 2");
    check("\"end\": 3", "\"end\": 0", "messages[0] is 0..0");
    check("\"search\"", "\"environment\"", "messages[0] has policy: true");
    check("\"search\"", "\"seek\"", "unknown variant `seek`, expected one of `search`");
    check("0.4, 0.2", "0.4", "scores has 5 values, tokens is 6");
    check("0.75", "0.75, \"eta\": 1.5", "eta is 1.5: it must be between 0 and 1");
    check("0.75", "0.75, \"slope\": -1", "slope is -1: it must be finite and at least 0");
    check("0.75", "0.75, \"goal\": 1", "unknown field `goal`");
    let option = |text: &str| format!("0.75, \"options\": {{{text}}}");
    check("0.75", &option("\"threshold\": -1"), "threshold is -1: it must be finite");
    check("0.75", &option("\"initialLabel\": 0"), "initialLabel is 0: it must be 1 or -1");
    check("0.75", &option("\"theta\": 0"), "unknown field `theta`");
}

#[test]
fn numbers_that_json_cannot_represent_are_refused() {
    let mut input: ExplainInput = serde_json::from_str(EPISODE).unwrap();
    input.scores[4] = f64::NAN;
    let error = explain(&input).unwrap_err().to_string();
    assert_eq!(error, "scores[4] is NaN: every score must be a finite number");
    input.scores[4] = 0.0;
    input.reward = f64::INFINITY;
    let error = explain(&input).unwrap_err().to_string();
    assert_eq!(error, "reward is inf: it must be a finite number");
}
