//! A real API server for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, CustomResourceExt};
use shoprl_crds::ShopRLJob;
use tempfile::TempDir;

/// etcd and an API server on loopback with the CRD. They stop when this is dropped.
pub(crate) struct ApiServer {
    kubeconfig: PathBuf,
    folder: TempDir,
}

fn cluster(arguments: &[&str], folder: &Path) -> String {
    let program = format!("{}/../e2e/cluster/cluster", env!("CARGO_MANIFEST_DIR"));
    let output =
        Command::new(program).args(arguments).arg(folder).output().expect("the script runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cluster {arguments:?}: {log}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl ApiServer {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("rights").tempdir().expect("a folder");
        cluster(&["api", "up"], folder.path());
        let server = Self { kubeconfig: folder.path().join("kubeconfig"), folder };
        let client = Client::try_from(server.config(None).await).expect("a client");
        let kinds: Api<CustomResourceDefinition> = Api::all(client);
        kinds
            .create(&PostParams::default(), &ShopRLJob::crd())
            .await
            .expect("the kind is accepted");
        let established = kube::runtime::conditions::is_crd_established();
        kube::runtime::wait::await_condition(kinds, "shoprljobs.shoprl.dev", established)
            .await
            .expect("the kind is served");
        server
    }

    /// Folder with the files of the API server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Path of the administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A configuration for the administrator, or for another user.
    pub(crate) async fn config(&self, user: Option<String>) -> Config {
        let mut kubeconfig = Kubeconfig::read_from(&self.kubeconfig).expect("a kubeconfig");
        for named in &mut kubeconfig.auth_infos {
            let info = named.auth_info.get_or_insert_default();
            info.impersonate = user.clone();
        }
        let options = KubeConfigOptions::default();
        Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a configuration")
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        cluster(&["api", "down"], self.folder.path());
    }
}
