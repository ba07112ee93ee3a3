//! Measures the error analysis of the large shop on planted errors: confusion table, precision and recall.
//!
//! `cargo run --release -p shoprl-simulator --example analysis [EPISODES]`

use std::sync::Arc;

use shoprl_simulator::Split;
use shoprl_simulator::mall::analysis::Fault;
use shoprl_simulator::mall::analysis::planting::{confusion, score};
use shoprl_simulator::mall::{Mall, Preset};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let episodes = std::env::args().nth(1).map_or(Ok(200), |it| it.parse())?;
    let mall = Arc::new(Mall::generate(Preset::Fine, 0)?);
    println!("catalog {}", mall.catalog().digest());
    for split in [Split::Train, Split::HeldOut] {
        let table = confusion(&mall, split, episodes)?;
        println!("\n{split:?}, episodes in which a class was found\n");
        println!("| planted | episodes | {} |", Fault::ALL.map(Fault::name).join(" | "));
        println!("|---|---|{}", "---|".repeat(Fault::ALL.len()));
        for row in &table {
            let planted = row.planted.map_or("nothing", Fault::name);
            let found = row.found.map(|count| count.to_string()).join(" | ");
            println!("| {planted} | {} | {found} |", row.episodes);
        }
        println!("\n| class | precision | among other errors | recall |\n|---|---|---|---|");
        for fault in Fault::ALL {
            let score = score(&table, fault);
            let shares = [score.precision, score.precision_among_errors, score.recall];
            let shares = shares.map(|share| format!("{:.1}", 100.0 * share)).join(" | ");
            println!("| {} | {shares} |", fault.name());
        }
    }
    Ok(())
}
