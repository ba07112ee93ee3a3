//! The prompt for a language model. Written for this project.

use super::{Remark, Tone};

/// The role of a line, as in chat completion APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The instruction.
    System,
    /// The shop assistant, and what the shopper means.
    User,
    /// The shopper.
    Assistant,
}

/// A line of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The role.
    pub speaker: Speaker,
    /// The words.
    pub text: String,
}

const INSTRUCTION: &str = "你在网店里买东西，正和店员说话。每次会给你店员刚说的话，以及你这时的意思。\
请用顾客的口吻把这个意思说成一句自然的话，不超过40个字。\
意思里的每个要求、数字和名称都要原样说到；意思里没有的要求、品牌、数字一概不提，也不要反问。只写这句话。";

pub(super) fn lines(
    opening: &str,
    before: &[(String, String)],
    heard: &str,
    remark: &Remark,
) -> Vec<Line> {
    let line = |speaker, text: String| Line { speaker, text };
    let mut lines = vec![
        line(Speaker::System, INSTRUCTION.to_owned()),
        line(Speaker::User, "店员：您好，想买点什么？".to_owned()),
        line(Speaker::Assistant, opening.to_owned()),
    ];
    for (heard, said) in before {
        lines.push(line(Speaker::User, format!("店员：{heard}")));
        lines.push(line(Speaker::Assistant, said.clone()));
    }
    let stance = match remark.tone {
        Tone::Answers => "回答店员",
        Tone::Agrees => "同意店员推荐的这件",
        Tone::Objects => "不同意",
    };
    let meaning = format!("店员：{heard}\n你的意思（{stance}）：{}", remark.words);
    lines.push(line(Speaker::User, meaning));
    lines
}
