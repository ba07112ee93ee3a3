//! `shoprl catalog`: large shops as files, and what is in them.

pub(crate) mod file;
mod import;
mod print;

use std::path::PathBuf;

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
    /// Generate a catalog with its search index and store both in one file.
    Build {
        #[command(flatten)]
        made: Made,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Show what a catalog holds, one product of it, or all products as JSON lines.
    Show {
        #[command(flatten)]
        source: Source,
        /// Show this product instead, from 0.
        #[arg(long, value_name = "ID", conflicts_with = "json")]
        product: Option<u32>,
        /// Print every product as one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Search as an agent would; ¥N in the query is the highest price.
    Search {
        #[command(flatten)]
        source: Source,
        /// What to look for.
        query: String,
        /// Products to show.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
    /// Read all of a stored shop and check it: checksum, columns, index, digest, and that its preset and seed give the
    /// same catalog.
    Verify {
        /// File that `build` wrote.
        file: PathBuf,
        #[command(flatten)]
        made: Made,
        /// What the catalog must be instead, as `build` and `import` printed it.
        #[arg(long, value_name = "DIGEST", conflicts_with_all = ["preset", "seed"])]
        sha256: Option<String>,
    },
    /// Make a catalog of the products of another environment, and tell what of them was left out.
    Import {
        /// File of products: a JSON array, or one object a line.
        file: PathBuf,
        /// Whose format it is.
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
    /// Products with title, category, attribute, pricing and customization_options.
    Shopsimulator,
    /// The same with name, product_category and attributes.
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

/// How a catalog is made.
#[derive(Debug, Args)]
struct Made {
    /// Size of the catalog.
    #[arg(long, value_enum, default_value = "fine")]
    preset: PresetName,
    /// Seed of the catalog.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,
}

/// Where a catalog comes from.
#[derive(Debug, Args)]
struct Source {
    /// Read this file instead of generating.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["preset", "seed"])]
    shop: Option<PathBuf>,
    #[command(flatten)]
    made: Made,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PresetName {
    /// 24,000 products in 200 leaf categories.
    Fine,
    /// 1,300,000 products in the same categories; build it into a file once and give that with --shop.
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

/// Does what the subcommand says.
///
/// # Errors
/// When a file cannot be read, written or used, or a product or query is none.
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
            "--product: {id} is not in the catalog; write a number below {}",
            catalog.len()
        ))
    })?;
    to_stdout(|out| print::product(out, &product))
}

fn verify(path: &std::path::Path, made: &Made, sha256: Option<&str>) -> Result<(), Exit> {
    let mall = file::open(path)?;
    mall.verify().map_err(|error| file::exit(path, &error))?;
    let found = mall.catalog().digest();
    if let Some(expected) = sha256.filter(|it| !it.eq_ignore_ascii_case(found)) {
        return Err(Exit::bad_configuration(format!(
            "{}: intact, but its catalog is {found}, not {expected}; give --sha256 of this file",
            path.display()
        )));
    }
    let generated = || Catalog::digest_of(made.preset.into(), made.seed);
    let expected = sha256.map_or_else(generated, |_| found.to_owned());
    if found == expected {
        return to_stdout(|out| writeln!(out, "{}: intact, {found}", path.display()));
    }
    Err(Exit::bad_configuration(format!(
        "{}: intact, but its catalog is {found}, and --preset and --seed give {expected}; name those it was built with, or --sha256",
        path.display()
    )))
}
