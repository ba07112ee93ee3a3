//! Generates families: a prototype and 6 to 10 members. Each member differs from the prototype in one to three of brand,
//! attribute, options and price.

use shoprl_rl::seed::{Purpose, Stream};

use super::option::{OptionAxis, OptionValue};
use super::price;
use super::product::{CategoryPath, Product};
use super::sold_out;
use crate::draw;
use crate::lexicon::Word;
use crate::lexicon::phrase;
use crate::lexicon::vocabulary::{BRANDS, COLOURS, DOMAINS, Domain, FLOURISHES, PRICES};

/// Use of a stream with purpose `Catalog` (its first coordinate).
#[derive(Clone, Copy)]
enum Part {
    Brands,
    Family,
    Split,
}

/// Share of the families of each category that are held out as targets.
const HELD_OUT: f64 = 0.2;
const BRANDS_PER_DOMAIN: usize = 10;
const COLOURS_PER_PRODUCT: usize = 4;
const SIZES_PER_PRODUCT: usize = 3;
const VISIBLE_ATTRIBUTES: usize = 2;
/// Number of facts in which a member differs from the prototype; each entry is equally likely.
const DIFFERENCES: [usize; 5] = [1, 1, 2, 2, 3];
/// Price steps kept free above the prototype, for more expensive members and surcharges.
const HEADROOM: usize = 8;
/// Upper bound of the popularity bias, in thousandths of a score point.
const POPULARITY: u64 = 2000;

/// All products in order of their ids, and per family whether it is held out.
pub(super) fn generate(per_category: usize, seed: u64) -> (Vec<Product>, Vec<bool>) {
    let mut products = Vec::with_capacity(per_category * DOMAINS.len() * 4);
    let mut held_out = Vec::new();
    for (domain_index, domain) in DOMAINS.iter().enumerate() {
        let mut stream = stream(seed, Part::Brands, domain_index as u64);
        let brands = draw::sample(&mut stream, &BRANDS, BRANDS_PER_DOMAIN);
        for leaf in domain.categories {
            let first_family = held_out.len();
            let end = products.len() + per_category;
            while products.len() < end {
                let family = held_out.len() as u32;
                let members = Family::new(seed, family, domain, leaf, &brands).members();
                products.extend(members.into_iter().take(end - products.len()));
                held_out.push(false);
            }
            hold_out(seed, first_family, &mut held_out[first_family..]);
        }
    }
    (products, held_out)
}

/// Marks a random fifth of a category's families.
fn hold_out(seed: u64, first_family: usize, held_out: &mut [bool]) {
    let count = (held_out.len() as f64 * HELD_OUT + 0.5) as usize;
    let families: Vec<usize> = (0..held_out.len()).collect();
    let mut stream = stream(seed, Part::Split, first_family as u64);
    for family in draw::sample(&mut stream, &families, count.max(1)) {
        held_out[family] = true;
    }
}

fn stream(seed: u64, part: Part, index: u64) -> Stream {
    Stream::new(seed, Purpose::Catalog, &[part as u64, index])
}

/// The prototype of a family, from which each member differs.
struct Family<'a> {
    stream: Stream,
    id: u32,
    domain: &'a Domain,
    leaf: Word,
    brands: &'a [Word],
    prototype: Facts,
}

#[derive(Clone)]
struct Facts {
    brand: Word,
    attributes: Vec<Word>,
    colours: Vec<Word>,
    sizes: Vec<Word>,
    base: usize,
}

#[derive(Clone, Copy)]
enum Difference {
    Brand,
    Attribute,
    Options,
    Price,
}

impl<'a> Family<'a> {
    fn new(seed: u64, id: u32, domain: &'a Domain, leaf: Word, brands: &'a [Word]) -> Self {
        let mut stream = stream(seed, Part::Family, u64::from(id));
        let prototype = Facts {
            brand: draw::pick(&mut stream, brands),
            attributes: domain.axes.iter().map(|axis| draw::pick(&mut stream, axis)).collect(),
            colours: draw::sample(&mut stream, &COLOURS, COLOURS_PER_PRODUCT),
            sizes: draw_sizes(&mut stream, domain),
            base: draw::index(&mut stream, PRICES.len() - HEADROOM),
        };
        Self { stream, id, domain, leaf, brands, prototype }
    }

    fn members(mut self) -> Vec<Product> {
        let count = 6 + draw::index(&mut self.stream, 5);
        (0..count).map(|_| self.member()).collect()
    }

    fn member(&mut self) -> Product {
        use Difference::{Attribute, Brand, Options, Price};
        let mut facts = self.prototype.clone();
        let count = draw::pick(&mut self.stream, &DIFFERENCES);
        for difference in draw::sample(&mut self.stream, &[Brand, Attribute, Options, Price], count)
        {
            self.differ(&mut facts, difference);
        }
        self.product(facts)
    }

    fn differ(&mut self, facts: &mut Facts, difference: Difference) {
        let stream = &mut self.stream;
        match difference {
            Difference::Brand => facts.brand = draw::pick_other(stream, self.brands, facts.brand),
            Difference::Attribute => {
                let axis = draw::index(stream, facts.attributes.len());
                facts.attributes[axis] =
                    draw::pick_other(stream, &self.domain.axes[axis], facts.attributes[axis]);
            }
            Difference::Options => {
                let others: Vec<Word> =
                    COLOURS.into_iter().filter(|colour| !facts.colours.contains(colour)).collect();
                let replaced = draw::index(stream, facts.colours.len());
                facts.colours[replaced] = draw::pick(stream, &others);
                facts.sizes = draw_sizes(stream, self.domain);
            }
            Difference::Price => {
                let change = draw::pick(stream, &[-3, -2, -1, 1, 2, 3, 4]);
                let highest = PRICES.len() - 6;
                facts.base = facts.base.saturating_add_signed(change).min(highest);
            }
        }
    }

    fn product(&mut self, facts: Facts) -> Product {
        let stream = &mut self.stream;
        // A third of the products charge more for each larger size.
        let step: u8 = draw::pick(stream, &[0, 0, 1]);
        let mut colours = facts.colours;
        stream.shuffle(&mut colours);
        let options =
            vec![axis(phrase::COLOUR, &colours, 0), axis(phrase::SIZE, &facts.sizes, step)];
        let mut title = vec![facts.brand];
        title.extend(draw::sample(stream, &facts.attributes, VISIBLE_ATTRIBUTES));
        title.push(self.leaf);
        let stray_axis = draw::pick(stream, &self.domain.axes);
        Product {
            family: self.id,
            category: CategoryPath { domain: self.domain.name, leaf: self.leaf },
            brand: facts.brand,
            attributes: facts.attributes,
            title,
            flourish: draw::pick(stream, &FLOURISHES),
            stray: draw::pick(stream, &stray_axis),
            sold_out: sold_out::draw(stream, &options),
            options,
            base: (facts.base as u8).min(price::TOP),
            popularity: stream.below(POPULARITY) as u16,
        }
    }
}

fn axis(name: Word, words: &[Word], step: u8) -> OptionAxis {
    let values = words
        .iter()
        .zip(0u8..)
        .map(|(&word, position)| OptionValue { word, surcharge: position * step })
        .collect();
    OptionAxis { name, values }
}

/// Draws three sizes, in order of size.
fn draw_sizes(stream: &mut Stream, domain: &Domain) -> Vec<Word> {
    let drawn = draw::sample(stream, &domain.sizes, SIZES_PER_PRODUCT);
    domain.sizes.into_iter().filter(|size| drawn.contains(size)).collect()
}
