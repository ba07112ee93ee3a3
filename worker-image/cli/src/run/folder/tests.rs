use std::sync::MutexGuard;

use shoprl_contract::ExitReason;

use super::*;
use crate::run::tests::exclusive;

struct Place {
    folder: tempfile::TempDir,
    _exclusive: MutexGuard<'static, ()>,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), _exclusive: exclusive() }
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// Opens the run folder with a manifest of this name and spec. Errors are freed of the machine's paths.
    fn open(&self, name: &str, spec: &str) -> Result<RunFolder, (ExitReason, String)> {
        let path = self.folder.path().join("job.yaml");
        let head = "apiVersion: shoprl.dev/v1alpha1\nkind: ShopRLJob\n";
        fs::write(&path, format!("{head}metadata: {{name: {name}}}\nspec: {spec}\n")).unwrap();
        let manifest = Manifest::read(&path).unwrap();
        RunFolder::open(&self.run(), &manifest).map_err(|error| {
            let exit = Exit::from(error);
            let here = format!("{}/", self.folder.path().display());
            (
                exit.reason,
                exit.message.replace(&here, "").replace(&std::process::id().to_string(), "PID"),
            )
        })
    }

    #[track_caller]
    fn check(&self, name: &str, spec: &str, reason: ExitReason, message: &str) {
        let refused = self.open(name, spec).err();
        assert_eq!(refused, Some((reason, message.to_owned())));
    }
}

#[test]
fn a_new_folder_holds_the_configuration_of_the_workers() {
    let place = Place::new();
    let folder = place.open("shop", "{seed: 3}").unwrap();
    let config: RunConfig =
        serde_json::from_str(&fs::read_to_string(place.run().join("run.json")).unwrap()).unwrap();
    assert_eq!((config.job.as_str(), config.seed), ("shop", 3));
    let manifest = fs::read_to_string(place.run().join("manifest.yaml")).unwrap();
    assert!(manifest.starts_with(HEADER) && manifest.contains("groupSize: 8"), "{manifest}");
    assert_eq!(fs::read_to_string(folder.token_file()).unwrap().trim(), folder.token());
    assert!(folder.logs().is_dir());
}

#[test]
fn a_run_continues_with_the_same_manifest_or_other_replicas() {
    let place = Place::new();
    let token = place.open("shop", "{seed: 3}").unwrap().token().to_owned();
    assert_eq!(place.open("shop", "{seed: 3}").unwrap().token(), token);
    place.open("shop", "{seed: 3, roles: {rollout: {replicas: 5}}}").unwrap();
    let config: RunConfig =
        serde_json::from_str(&fs::read_to_string(place.run().join("run.json")).unwrap()).unwrap();
    assert_eq!(config.roles.rollout.replicas, 5);
}

#[test]
fn another_manifest_is_refused_with_the_differences() {
    let place = Place::new();
    drop(place.open("shop", "{seed: 3}").unwrap());
    let before = fs::read(place.run().join("manifest.yaml")).unwrap();
    place.check(
        "store",
        "{seed: 4, training: {steps: 5}, checkpoint: {keep: 9}}",
        ExitReason::BadConfiguration,
        "run: this run has another manifest; undo the changes, or use --output with a new folder
  metadata.name: was \"shop\", now \"store\"
  spec.seed: was 3, now 4
  spec.training.steps: was 100, now 5",
    );
    assert_eq!(
        fs::read(place.run().join("manifest.yaml")).unwrap(),
        before,
        "the manifest is unchanged"
    );
}

#[test]
fn a_folder_in_use_is_refused_until_its_run_ends() {
    let place = Place::new();
    let first = place.open("shop", "{}").unwrap();
    place.check(
        "shop",
        "{}",
        ExitReason::Temporary,
        "run: in use by another `shoprl run` (process PID); wait for it, or use another --output",
    );
    drop(first);
    place.open("shop", "{}").unwrap();
}

#[test]
fn a_folder_with_other_files_is_refused_and_unchanged() {
    let place = Place::new();
    fs::create_dir_all(place.run()).unwrap();
    fs::write(place.run().join("thesis.tex"), "").unwrap();
    place.check(
        "shop",
        "{}",
        ExitReason::BadConfiguration,
        "run: holds \"thesis.tex\" but no run; use --output with a new or empty folder",
    );
    assert_eq!(fs::read_dir(place.run()).unwrap().count(), 1);
}

#[test]
fn an_interrupted_start_is_continued() {
    let place = Place::new();
    drop(place.open("shop", "{}").unwrap());
    fs::remove_file(place.run().join("manifest.yaml")).unwrap();
    place.open("shop", "{seed: 9}").unwrap();
}

#[test]
fn damaged_files_and_wrong_places_are_named() {
    let place = Place::new();
    drop(place.open("shop", "{}").unwrap());
    fs::write(place.run().join("run.json"), "{\"version\": 1,").unwrap();
    place.check(
        "shop",
        "{}",
        ExitReason::BadConfiguration,
        "run/run.json: EOF while parsing a value at line 1 column 14; restore the file, or use --output with a new folder",
    );
    fs::write(place.run().join("manifest.yaml"), "spec: [").unwrap();
    let (reason, message) = place.open("shop", "{}").err().unwrap();
    assert_eq!(reason, ExitReason::BadConfiguration);
    assert!(message.starts_with("run/manifest.yaml: not YAML: line "), "{message}");

    drop(place);
    let place = Place::new();
    fs::write(place.run(), "a file").unwrap();
    place.check(
        "shop",
        "{}",
        ExitReason::BadConfiguration,
        "run: Not a directory (os error 20); a file has the name of the folder; use another --output",
    );
}

#[test]
fn a_full_disk_is_a_temporary_failure() {
    let full = io::Error::from(io::ErrorKind::StorageFull);
    let exit = Exit::from(FolderError::Write { file: "run/run.json".into(), cause: full });
    assert_eq!(exit.reason, ExitReason::Temporary);
    assert_eq!(
        exit.message,
        "run/run.json: no storage space; free space, or use --output on another disk; files written so far are kept"
    );
}

#[test]
fn a_run_of_another_version_is_refused() {
    let place = Place::new();
    drop(place.open("shop", "{}").unwrap());
    let written = fs::read_to_string(place.run().join("run.json")).unwrap();
    let at = written.find("\"manifestDigest\": \"").unwrap() + 19;
    fs::write(
        place.run().join("run.json"),
        format!("{}0000{}", &written[..at], &written[at + 4..]),
    )
    .unwrap();
    place.check(
        "shop",
        "{}",
        ExitReason::BadConfiguration,
        "run: another version of shoprl began this run, and this version would train differently; use that version, or use --output with a new folder",
    );
}
