//! Episodes of a run: conversations, and credit in colours.

use std::process::{Command, Output};

use expect_test::{Expect, expect};

/// `shoprl` with `arguments`, with or without colours.
fn shoprl(arguments: &[&str], colours: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shoprl"))
        .args(arguments)
        .env("CLICOLOR_FORCE", colours)
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

/// A run folder with one step of two episodes: the same texts, one success.
fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("trajectories")).unwrap();
    let row = |member: u32, reward: f64, verdict: f64| {
        format!(
            r##"{{"batch": "step-000001", "group": 5, "member": {member}, "scenario": "singleTurn", "taskSeed": 7, "heldOut": false, "messages": [{{"policy": false, "text": "任务耳机<|act|>"}}, {{"policy": true, "text": "搜索耳机<|end|>", "tokens": ["搜索", "耳机", "<|end|>"], "kind": "search", "verdict": 1.0}}, {{"policy": false, "text": "结果#1<|act|>"}}, {{"policy": true, "text": "购买<|end|>", "tokens": ["购买", "<|end|>"], "kind": "buy", "verdict": {verdict}}}], "end": "bought", "metrics": {{"success": {reward}, "strict": 0, "loose": 0.5, "finish": 1, "category": 1, "attribute": 0.5, "option": 1, "price": 1}}, "reward": {reward}, "advantage": {verdict}}}"##
        ) + "\n"
    };
    let rows = row(0, 0.0, -1.0) + &row(1, 1.0, 1.0);
    std::fs::write(folder.path().join("trajectories/step-000001.jsonl"), rows).unwrap();
    folder
}

#[test]
fn an_episode_has_colours_on_request() {
    let run = trained();
    let shown = |command: &[&str], colours: &str| {
        let folder = run.path().to_str().unwrap();
        let output = shoprl(&[command, &[folder, "--member", "0"]].concat(), colours);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let credit = ["credit", "--mode", "conserved", "--run"];
    expect![[r#"
        step-000001, group 5, member 0: singleTurn task 7
        advantage -1.00, mode conserved, 2 of 5 policy tokens have a label of its sign; token(label weight)
        shop  | 任务耳机
        agent | 搜索(+ 0.00) 耳机(+ 0.00) <|end|>(+ 0.00)  [search +1]
        shop  | 结果#1
        agent | 购买(- 2.50) <|end|>(- 2.50)  [buy -1]
    "#]]
    .assert_eq(&shown(&credit, "0"));
    let (green, red) = ("\u{1b}[32m", "\u{1b}[31m");
    let coloured = shown(&credit, "1");
    assert!(coloured.contains(&format!("{green}搜索")), "{coloured:?}");
    assert!(coloured.contains(&format!("{red}购买")), "{coloured:?}");
    let conversation = shown(&["trajectories"], "1");
    assert!(conversation.contains(&format!("{green}[search +1]")), "{conversation:?}");
    assert!(!shown(&["trajectories"], "0").contains('\u{1b}'));
}

#[test]
fn missing_and_damaged_episodes_are_named() {
    let run = trained();
    let folder = run.path().to_str().unwrap();
    let refused = |arguments: &[&str], expected: &Expect| {
        let output = shoprl(arguments, "0");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0), "{arguments:?}");
        expected.assert_eq(&String::from_utf8(output.stderr).unwrap().replace(folder, "RUN"));
    };
    refused(
        &["trajectories", folder, "--batch", "2"],
        &expect![[r#"
            error: RUN: no batch step-000002; existing batches: step-000001
        "#]],
    );
    refused(
        &["credit", "--run", folder, "--group", "6"],
        &expect![[r#"
            error: RUN/run.json: No such file or directory (os error 2); use the folder of a run, for example runs/quickstart, or set --mode
        "#]],
    );
    refused(
        &["credit", "--mode", "gated", "--run", folder, "--group", "6"],
        &expect![[r#"
            error: RUN/trajectories/step-000001.jsonl: no such episode; existing GROUP/MEMBER: 5/0, 5/1
        "#]],
    );
    let file = run.path().join("trajectories/step-000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 40]).unwrap();
    refused(
        &["trajectories", folder],
        &expect![[r#"
            error: RUN/trajectories/step-000001.jsonl line 2: EOF while parsing a string at line 1 column 581; the file is damaged or still being written
        "#]],
    );
}
