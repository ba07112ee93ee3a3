use super::*;
use crate::catalog::Preset;
#[test]
fn stat() {
    let catalog = Catalog::generate(Preset::Mini, 0);
    for scenario in Scenario::ALL {
        let mut n = 0;
        let mut t = 0;
        let mut none = 0;
        for seed in 0..2000 {
            let task = Task::new(&catalog, &TaskKey { split: Split::HeldOut, scenario, seed });
            if !task.goal.fits {
                none += 1;
                continue;
            }
            t += 1;
            n += catalog.products().iter().filter(|p| task.goal.is_met_by(p)).count();
        }
        println!("{scenario:?} satisfying {:.2} of {t}, none {none}", n as f64 / t as f64);
    }
}
