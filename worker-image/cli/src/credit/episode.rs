//! Prints an episode of a run token by token, with labels and weights.

use std::io::{self, Write};
use std::path::Path;

use shoprl_contract::run_folder::{Episode, file};
use shoprl_contract::{CreditMode, Exit, RunConfig};
use shoprl_rl::credit::{
    CreditOptions, ExplainInput, Explanation, Mode, ScoredTrajectory, Tokens, explain,
};

use super::given;
use super::scored::{scored, tokens};
use crate::episodes::{self, Selection};
use crate::failure::unreadable;
use crate::output::to_stdout;
use crate::paint::Paint;
use crate::trajectories::{heading, write_environment};

/// Prints the selected episode with the label and weight of each token in `mode`. Default: the mode of the run.
pub(super) fn show(run: &Path, selection: &Selection, mode: Option<Mode>) -> Result<(), Exit> {
    let mode = mode.map_or_else(|| mode_of(run), Ok)?;
    let paint = Paint::for_stdout();
    for episode in episodes::find(run, selection, 1)? {
        let explanation = explained(&episode).map_err(|message| {
            Exit::bad_configuration(format!("{}: {message}", heading(&episode)))
        })?;
        let weights = match given::credit(run, &episode, mode)? {
            Some(given) => Weights { of_tokens: given.weights(), remark: given.remark() },
            None => as_if_trained(&explanation, mode),
        };
        to_stdout(|out| write(out, &episode, &explanation, mode, &weights, paint))?;
    }
    Ok(())
}

/// Weight of each token, with a remark about their basis.
struct Weights {
    of_tokens: Vec<f64>,
    remark: Option<String>,
}

/// Weights of an episode that was not used for training.
fn as_if_trained(explanation: &Explanation, mode: Mode) -> Weights {
    let remark =
        "not used for training: the reward is shown as the advantage, and all verdicts are trusted";
    let even = || vec![1.0; explanation.tokens];
    let of_tokens = explanation.weights.get(&mode).cloned().unwrap_or_else(even);
    Weights { of_tokens, remark: Some(remark.to_owned()) }
}

/// The credit mode of the run.
fn mode_of(run: &Path) -> Result<Mode, Exit> {
    let path = run.join(file::RUN_CONFIG);
    let remedy = "use the folder of a run, for example runs/quickstart, or set --mode";
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error, remedy))?;
    let config: RunConfig = serde_json::from_str(&text).map_err(|error| {
        Exit::bad_configuration(format!("{}: {error}; {remedy}", path.display()))
    })?;
    Ok(match config.training.credit.mode {
        CreditMode::Off => Mode::Off,
        CreditMode::Mask => Mode::Mask,
        CreditMode::Conserved => Mode::Conserved,
        CreditMode::Gated => Mode::Gated,
        CreditMode::Dense => Mode::Dense,
    })
}

fn explained(episode: &Episode) -> Result<Explanation, String> {
    let ScoredTrajectory { trajectory, reward, .. } = scored(episode)?;
    let texts = episode.messages.iter().flat_map(tokens).collect();
    let input = ExplainInput {
        tokens: Tokens::Texts(texts),
        messages: trajectory.messages,
        scores: trajectory.scores,
        reward,
        advantage: episode.advantage,
        options: CreditOptions::default(),
        eta: None,
        slope: None,
    };
    explain(&input).map_err(|error| error.to_string())
}

fn write(
    out: &mut dyn Write,
    episode: &Episode,
    explanation: &Explanation,
    mode: Mode,
    weights: &Weights,
    paint: Paint,
) -> io::Result<()> {
    writeln!(out, "{}", paint.bold(heading(episode)))?;
    let mode_name = serde_json::to_value(mode)?;
    writeln!(
        out,
        "advantage {:+.2}, mode {}, {} of {} policy tokens have a label of its sign; token(label weight)",
        explanation.advantage,
        mode_name.as_str().map_or("", |name| if mode == Mode::Off { "sampleWise" } else { name }),
        explanation.kept_tokens,
        explanation.policy_tokens,
    )?;
    if let Some(remark) = &weights.remark {
        writeln!(out, "{remark}")?;
    }
    let mut at = 0;
    for message in &episode.messages {
        if !message.policy {
            write_environment(out, &message.text, paint)?;
            at += 1;
            continue;
        }
        write!(out, "agent | ")?;
        for token in tokens(message) {
            let label = explanation.labels[at];
            let weight = weights.of_tokens[at];
            let sign = if label > 0 { '+' } else { '-' };
            write!(
                out,
                "{}{} ",
                paint.signed(f64::from(label), token),
                paint.dim(format!("({sign} {weight:.2})"))
            )?;
            at += 1;
        }
        writeln!(
            out,
            " [{} {:+}]",
            message.kind.as_deref().unwrap_or("action"),
            message.verdict.unwrap_or_default()
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::trajectories::tests::episode;

    #[test]
    fn each_token_of_the_agent_has_its_label_and_weight() {
        let episode = episode();
        let explanation = explained(&episode).unwrap();
        let weights = as_if_trained(&explanation, Mode::Conserved);
        let mut out = Vec::new();
        write(&mut out, &episode, &explanation, Mode::Conserved, &weights, Paint::off()).unwrap();
        expect![[r#"
            step-000012, group 190, member 3: multiTurn task 77
            advantage -0.50, mode conserved, 4 of 8 policy tokens have a label of its sign; token(label weight)
            not used for training: the reward is shown as the advantage, and all verdicts are trusted
            shop  | 我想买耳机
                  | 还有12轮
            agent | 搜索(+ 0.00) 红色(+ 0.00) 耳机(+ 0.00) <|end|>(+ 0.00)  [search +1]
            shop  | #1红色耳机¥80 #2蓝色耳机¥75
            agent | 打开(- 2.00) #2(- 2.00)  [open -1]
            shop  | 蓝色耳机¥75
            agent | 购买(- 2.00) <|end|>(- 2.00)  [buy +0]
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }
}
