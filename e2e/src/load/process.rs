//! Memory and CPU time of the operator's process.

use anyhow::Context;

/// Clock ticks per second in /proc: fixed for user space, independent of the kernel's timer.
const TICKS: f64 = 100.0;

/// A process by its id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(pub(super) u32);

impl Process {
    /// Current and peak resident memory, in MiB.
    pub(super) fn memory(self) -> anyhow::Result<(f64, f64)> {
        let text = self.read("status")?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
            kib.map(|kib| kib / 1024.0)
                .with_context(|| format!("/proc/{}/status: no {name}", self.0))
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// CPU seconds used so far.
    pub(super) fn seconds(self) -> anyhow::Result<f64> {
        let text = self.read("stat")?;
        // Fields 14 and 15 are user and system time; counting starts after the name, which may contain anything.
        let ticks = text.rsplit_once(')').and_then(|(_, rest)| {
            let mut fields = rest.split_whitespace().skip(11).map(str::parse::<f64>);
            Some(fields.next()?.ok()? + fields.next()?.ok()?)
        });
        let ticks = ticks.with_context(|| format!("/proc/{}/stat: no times", self.0))?;
        Ok(ticks / TICKS)
    }

    fn read(self, what: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{what}", self.0);
        std::fs::read_to_string(&path)
            .with_context(|| format!("{path}: --pid must be the operator's process"))
    }
}

#[cfg(test)]
mod tests {
    use super::Process;

    #[test]
    fn a_process_has_memory_and_time_and_a_missing_one_is_named() {
        let me = Process(std::process::id());
        let (now, peak) = me.memory().expect("this process");
        assert!(now > 0.5 && now <= peak, "{now} {peak}");
        assert!(me.seconds().is_ok_and(|seconds| seconds >= 0.0));
        let error = Process(u32::MAX).memory().expect_err("no process").to_string();
        assert!(error.contains("--pid must be"), "{error}");
    }
}
