//! `shoprl catalog`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn shoprl(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shoprl"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_stored_shop_equals_a_generated_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| shoprl(folder.path(), &[&["catalog"], arguments].concat());
    let (code, built, _) = run(&["build", "--output", "fine.shop"]);
    assert_eq!(code, 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file remains");
    let digest = built.trim().rsplit(' ').next().unwrap();
    let (code, verified, _) = run(&["verify", "fine.shop"]);
    assert_eq!((code, verified), (0, format!("fine.shop: intact, {digest}\n")));
    for arguments in [&["show"][..], &["show", "--product", "7"], &["search", "乳胶枕 护颈 ¥200"]]
    {
        let stored = run(&[arguments, &["--shop", "fine.shop"]].concat());
        assert_eq!(stored, run(arguments), "{arguments:?}");
        assert!(stored.0 == 0 && stored.1.lines().count() > 3, "{}", stored.1);
    }
    let (_, lines, _) = run(&["show", "--json", "--shop", "fine.shop"]);
    assert_eq!(lines.lines().count(), 24_000);
    let product: serde_json::Value = serde_json::from_str(lines.lines().nth(7).unwrap()).unwrap();
    assert_eq!(product["id"], 7);
}

#[test]
fn errors_name_the_argument_or_file_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8], mode| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("noise", b"noise", 0o644);
    write("shared", b"noise", 0o664);
    write("old", b"shoprl shop    1", 0o600);
    write("new", b"shoprl shop    3", 0o600);
    for (arguments, part) in [
        (&["verify", "none"][..], "none: "),
        (&["verify", "noise"], "build it again (it is not a shop file)"),
        (&["verify", "shared"], "its mode 664 lets others change it while it is read; chmod go-w"),
        (&["search", "--shop", "old", "枕头"], "an older shoprl wrote; this one reads 2"),
        (&["show", "--shop", "new"], "a newer shoprl wrote; this one reads 2"),
        (&["show", "--shop", "."], "it is not a regular file"),
        (&["show", "--product", "24000"], "use a number below 24000"),
        (&["search", "¥20"], "write what to look for"),
        (&["build", "--output", "none/fine.shop"], "use --output"),
        (&["show", "--shop", "noise", "--seed", "1"], "cannot be used with"),
        (&["build", "--preset", "huge", "--output", "x"], "possible values"),
    ] {
        let (code, output, errors) = shoprl(folder.path(), &[&["catalog"], arguments].concat());
        assert!(output.is_empty() && errors.contains(part), "{arguments:?}: {errors}");
        assert_eq!(code, if part == "use --output" { 75 } else { 64 }, "{arguments:?}: {errors}");
    }
}

/// Twelve products and one record without a title.
fn products() -> String {
    let product = |number: usize| {
        serde_json::json!({
            "asin": format!("k{number}"), "title": format!("竹制砧板 第{number}块"), "shop_name": "山竹厨具店",
            "domain_zh": "厨具", "category": "厨房用具›刀具砧板›砧板", "attribute": ["竹制", format!("{number}毫米厚")],
            "customization_options": {"尺寸": [{"value": "大号", "price": 59.0}, {"value": "小号", "price": 39.0}]},
        })
    };
    let lines: Vec<String> = (0..12).map(|number| product(number).to_string()).collect();
    lines.join("\n") + "\n{\"asin\": \"k99\"}\n"
}

#[test]
fn an_import_makes_a_shop_and_reports_the_records_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| shoprl(folder.path(), &[&["catalog"], arguments].concat());
    std::fs::write(folder.path().join("products.jsonl"), products()).unwrap();
    let import = ["import", "products.jsonl", "--format", "shopsimulator", "--output", "own.shop"];
    let (code, report, errors) = run(&import);
    assert_eq!(code, 0, "{errors}");
    assert!(report.starts_with("own.shop: 13 records read, 12 kept"), "{report}");
    assert!(report.contains("1 dropped: no title (k99)"), "{report}");
    let digest = report.trim().rsplit(' ').next().unwrap();
    let (code, verified, _) = run(&["verify", "own.shop", "--sha256", digest]);
    assert_eq!((code, verified), (0, format!("own.shop: intact, {digest}\n")));
    let (_, found, _) = run(&["search", "竹制砧板 第7块", "--shop", "own.shop", "--limit", "1"]);
    assert!(found.contains("竹制砧板 第7块") && found.contains("¥39.00"), "{found}");
    let (_, shown, _) = run(&["show", "--shop", "own.shop"]);
    assert!(shown.starts_with("12 products"), "{shown}");
    assert!(shown.contains("with the published matcher"), "{shown}");
    let (_, json, _) = run(&[&import[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["kept"], &json["digest"]), (&12.into(), &digest.into()));
    for (arguments, part) in [
        (
            &["import", "none", "--format", "webshop", "--output", "x"][..],
            "use a readable file of products",
        ),
        (
            &["import", "products.jsonl", "--format", "webshop", "--output", "x"],
            "no product can be used",
        ),
        (&["import", "products.jsonl", "--output", "x"], "--format"),
        (&["verify", "own.shop", "--sha256", "00"], "not 00; use the --sha256"),
        (&["verify", "own.shop"], "use the preset and seed of its build"),
    ] {
        let (code, output, errors) = run(arguments);
        assert!(
            code == 64 && output.is_empty() && errors.contains(part),
            "{arguments:?}: {errors}"
        );
    }
}
