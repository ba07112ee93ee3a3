//! The trainer's metrics for Prometheus. Counters continue from the checkpoint: they count for the job, not for the process.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shoprl_contract::Role;

use super::shared::Shared;

/// Prefix of every metric name.
const PREFIX: &str = "shoprl_trainer";

type Label = [(&'static str, String); 1];
type Real = Gauge<f64, AtomicU64>;

/// All metrics in the text format of OpenMetrics.
pub(super) fn text(shared: &Shared) -> String {
    let registry = registry(shared);
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a String cannot fail");
    text
}

fn registry(shared: &Shared) -> Registry {
    let state = shared.lock();
    let (progress, measured) = (&state.progress, &state.measured);
    let census = state.coordinator.census(Instant::now());
    let mut registry = Registry::with_prefix(PREFIX);
    let mut number = |name: &str, help: &str, value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    number("step", "Completed steps of reinforcement learning", progress.step);
    number("target_steps", "Steps of reinforcement learning to complete", progress.target_steps);
    number("weights_version", "Optimiser updates applied to the weights", progress.weights_version);
    let mut rate = |name: &str, help: &str, value: f64| {
        let gauge = Real::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    // Negative while nothing was measured.
    if progress.success >= 0.0 {
        rate("success", "Newest success rate, from 0 to 1", progress.success);
    }
    if let Some(reward) = measured.reward {
        rate("reward", "Mean reward of the newest step's episodes", reward);
    }
    let (seconds, tokens) =
        (Family::<Label, Counter<f64, AtomicU64>>::default(), Family::<Label, Counter>::default());
    for spent in &measured.spent {
        let label = [("on", spent.name.clone())];
        seconds.get_or_create(&label).inc_by(spent.seconds);
        tokens.get_or_create(&label).inc_by(spent.tokens);
    }
    registry.register("seconds", "Wall-clock seconds of the job by activity", seconds);
    registry.register("tokens", "Tokens sampled or trained by the job, by activity", tokens);
    let workers = Family::<Label, Gauge>::default();
    for (role, count) in [
        (Role::Rollout, census.rollouts),
        (Role::Reward, census.rewards),
        (Role::Simulator, census.simulators),
    ] {
        workers.get_or_create(&[("role", role.name().to_owned())]).set(i64::from(count));
    }
    registry.register("workers", "Live workers by role", workers);
    registry
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shoprl_contract::run_folder::PhaseBudget;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::{Shared, text};
    use crate::telemetry;

    async fn get(address: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nhost: trainer\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        answer
    }

    #[tokio::test]
    async fn metrics_report_progress_and_omit_what_was_not_measured() {
        let shared = Arc::new(Shared::default());
        shared.lock().progress.success = -1.0;
        let listener = telemetry::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let served = Arc::clone(&shared);
        tokio::spawn(telemetry::serve(listener, move || text(&served)));
        let before = get(&address, "/metrics").await;
        assert!(before.starts_with("HTTP/1.1 200 "), "{before}");
        assert!(before.contains("\nshoprl_trainer_step 0\n"), "{before}");
        assert!(
            !before.contains("shoprl_trainer_success ")
                && !before.contains("shoprl_trainer_reward "),
            "{before}"
        );
        {
            let mut state = shared.lock();
            (state.progress.step, state.progress.success) = (7, 0.5);
            state.measured.reward = Some(0.25);
            let spent = |name: &str, seconds, tokens| PhaseBudget {
                name: name.to_owned(),
                seconds,
                tokens,
            };
            state.measured.spent = vec![spent("rollout", 1.5, 300), spent("training", 2.0, 400)];
        }
        let after = get(&address, "/metrics").await;
        for line in [
            "step 7",
            "success 0.5",
            "reward 0.25",
            "seconds_total{on=\"rollout\"} 1.5",
            "tokens_total{on=\"training\"} 400",
            "workers{role=\"rollout\"} 0",
        ] {
            assert!(after.contains(&format!("\nshoprl_trainer_{line}\n")), "{line}: {after}");
        }
        assert!(get(&address, "/").await.starts_with("HTTP/1.1 404 "));
    }
}
