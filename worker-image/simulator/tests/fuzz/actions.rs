//! Random and malformed actions.

use shoprl_rl::seed::Stream;

const WHOLE: [&str; 10] = [
    "详情",
    "翻页",
    "返回",
    "推荐",
    "购买",
    "没有合适",
    "询问属性",
    "询问规格",
    "询问预算",
    "询问品牌",
];
const VERBS: [&str; 4] = ["搜索", "打开#", "选择", "询问"];
const WORDS: [&str; 20] = [
    "枕头",
    "乳胶枕",
    "护颈",
    "四件套",
    "台灯",
    "新款",
    "白色",
    "1.5米床",
    "北欧",
    "¥199",
    "¥",
    "颜色",
    "预算",
    "1",
    "3",
    "20",
    "0",
    "99999999999999999999",
    "-1",
    "乳胶",
];
/// Control, direction, joining, wide and combining characters, a byte order mark, the last code point.
const ODD: [char; 18] = [
    '\0',
    '\u{1}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{a0}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{301}',
    '\u{3000}',
    '＃',
    '￥',
    '\u{feff}',
    '\u{10ffff}',
];

fn pick<T: Copy>(stream: &mut Stream, items: &[T]) -> T {
    items[stream.below(items.len() as u64) as usize]
}

/// A random action after `observation`.
pub(super) fn any(stream: &mut Stream, observation: &str) -> String {
    match stream.below(100) {
        0..65 => valid(stream, observation),
        65..85 => {
            let action = valid(stream, observation);
            mutated(stream, &action)
        }
        85..92 => {
            let bytes: Vec<u8> = (0..stream.below(200)).map(|_| stream.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        92..99 => (0..stream.below(80)).map(|_| character(stream)).collect(),
        _ => huge(stream),
    }
}

/// An action of the grammar, possible or not.
fn valid(stream: &mut Stream, observation: &str) -> String {
    match stream.below(10) {
        0..2 => pick(stream, &WHOLE).to_owned(),
        2..5 => format!("打开#{}", 1 + stream.below(9)),
        5..9 => {
            let said: Vec<&str> = observation
                .split(|c: char| !c.is_alphanumeric() && c != '.')
                .filter(|word| !word.is_empty())
                .collect();
            let verb = pick(stream, &["搜索", "搜索", "选择", "询问"]);
            [verb, stream.choose(&said).copied().unwrap_or_default()].concat()
        }
        _ => {
            let mut action = pick(stream, &VERBS).to_owned();
            for _ in 0..1 + stream.below(4) {
                action.push_str(pick(stream, &WORDS));
                if stream.bernoulli(0.3) {
                    action.push(' ');
                }
            }
            action
        }
    }
}

/// `text` with one to four characters inserted, removed or replaced, or a suffix doubled.
pub(super) fn mutated(stream: &mut Stream, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..1 + stream.below(4) {
        let at = stream.below(characters.len() as u64 + 1) as usize;
        match stream.below(4) {
            0 => characters.insert(at, character(stream)),
            1 if at < characters.len() => drop(characters.remove(at)),
            2 if at < characters.len() => characters[at] = character(stream),
            _ => characters.extend_from_within(at..),
        }
    }
    characters.into_iter().collect()
}

fn character(stream: &mut Stream) -> char {
    if stream.bernoulli(0.3) {
        return pick(stream, &ODD);
    }
    // Surrogates become the replacement character.
    let limit = pick(stream, &[0x80, 0x3000, 0xa000, 0x11_0000]);
    char::from_u32(stream.below(limit) as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// An action far longer than any of an agent.
fn huge(stream: &mut Stream) -> String {
    let verb = pick(stream, &VERBS);
    let word = pick(stream, &WORDS);
    [verb, &word.repeat(1 + stream.below(20_000) as usize)].concat()
}
