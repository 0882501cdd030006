//! SARIF 2.1.0 (OASIS), the format that code scanning reads.

use serde_json::{Value, json};

use super::github::in_repository;
use super::output::subject;
use super::{Finding, Report, Rule};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The log of one run.
pub(super) fn log(report: &Report) -> Value {
    let rules: Vec<Value> = Rule::ALL
        .iter()
        .map(|rule| json!({"id": rule.name(), "shortDescription": {"text": rule.description()}}))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kubectl-module",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let file = in_repository(&finding.place.file);
    // A path from the root is no place in the sources.
    let artifact = if file.starts_with('/') {
        json!({"uri": format!("file://{}", encoded(&file))})
    } else {
        json!({"uri": encoded(&file), "uriBaseId": "%SRCROOT%"})
    };
    let mut location = json!({"artifactLocation": artifact});
    // Code scanning shows nothing without a region: the file as a whole is its first line.
    location["region"] = match finding.place.position {
        Some(place) => json!({"startLine": place.line, "startColumn": place.column}),
        None => json!({"startLine": 1}),
    };
    let index = Rule::ALL.iter().position(|rule| *rule == finding.rule);
    json!({
        "ruleId": finding.rule.name(),
        "ruleIndex": index,
        "level": finding.level.name(),
        "message": {"text": format!("{}{}", subject(finding), finding.message)},
        "locations": [{
            "physicalLocation": location,
            "logicalLocations": [{"fullyQualifiedName": finding.object, "kind": "object"}],
        }],
    })
}

/// A path as a relative URI (RFC 3986): everything but unreserved characters and `/` in percent form.
fn encoded(path: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    path.as_bytes()
        .iter()
        .map(|byte| if keep(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::output::tests::report;
    use super::*;

    /// The rules of the specification for what is written here (sections 3.13 to 3.58).
    #[test]
    fn the_log_is_what_the_specification_asks_for() {
        let log = log(&report());
        assert_eq!(log["version"], "2.1.0");
        assert!(log["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
        let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("{log}") };
        let driver = &run["tool"]["driver"];
        assert!(!driver["name"].as_str().unwrap().is_empty());
        let rules: Vec<&str> =
            driver["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        let distinct: std::collections::BTreeSet<_> = rules.iter().collect();
        assert_eq!(distinct.len(), Rule::ALL.len(), "rules are named once");
        for rule in driver["rules"].as_array().unwrap() {
            assert!(rule["shortDescription"]["text"].as_str().unwrap().ends_with('.'));
        }
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), report().findings.len());
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(result["ruleId"], rules[index]);
            assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            for location in result["locations"].as_array().unwrap() {
                let physical = &location["physicalLocation"];
                let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
                assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{uri}");
                assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
                assert!(physical["region"].get("startColumn").is_none_or(|column| column.as_u64().unwrap() >= 1));
            }
        }
        let first = &results[0]["locations"][0]["physicalLocation"];
        assert!(first["artifactLocation"]["uri"].as_str().unwrap().ends_with("apps/a%2C%20b%3Ac/100%25%20%C3%A4.yaml"));
        assert_eq!(first["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        assert_eq!(first["region"], json!({"startLine": 14, "startColumn": 5}));
    }
}
