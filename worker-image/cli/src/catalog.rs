//! `shoprl catalog`: builds, prints, searches, verifies and imports the catalogs of large shops.

pub(crate) mod file;
mod import;
mod print;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use shoprl_contract::Exit;
use shoprl_simulator::mall::import::Format;
use shoprl_simulator::mall::{Catalog, Mall, MallError, Preset};

use crate::output::to_stdout;

/// Build, read, search and verify the catalog of a large shop.
#[derive(Debug, Args)]
pub struct CatalogArguments {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Generate a catalog and its search index, and write both to one file.
    Build {
        #[command(flatten)]
        made: Made,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Print a summary of a catalog, one product, or all products as JSON lines.
    Show {
        #[command(flatten)]
        source: Source,
        /// Print this product instead; ids start at 0.
        #[arg(long, value_name = "ID", conflicts_with = "json")]
        product: Option<u32>,
        /// Print all products, one line of JSON each.
        #[arg(long)]
        json: bool,
    },
    /// Search as the agent does. ¥N in the query is the highest price.
    Search {
        #[command(flatten)]
        source: Source,
        /// Search query.
        query: String,
        /// Products to print.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Check a stored shop completely: checksum, columns, index, digest, and equality with the catalog of its preset and
    /// seed.
    Verify {
        /// File that `build` wrote.
        file: PathBuf,
        #[command(flatten)]
        made: Made,
        /// Compare with this digest, as `build` and `import` print it, instead of preset and seed.
        #[arg(long, value_name = "DIGEST", conflicts_with_all = ["preset", "seed"])]
        sha256: Option<String>,
    },
    /// Make a catalog from the products of another environment, and report the records left out.
    Import {
        /// File of products: a JSON array, or one object per line.
        file: PathBuf,
        /// Format of the file.
        #[arg(long, value_enum)]
        format: FormatName,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    /// ShopSimulator: title, category, attribute, pricing and customization_options.
    Shopsimulator,
    /// WebShop: name, product_category, attributes, pricing and customization_options.
    Webshop,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Shopsimulator => Self::ShopSimulator,
            FormatName::Webshop => Self::WebShop,
        }
    }
}

/// Parameters of a generated catalog.
#[derive(Debug, Args)]
struct Made {
    /// Size of the catalog.
    #[arg(long, value_enum, default_value = "fine")]
    preset: PresetName,
    /// Seed of the catalog.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,
}

/// Source of a catalog.
#[derive(Debug, Args)]
struct Source {
    /// Read this file instead of generating a catalog.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["preset", "seed"])]
    shop: Option<PathBuf>,
    #[command(flatten)]
    made: Made,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PresetName {
    /// 24,000 products in 200 leaf categories.
    Fine,
    /// 1,300,000 products in the same categories. Build it once into a file and use --shop.
    Full,
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Self {
        match name {
            PresetName::Fine => Self::Fine,
            PresetName::Full => Self::Full,
        }
    }
}

impl Made {
    fn open(&self) -> Result<Mall, Exit> {
        Mall::generate(self.preset.into(), self.seed)
            .map_err(|error| Exit::temporary(error.to_string()))
    }
}

impl Source {
    fn open(&self) -> Result<Mall, Exit> {
        self.shop.as_ref().map_or_else(|| self.made.open(), |path| file::open(path))
    }
}

/// Runs the subcommand.
///
/// # Errors
/// When a file cannot be read, written or used, or a product id or query is invalid.
pub fn catalog(arguments: &CatalogArguments) -> Result<(), Exit> {
    match &arguments.command {
        CatalogCommand::Build { made, output } => {
            let mall = file::build(made.preset.into(), made.seed, output)?;
            to_stdout(|out| {
                let catalog = mall.catalog();
                writeln!(
                    out,
                    "{}: {} products, {}",
                    output.display(),
                    catalog.len(),
                    catalog.digest()
                )
            })
        }
        CatalogCommand::Show { source, product, json } => show(&source.open()?, *product, *json),
        CatalogCommand::Search { source, query, limit } => {
            let mall = source.open()?;
            let found = mall.search(query, *limit).map_err(|error| match error {
                MallError::EmptyQuery(_) | MallError::LongQuery(_) => {
                    Exit::bad_configuration(error.to_string())
                }
                _ => Exit::temporary(error.to_string()),
            })?;
            to_stdout(|out| print::results(out, mall.catalog(), &found))
        }
        CatalogCommand::Verify { file, made, sha256 } => verify(file, made, sha256.as_deref()),
        CatalogCommand::Import { file, format, output, json } => {
            import::import(file, (*format).into(), output, *json)
        }
    }
}

fn show(mall: &Mall, product: Option<u32>, json: bool) -> Result<(), Exit> {
    let catalog = mall.catalog();
    let Some(id) = product else {
        return to_stdout(|out| {
            if json { print::lines(out, catalog) } else { print::summary(out, catalog) }
        });
    };
    let product = catalog.product(id).ok_or_else(|| {
        Exit::bad_configuration(format!(
            "--product: {id} is not in the catalog; use a number below {}",
            catalog.len()
        ))
    })?;
    to_stdout(|out| print::product(out, &product))
}

fn verify(path: &Path, made: &Made, sha256: Option<&str>) -> Result<(), Exit> {
    let mall = file::open(path)?;
    mall.verify().map_err(|error| file::exit(path, &error))?;
    let found = mall.catalog().digest();
    if let Some(expected) = sha256.filter(|digest| !digest.eq_ignore_ascii_case(found)) {
        return Err(Exit::bad_configuration(format!(
            "{}: intact, but its catalog is {found}, not {expected}; use the --sha256 of this file",
            path.display()
        )));
    }
    let generated = || Catalog::digest_of(made.preset.into(), made.seed);
    let expected = sha256.map_or_else(generated, |_| found.to_owned());
    if found == expected {
        return to_stdout(|out| writeln!(out, "{}: intact, {found}", path.display()));
    }
    Err(Exit::bad_configuration(format!(
        "{}: intact, but its catalog is {found}, and --preset and --seed give {expected}; use the preset and seed of its build, or --sha256",
        path.display()
    )))
}
