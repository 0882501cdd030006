//! What a check found, for people and for programs.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Change, Finding, Level, Report, github, sarif};
use crate::output::Format;
use crate::terminal::{Styles, escape};

/// Modules and charts named in the summary. Further ones are counted.
const MAX_NAMED: usize = 3;

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// One line a finding, for people and editors
    #[default]
    Text,
    /// One document with everything
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands that GitHub shows beside the lines of a pull request
    Github,
}

impl CheckFormat {
    /// The report in this format.
    pub(crate) fn write(self, report: &Report, style: Styles) -> Result<String, anyhow::Error> {
        match self {
            Self::Text => Ok(text(report, style)),
            Self::Json => Format::Json.write(&json(report)),
            Self::Sarif => Format::Json.write(&sarif::log(report)),
            Self::Github => Ok(github::commands(report) + &summary(report)),
        }
    }
}

fn text(report: &Report, style: Styles) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let level = match finding.level {
            Level::Error => style.error(finding.level.name()),
            Level::Warning => style.notice(finding.level.name()),
            Level::Note => style.place(finding.level.name()),
        };
        let place = match finding.place.position {
            Some(place) => format!("{}:{}:{}", line(&finding.place.file), place.line, place.column),
            None => line(&finding.place.file),
        };
        // Further lines have a mark: a build server would take what begins with `::` for a command.
        let message = escape(&finding.message).trim_end().replace('\n', "\n    | ");
        text.push_str(&format!("{place}: {level}: {}{message} [{}]\n", subject(finding), finding.rule.name()));
    }
    if !report.findings.is_empty() {
        text.push('\n');
    }
    text + &summary(report)
}

/// What a message is about, with a colon.
pub(super) fn subject(finding: &Finding) -> String {
    match (finding.field.as_str(), finding.object.as_str()) {
        ("", "") => String::new(),
        ("", object) => format!("{}: ", line(object)),
        (field, _) => format!("{}: ", line(field)),
    }
}

/// A text that stays on its line.
fn line(text: &str) -> String {
    escape(text).replace('\n', "\\n")
}

fn summary(report: &Report) -> String {
    let mut text = format!("Checked {} in {}", counted(report.modules.len(), "Module"), counted(report.files, "file"));
    if let Some(other) = &report.compared_with {
        text.push_str(&format!(", compared with {}", line(other)));
        let changes = [
            (Change::Created, "created"),
            (Change::Changed, "changed"),
            (Change::Deleted, "deleted"),
            (Change::Unchanged, "unchanged"),
        ];
        let changes: Vec<_> = changes
            .into_iter()
            .filter(|(change, _)| report.count_of(*change) > 0)
            .map(|(change, name)| {
                let modules = report.modules.iter().filter(|module| module.change == change);
                let names = match change {
                    Change::Unchanged => String::new(),
                    _ => format!(" ({})", named(modules.map(|module| module.name.as_str()))),
                };
                format!("{} {name}{names}", report.count_of(change))
            })
            .collect();
        if !changes.is_empty() {
            text.push_str(&format!(": {}", changes.join(", ")));
        }
    }
    text.push('\n');
    if !report.charts.is_empty() {
        text.push_str(&format!("Left out, being charts: {}\n", named(report.charts.iter().map(String::as_str))));
    }
    let counts = [Level::Error, Level::Warning, Level::Note].map(|level| counted(report.count(level), level.name()));
    text + &counts.join(", ") + "\n"
}

/// The first few names, and how many there are besides.
fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(line).collect();
    let shown = names.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        further => format!("{shown} and {further} more"),
    }
}

fn counted(count: usize, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

fn json(report: &Report) -> Value {
    let findings = report.findings.iter().map(|finding| {
        json!({
            "level": finding.level.name(),
            "rule": finding.rule.name(),
            "file": finding.place.file,
            "line": finding.place.position.map(|place| place.line),
            "column": finding.place.position.map(|place| place.column),
            "object": finding.object,
            "field": finding.field,
            "message": finding.message,
        })
    });
    let modules = report
        .modules
        .iter()
        .map(|module| json!({"module": module.name, "file": module.file, "change": module.change}));
    json!({
        "apiVersion": "module.cyclops-ui.com/v1alpha1",
        "kind": "Check",
        "passed": report.is_passed(),
        "comparedWith": report.compared_with,
        "files": report.files,
        "charts": report.charts,
        "modules": modules.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
        "summary": {
            "errors": report.count(Level::Error),
            "warnings": report.count(Level::Warning),
            "notes": report.count(Level::Note),
        },
    })
}

#[cfg(test)]
pub(super) mod tests {
    use renderer::yaml::Position;

    use super::super::{Checked, Place, Rule};
    use super::*;

    /// A report with everything that is awkward to print.
    pub(in super::super) fn report() -> Report {
        let place = |file: &str, line| Place {
            file: file.to_owned(),
            position: Some(Position { line, column: 5 }).filter(|place| place.line > 0),
        };
        let finding = |place, level, rule, field: &str, message: &str| Finding {
            place,
            level,
            rule,
            object: "Module team-a/shop".to_owned(),
            field: field.to_owned(),
            message: message.to_owned(),
        };
        let shop = || place("apps/a, b:c/100% ä.yaml", 14);
        Report {
            findings: vec![
                finding(shop(), Level::Error, Rule::Schema, "spec.values.replicas", "got string, want integer"),
                finding(shop(), Level::Error, Rule::Render, "spec", "line one\n::error::two\r\u{1b}[31m 100%\n"),
                finding(shop(), Level::Note, Rule::Lock, "spec.values.a", "is locked"),
                finding(place("gone.yaml", 0), Level::Warning, Rule::Refused, "", "is deleted"),
            ],
            modules: vec![
                Checked { name: "team-a/shop".into(), file: shop().file, change: Change::Changed },
                Checked { name: "team-a/gone".into(), file: "gone.yaml".into(), change: Change::Deleted },
            ],
            files: 1,
            charts: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            compared_with: Some("main (0123456789ab)".to_owned()),
        }
    }

    #[test]
    fn people_read_one_line_a_finding() {
        let expected = "\
apps/a, b:c/100% ä.yaml:14:5: error: spec.values.replicas: got string, want integer [schema]
apps/a, b:c/100% ä.yaml:14:5: error: spec: line one
    | ::error::two^M^[[31m 100% [render]
apps/a, b:c/100% ä.yaml:14:5: note: spec.values.a: is locked [lock]
gone.yaml: warning: Module team-a/shop: is deleted [refused]

Checked 2 Modules in 1 file, compared with main (0123456789ab): 1 changed (team-a/shop), 1 deleted (team-a/gone)
Left out, being charts: a, b, c and 1 more
2 errors, 1 warning, 1 note
";
        assert_eq!(text(&report(), Styles::PLAIN), expected);
        let nothing = "Checked 0 Modules in 0 files\n0 errors, 0 warnings, 0 notes\n";
        assert_eq!(text(&Report::default(), Styles::PLAIN), nothing);
    }

    #[test]
    fn programs_get_one_document() {
        let document = json(&report());
        assert_eq!(document["passed"], false);
        assert_eq!(document["summary"], json!({"errors": 2, "warnings": 1, "notes": 1}));
        let expected = json!({
            "level": "error", "rule": "schema", "file": "apps/a, b:c/100% ä.yaml", "line": 14, "column": 5,
            "object": "Module team-a/shop", "field": "spec.values.replicas", "message": "got string, want integer",
        });
        assert_eq!(document["findings"][0], expected);
        assert_eq!(document["findings"][3]["line"], Value::Null);
        assert_eq!(document["modules"][1], json!({"module": "team-a/gone", "file": "gone.yaml", "change": "deleted"}));
    }
}
