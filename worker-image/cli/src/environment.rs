//! `shoprl environment`: the shop for other programs, over gRPC.

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
    /// The shop: `mini` is that of the quickstart, `fine` the large one.
    #[arg(long, value_enum, default_value = "fine")]
    catalog: CatalogName,
    /// Seed of the catalog.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    catalog_seed: u64,
    /// Read a large shop that `shoprl catalog build` wrote, instead of generating one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["catalog", "catalog_seed"])]
    catalog_file: Option<PathBuf>,
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDRESS")]
    listen: String,
    /// Most sessions at a time.
    #[arg(long, default_value_t = 4096, value_name = "N",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    sessions: usize,
    /// Seconds after which an unused session is forgotten.
    #[arg(long, default_value_t = 600, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lease: u64,
    /// File with the token that clients must present: 32 or more letters and digits. Needed where other machines can
    /// dial.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Gets host:port once listening.
    #[arg(long, value_name = "FILE")]
    address_file: Option<PathBuf>,
    /// Threads that answer; as many as there are processors by default.
    #[arg(long, value_name = "N",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    threads: Option<usize>,
    #[command(flatten)]
    shopper: ShopperArguments,
    /// How to write the log, to the standard error; RUST_LOG filters it.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log: LogFormat,
}

/// A language model that speaks for the shopper of a large shop. The rules decide what is said.
#[derive(Debug, Args)]
struct ShopperArguments {
    /// An endpoint of OpenAI's chat completions, up to and with its version: http://127.0.0.1:8080/v1.
    #[arg(long, value_name = "URL", requires = "shopper_model")]
    shopper_url: Option<Uri>,
    /// The model's name there.
    #[arg(long, value_name = "NAME", requires = "shopper_url")]
    shopper_model: Option<String>,
    /// File with the endpoint's key.
    #[arg(long, value_name = "FILE", requires = "shopper_url")]
    shopper_key_file: Option<PathBuf>,
    /// Temperature of the model, 0 to 2.
    #[arg(long, value_name = "T", default_value_t = 0.7, value_parser = temperature)]
    shopper_temperature: f32,
    /// Seed of the model's draws.
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
    /// 2,400 products in the words of a closed list.
    Mini,
    /// 24,000 products in natural titles.
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

/// Serves until asked to stop.
///
/// # Errors
/// When the catalog or the token cannot be read, or the address cannot be listened on.
pub fn environment(arguments: &EnvironmentArguments) -> Result<(), Exit> {
    log::to_stderr(arguments.log);
    // Where the system does not tell, one.
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
        // Whoever started it with a pipe that is closed does not want to know.
        let _ = to_stdout(|out| writeln!(out, "listening on {address}, catalog {digest}"));
    })
}
