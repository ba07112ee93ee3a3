//! Parses observations by their layout alone.

/// A parsed page.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mall) enum Page {
    Opening(Opening),
    Results(Results),
    Item(Item),
    /// 已选: price of the current selection in fen.
    Chosen(u32),
    /// An utterance of the shopper.
    Spoken(String),
    /// 无效
    Refused,
    Other,
}

/// The first observation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::mall) struct Opening {
    /// Relation and name.
    pub(in crate::mall) family: Vec<(String, String)>,
    /// Name, and the rest of the line.
    pub(in crate::mall) records: Vec<(String, String)>,
    pub(in crate::mall) text: String,
    pub(in crate::mall) shopper: bool,
}

/// A page of results.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::mall) struct Results {
    pub(in crate::mall) rows: Vec<Row>,
    pub(in crate::mall) last: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::mall) struct Row {
    pub(in crate::mall) number: usize,
    pub(in crate::mall) title: String,
    pub(in crate::mall) fen: u32,
    pub(in crate::mall) brand: String,
    /// Some of the attributes.
    pub(in crate::mall) tags: Vec<String>,
}

/// A product page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::mall) struct Item {
    pub(in crate::mall) leaf: String,
    pub(in crate::mall) brand: String,
    /// Axis and value.
    pub(in crate::mall) facts: Vec<(String, String)>,
    /// Axis and values.
    pub(in crate::mall) options: Vec<(String, Vec<String>)>,
    pub(in crate::mall) fen: u32,
}

/// A page and the remaining turns.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::mall) struct Observation {
    pub(in crate::mall) page: Page,
    pub(in crate::mall) remaining: u32,
}

impl Observation {
    pub(in crate::mall) fn read(text: &str) -> Self {
        let (body, counter) = text.rsplit_once('\n').unwrap_or((text, ""));
        let remaining = counter.strip_prefix("剩余").and_then(|it| it.strip_suffix('轮'));
        let remaining = remaining.and_then(|it| it.parse().ok()).unwrap_or(0);
        Self { page: Page::read(body), remaining }
    }
}

impl Page {
    fn read(body: &str) -> Self {
        let (marker, rest) = body.split_once([' ', '\n']).unwrap_or((body, ""));
        match marker {
            "档案" | "任务" => Self::Opening(Opening::read(body)),
            "结果" => Self::Results(Results::read(rest)),
            "商品" => Self::Item(Item::read(body)),
            "已选" => {
                let price = body.lines().find_map(|line| line.strip_prefix("价格 "));
                Self::Chosen(price.and_then(fen).unwrap_or(0))
            }
            "顾客" => Self::Spoken(rest.to_owned()),
            "无效" => Self::Refused,
            _ => Self::Other,
        }
    }
}

impl Opening {
    /// Parses a first observation.
    pub(in crate::mall) fn read(body: &str) -> Self {
        let mut opening = Self::default();
        for line in body.lines() {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            match first {
                "家人" => {
                    let pairs = rest.split('，').filter_map(|pair| pair.split_once('是'));
                    opening.family = pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
                }
                "任务" | "顾客" => {
                    opening.shopper = first == "顾客";
                    rest.clone_into(&mut opening.text);
                }
                _ => opening.records.push((first.to_owned(), rest.to_owned())),
            }
        }
        opening
    }
}

impl Results {
    fn read(rest: &str) -> Self {
        let mut lines = rest.lines();
        let pages = lines
            .next()
            .and_then(|head| head.rsplit_once('第'))
            .and_then(|(_, pages)| pages.strip_suffix('页')?.split_once('/'));
        let last = pages.is_none_or(|(page, pages)| page == pages);
        let rows = lines.filter_map(|line| {
            let mut parts = line.strip_prefix('#')?.split(' ');
            let number = parts.next()?.parse().ok()?;
            let title = parts.next()?.to_owned();
            let fen = fen(parts.next()?)?;
            let brand = parts.nth(1)?.to_owned();
            let tags = parts.next().unwrap_or_default().split('/').map(str::to_owned).collect();
            Some(Row { number, title, fen, brand, tags })
        });
        Self { rows: rows.collect(), last }
    }
}

impl Item {
    fn read(body: &str) -> Self {
        let mut item = Self::default();
        for line in body.lines() {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            let pairs = || rest.split(' ').filter_map(|pair| pair.split_once(':'));
            match first {
                "类目" => item.leaf = rest.rsplit('›').next().unwrap_or_default().to_owned(),
                "品牌" => rest.clone_into(&mut item.brand),
                "参数" => {
                    item.facts = pairs().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
                }
                "规格" => {
                    let values = |it: &str| it.split('/').map(str::to_owned).collect();
                    item.options = pairs().map(|(a, b)| (a.to_owned(), values(b))).collect();
                }
                "价格" => item.fen = fen(rest.trim_end_matches('起')).unwrap_or(0),
                _ => {}
            }
        }
        item
    }
}

/// Parses `¥129.9` into fen.
fn fen(text: &str) -> Option<u32> {
    let text = text.strip_prefix('¥')?;
    let (yuan, rest) = text.split_once('.').unwrap_or((text, ""));
    let rest: u32 = format!("{rest:0<2}").parse().ok()?;
    yuan.parse::<u32>().ok()?.checked_mul(100)?.checked_add(rest)
}
