//! `shoprl environment`: serves the shop over gRPC.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::Uri;
use shoprl_contract::Exit;
use shoprl_simulator::mall::{self, Mall};
use shoprl_simulator::{Preset, Shop};
use shoprl_worker::environment::{EnvironmentOptions, World, serve};
use shoprl_worker::voice;

use crate::catalog::file;
use crate::log::{self, LogFormat};
use crate::output::to_stdout;

/// Serve the shop to other trainers and scripts, over gRPC (docs/concepts/environment.md).
#[derive(Debug, Args)]
pub struct EnvironmentArguments {
    /// Catalog of the shop: `mini` as in the quickstart, or `fine`, the large one.
    #[arg(long, value_enum, default_value = "fine")]
    catalog: CatalogName,
    /// Seed of the catalog.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    catalog_seed: u64,
    /// File of a large shop, written by `shoprl catalog build`, instead of a generated one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["catalog", "catalog_seed"])]
    catalog_file: Option<PathBuf>,
    /// Listen address. Port 0 picks a free port.
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    listen: String,
    /// Maximum number of open sessions.
    #[arg(long, default_value_t = 4096, value_name = "N",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    sessions: usize,
    /// Seconds after which an idle session is closed.
    #[arg(long, default_value_t = 600, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lease: u64,
    /// File with the token that clients must send: at least 32 letters and digits. Required unless the address is loopback.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File to write host:port to once listening.
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    /// Server threads. Default: the number of CPU cores.
    #[arg(long, value_name = "N",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    threads: Option<usize>,
    #[command(flatten)]
    shopper: ShopperArguments,
    /// Format of the log on standard error. RUST_LOG filters it.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log: LogFormat,
}

/// A language model that words the answers of the shopper in a large shop. Rules decide their content.
#[derive(Debug, Args)]
struct ShopperArguments {
    /// Base URL of an OpenAI-compatible chat completions API, for example http://127.0.0.1:8080/v1.
    #[arg(long, value_name = "URL", requires = "shopper_model")]
    shopper_url: Option<Uri>,
    /// Name of the model in that API.
    #[arg(long, value_name = "NAME", requires = "shopper_url")]
    shopper_model: Option<String>,
    /// File with the API key.
    #[arg(long, value_name = "FILE", requires = "shopper_url")]
    shopper_key_file: Option<PathBuf>,
    /// Sampling temperature of the model, 0 to 2.
    #[arg(long, value_name = "T", default_value_t = 0.7, value_parser = temperature)]
    shopper_temperature: f32,
    /// Sampling seed of the model.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    shopper_seed: u64,
}

impl ShopperArguments {
    fn options(&self) -> Option<voice::Options> {
        Some(voice::Options {
            url: self.shopper_url.clone()?,
            model: self.shopper_model.clone()?,
            key_file: self.shopper_key_file.clone(),
            temperature: self.shopper_temperature,
            seed: self.shopper_seed,
            attempts: 4,
            deadline: Duration::from_secs(30),
            backoff: Duration::from_millis(500),
            concurrent: 8,
            max_tokens: 96,
        })
    }
}

fn temperature(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| "write a number from 0 to 2".to_owned())?;
    if (0.0..=2.0).contains(&value) {
        Ok(value)
    } else {
        Err("write a number from 0 to 2".to_owned())
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CatalogName {
    /// 2,400 products, described with a closed vocabulary.
    Mini,
    /// 24,000 products with natural titles.
    Fine,
}

impl EnvironmentArguments {
    fn world(&self) -> Result<World, Exit> {
        if let Some(path) = &self.catalog_file {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(World::Large { name, mall: Arc::new(file::open(path)?) });
        }
        let large = |preset: mall::Preset| {
            let mall = Mall::generate(preset, self.catalog_seed)
                .map_err(|error| Exit::temporary(error.to_string()))?;
            Ok(World::Large { name: preset.name().to_owned(), mall: Arc::new(mall) })
        };
        match self.catalog {
            CatalogName::Mini => Shop::open(Preset::Mini, self.catalog_seed)
                .map(|shop| World::Mini(Arc::new(shop)))
                .map_err(|error| Exit::temporary(error.to_string())),
            CatalogName::Fine => large(mall::Preset::Fine),
        }
    }
}

/// Serves until it is stopped.
///
/// # Errors
/// When the catalog or the token cannot be read, or listening on the address fails.
pub fn environment(arguments: &EnvironmentArguments) -> Result<(), Exit> {
    log::to_stderr(arguments.log);
    // 1 if the system does not report its cores.
    let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let options = EnvironmentOptions {
        world: arguments.world()?,
        listen: arguments.listen.clone(),
        sessions: arguments.sessions,
        lease: Duration::from_secs(arguments.lease),
        token_file: arguments.token_file.clone(),
        address_file: arguments.address_file.clone(),
        threads: arguments.threads.unwrap_or_else(processors),
        shopper: arguments.shopper.options(),
    };
    serve(&options, |address, digest| {
        // A closed pipe is no reason to stop serving.
        let _ = to_stdout(|out| writeln!(out, "listening on {address}, catalog {digest}"));
    })
}
