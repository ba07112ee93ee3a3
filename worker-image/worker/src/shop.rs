//! Opening the job's shop.

use std::sync::Arc;

use shoprl_contract::{Exit, RunConfig};
use shoprl_simulator::{Preset, Shop};

/// Opens the shop named in the configuration.
pub(crate) fn open(config: &RunConfig) -> Result<Arc<Shop>, Exit> {
    let environment = &config.environment;
    let preset = match environment.catalog.as_str() {
        "mini" => Preset::Mini,
        other => {
            return Err(Exit::bad_configuration(format!(
                "environment.catalog.preset: {other:?} is not known; choose mini"
            )));
        }
    };
    let shop = Shop::open(preset, environment.catalog_seed)
        .map_err(|error| Exit::temporary(format!("shop {}: {error}", environment.catalog)))?;
    Ok(Arc::new(shop))
}
