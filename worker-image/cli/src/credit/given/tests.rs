use std::fs;

use expect_test::expect;
use shoprl_rl::advantage::group_relative;

use super::*;
use crate::trajectories::tests::episode;

/// Two groups of two episodes. The verdicts of the purchase correlate with the reward, those of the search do not.
fn step(number: u64) -> Vec<Episode> {
    let one = |group: u64, member: u32, reward: f64, search: f64, buy: f64| {
        let mut episode = episode();
        (episode.batch, episode.group, episode.member) =
            (episodes::step_name(number), group, member);
        episode.reward = reward;
        episode.messages[1].verdict = Some(search);
        episode.messages[5].verdict = Some(buy);
        episode
    };
    let first = 2 * number;
    let mut rows = vec![
        one(first, 0, 1.0, 1.0, 1.0),
        one(first, 1, 0.0, 1.0, -1.0),
        one(first + 1, 0, 1.0, -1.0, 1.0),
        one(first + 1, 1, 0.25, -1.0, -1.0),
    ];
    for group in rows.chunks_mut(2) {
        let rewards: Vec<f64> = group.iter().map(|row| row.reward).collect();
        let advantages = group_relative(&rewards, 1e-6).unwrap();
        for (row, advantage) in group.iter_mut().zip(advantages) {
            row.advantage = Some(advantage);
        }
    }
    rows
}

fn run(steps: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("trajectories")).unwrap();
    for number in 1..=steps {
        let lines: Vec<String> =
            step(number).iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
        let name = format!("trajectories/{}.jsonl", episodes::step_name(number));
        fs::write(folder.path().join(name), lines.concat()).unwrap();
    }
    folder
}

#[test]
fn an_episode_gets_the_credit_that_its_step_gave_it() {
    let folder = run(9);
    for mode in [Mode::Off, Mode::Mask, Mode::Conserved, Mode::Gated, Mode::Dense] {
        let options = CreditOptions { mode, ..CreditOptions::default() };
        // The trainer weights a step first and updates the gate afterwards.
        let mut gate = Gate::default();
        for number in 1..=9 {
            let rows = step(number);
            let batch = read(&rows).unwrap();
            let expected = token_advantages(&batch, &options, &gate).unwrap();
            for (row, expected) in rows.iter().zip(expected) {
                let given = credit(folder.path(), row, mode).unwrap().unwrap();
                assert_eq!(given.credit, expected, "{mode:?} in step {number}");
            }
            gate.observe(&batch, &options).unwrap();
        }
    }
}

#[test]
fn the_remark_has_the_trust_before_the_step() {
    let folder = run(9);
    let remark = |number: u64, mode| {
        let row = &step(number)[1];
        credit(folder.path(), row, mode).unwrap().unwrap().remark().unwrap_or_default()
    };
    expect![[r#"
        trust in the verdicts before this step: search 0.00, open 0.00, buy 0.00
        trust in the verdicts before this step: search 0.00, open 0.00, buy 1.00
    "#]]
    .assert_eq(&format!("{}\n{}\n", remark(1, Mode::Gated), remark(9, Mode::Gated)));
    assert_eq!(remark(1, Mode::Dense), "reward per verdict before this step: 0.000");
    assert_eq!(remark(9, Mode::Mask), "");
}

#[test]
fn missing_steps_are_named_and_evaluations_have_no_credit() {
    let folder = run(3);
    fs::remove_file(folder.path().join("trajectories/step-000002.jsonl")).unwrap();
    let error = credit(folder.path(), &step(3)[0], Mode::Gated).err().unwrap();
    assert!(error.message.contains("step-000002.jsonl"), "{}", error.message);
    let mut evaluated = episode();
    evaluated.batch = "evaluation-trained-greedy-000003".into();
    assert!(credit(folder.path(), &evaluated, Mode::Gated).unwrap().is_none());
}
