use expect_test::expect_file;

use super::{Kind, Place, RIGHTS, Verb, needed, rules};

#[test]
fn the_rules_of_the_chart_equal_the_table() {
    expect_file!["../../../charts/shoprl/files/rules.yaml"].assert_eq(&rules(Place::Jobs));
    expect_file!["../../../charts/shoprl/files/cluster-rules.yaml"]
        .assert_eq(&rules(Place::Cluster));
    expect_file!["../../../charts/shoprl/files/own-rules.yaml"].assert_eq(&rules(Place::Own));
    for (index, right) in RIGHTS.iter().enumerate() {
        assert!(!RIGHTS[..index].contains(right), "{right:?} is listed twice");
    }
}

#[test]
fn requests_need_the_right_of_the_api_server_and_unlisted_ones_have_none() {
    let check = |method: &str, url: &str, expected: Option<(Verb, Kind)>| {
        let (path, query) =
            url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let found = needed(method, path, query).map(|right| (right.verb, right.kind));
        assert_eq!(found, expected, "{method} {url}");
    };
    let jobs = "/apis/shoprl.dev/v1alpha1/shoprljobs";
    let in_shop = "/apis/shoprl.dev/v1alpha1/namespaces/shop/shoprljobs";
    check("GET", &format!("{jobs}?&limit=500"), Some((Verb::List, Kind::Jobs)));
    check(
        "GET",
        &format!("{in_shop}?&watch=true&timeoutSeconds=290"),
        Some((Verb::Watch, Kind::Jobs)),
    );
    check("PUT", &format!("{in_shop}/j/status?"), Some((Verb::Update, Kind::JobStatus)));
    check("POST", "/api/v1/namespaces/shop/pods?", Some((Verb::Create, Kind::Pods)));
    check("GET", "/api/v1/namespaces/shop/pods/p", Some((Verb::Get, Kind::Pods)));
    check("DELETE", "/api/v1/namespaces/shop/pods/p", Some((Verb::Delete, Kind::Pods)));
    check(
        "PATCH",
        "/api/v1/namespaces/shop/services/s?&force=true",
        Some((Verb::Patch, Kind::Services)),
    );
    let lease = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/l";
    check("PUT", lease, Some((Verb::Update, Kind::Leases)));
    // Not in the table.
    check("DELETE", "/api/v1/namespaces/shop/pods", None);
    check("GET", "/api/v1/namespaces/shop/secrets/s", None);
    check("PUT", &format!("{in_shop}/j"), None);
    check("GET", "/api/v1/namespaces/shop/pods/p/log", None);
    check("POST", "/api/v1/namespaces/shop/events", None);
    check("GET", "/api/v1/namespaces/shop", None);
    check("GET", "/api/v1/namespaces", None);
    check("GET", "/version", None);
    check("GET", "/", None);
}
