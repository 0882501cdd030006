//! Renders the examples with the real helm and with ours.

use std::fmt::Write;

use tests::checkout;
use tests::parity::{Case, Comparison, Renderers, find_cases, values_files};

#[test]
fn examples_render_as_helm_renders_them() {
    let renderers = Renderers {
        helm: checkout::control_plane().unwrap().join("helm"),
        plugin: checkout::programs().unwrap().plugin,
    };
    let fixtures = checkout::root().join("tests/fixtures/values");
    let mut cases = find_cases(&checkout::root().join("examples/templates")).unwrap();
    let charts: Vec<_> = cases.iter().map(|case| case.chart.clone()).collect();
    for chart in charts {
        let folder = fixtures.join(chart.file_name().unwrap());
        cases.extend(
            values_files(&folder)
                .unwrap()
                .into_iter()
                .map(|values| Case { chart: chart.clone(), values: Some(values) }),
        );
    }
    assert!(cases.len() > 15, "only {} cases were found", cases.len());

    let mut failures = String::new();
    for case in cases {
        let comparison = renderers.compare(&case).unwrap();
        let refused = case
            .values
            .as_ref()
            .and_then(|path| path.file_name())
            .is_some_and(|name| name.to_string_lossy().starts_with("refused-"));
        let expected =
            if refused { matches!(comparison, Comparison::BothRefuse) } else { matches!(comparison, Comparison::Same) };
        if !expected {
            writeln!(failures, "{case}: {comparison}").unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
