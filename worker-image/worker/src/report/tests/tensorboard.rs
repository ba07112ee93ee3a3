use std::collections::BTreeMap;
use std::fs;

use prost::Message;

use super::super::events;
use super::super::events::frame::records;
use super::super::events::message::{Event, What};
use super::super::render;
use super::fixture;

#[test]
fn the_events_match_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    fixture::write_whole(folder.path());
    render(folder.path()).unwrap();
    let file = fs::read(folder.path().join(events::FILE)).unwrap();
    let decoded: Vec<Event> =
        records(&file).unwrap().into_iter().map(|data| Event::decode(data).unwrap()).collect();
    assert_eq!(decoded[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));

    let mut series: BTreeMap<&str, Vec<(i64, f64, f32)>> = BTreeMap::new();
    for event in &decoded[1..] {
        let Some(What::Summary(summary)) = &event.what else { panic!("{event:?}") };
        for value in &summary.value {
            let point = (event.step, event.wall_time, value.simple_value.unwrap());
            series.entry(&value.tag).or_default().push(point);
        }
    }
    for (tag, points) in &series {
        assert!(points.is_sorted_by(|a, b| a.0 < b.0), "{tag}: {points:?}");
        assert!(points.is_sorted_by(|a, b| a.1 <= b.1), "{tag}: {points:?}");
    }
    let rows = fixture::training_rows(fixture::STEPS);
    let reward: Vec<_> = rows.iter().map(|row| (row.step as i64, row.reward as f32)).collect();
    let found = |tag| series[tag].iter().map(|p| (p.0, p.2)).collect::<Vec<_>>();
    assert_eq!(found("training/reward"), reward);
    assert_eq!(found("training/kl"), reward.iter().map(|p| (p.0, 0.0)).collect::<Vec<_>>());
    let trust: Vec<_> =
        rows.iter().map(|row| (row.step as i64, row.credit.kinds["buy"].trust as f32)).collect();
    assert_eq!(found("credit/trust/buy"), trust);
    assert_eq!(series["credit/auc"].len(), rows.len());
    assert_eq!(series["warmup/loss"].len(), 17);
    assert_eq!(series["warmup/greedySuccess"].len(), 8);
    let steps = |tag| series[tag].iter().map(|point| point.0).collect::<Vec<_>>();
    assert_eq!(steps("heldOut/greedy/success"), [0, 20, 40, 60]);
    assert_eq!(steps("heldOut/expert/success"), [60]);
}
