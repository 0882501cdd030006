//! Charts from local folders.

use std::collections::BTreeMap;
use std::fs;

use template_source::{LocalTemplates, SourceError, TemplateLocation};

fn location(repo: &str, path: &str) -> TemplateLocation {
    TemplateLocation { repo: repo.to_owned(), path: path.to_owned(), version: String::new() }
}

#[test]
fn a_folder_stands_in_for_a_repository() {
    let folder = tempfile::tempdir().unwrap();
    let chart = folder.path().join("charts/demo");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(chart.join("Chart.yaml"), "name: demo\n").unwrap();
    fs::write(chart.join("templates/a.yaml"), "a: 1\n").unwrap();
    let templates =
        LocalTemplates::new(BTreeMap::from([("https://example.com/x".to_owned(), folder.path().to_owned())]));

    let fetched = templates.fetch(&location("https://example.com/x", "charts/demo")).unwrap();
    let names: Vec<&str> = fetched.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["Chart.yaml", "templates/a.yaml"]);
    assert!(fetched.digest.starts_with("sha256:") && fetched.digest.len() == 71, "{}", fetched.digest);
    fs::write(chart.join("templates/a.yaml"), "a: 2\n").unwrap();
    let changed = templates.fetch(&location("https://example.com/x", "charts/demo")).unwrap();
    assert_ne!(fetched.digest, changed.digest);

    let error = templates.fetch(&location("https://example.com/y", "charts/demo")).unwrap_err();
    assert!(matches!(error, SourceError::NotMapped { .. }), "{error:?}");
    let error = templates.fetch(&location("https://example.com/x", "charts/none")).unwrap_err();
    assert!(matches!(error, SourceError::PathNotFound { .. }), "{error:?}");
    let error = templates.fetch(&location("https://example.com/x", "charts")).unwrap_err();
    assert!(matches!(error, SourceError::NotAChart { .. }), "{error:?}");
    for path in ["../x", "/etc", "charts/../../x", "a\\b"] {
        let error = templates.fetch(&location("https://example.com/x", path)).unwrap_err();
        assert!(matches!(error, SourceError::InvalidPath { .. }), "{path}: {error:?}");
    }
    std::os::unix::fs::symlink("/etc/passwd", chart.join("passwd")).unwrap();
    let error = templates.fetch(&location("https://example.com/x", "charts/demo")).unwrap_err();
    assert!(matches!(error, SourceError::IrregularFile { .. }), "{error:?}");
}
