//! Comparing files with a cluster: the server judges, with its own policies and templates, for whoever asks.

use module::preview::{PreviewAnswer, Want};
use module::verdict::Cause;

use super::fields::Definitions;
use super::files::{Document, Files, Kind, Root};
use super::{Change, Checked, Finding, Level, Report, Rule, policies};
use crate::failure::Failure;
use crate::global::GlobalArguments;
use crate::path;
use crate::target::LiveModule;

/// Asks the server about every Module in files and folders.
pub(crate) fn run(roots: &[Root], globals: &GlobalArguments) -> Result<Report, Failure> {
    let files = Files::read(roots)?;
    let definitions = Definitions::read()?;
    let mut report = Report {
        findings: files.problems,
        files: files.count,
        charts: files.charts,
        compared_with: Some("the cluster".to_owned()),
        ..Report::default()
    };
    for document in &files.documents {
        match document.kind {
            Kind::ModulePolicy => report.findings.extend(policies::mistakes(document, &definitions)),
            Kind::Module => module(document, &definitions, globals, &mut report)?,
            Kind::TemplateStore => {
                let mistakes = definitions.check(document.kind, &document.object);
                report.findings.extend(mistakes.into_iter().map(|cause| invalid(document, cause)));
            }
        }
    }
    report.sort();
    Ok(report)
}

fn module(
    document: &Document,
    definitions: &Definitions,
    globals: &GlobalArguments,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut mistakes = definitions.check(Kind::Module, &document.object);
    if document.name().is_empty() {
        mistakes.push(Cause { field: "metadata.name".to_owned(), message: "is missing".to_owned() });
    }
    if !mistakes.is_empty() {
        report.findings.extend(mistakes.into_iter().map(|cause| invalid(document, cause)));
        return Ok(());
    }
    // What the file says comes before what the flag says, as for kubectl.
    let mut globals = globals.clone();
    globals.namespace =
        Some(document.namespace("")).filter(|name| !name.is_empty()).map(str::to_owned).or(globals.namespace);
    let live = LiveModule::of_object(&document.object, &globals)?;
    let spec = document.object.get("spec");
    let answer = live.ask(spec, &[Want::Verdict, Want::Plan])?;
    let is_same = live.exists() && live.object().get("spec") == spec;
    report.modules.push(Checked {
        name: format!("{}/{}", live.namespace(), live.name()),
        file: document.shown.clone(),
        change: match live.exists() {
            false => Change::Created,
            true if is_same => Change::Unchanged,
            true => Change::Changed,
        },
    });
    let object = document.label(live.namespace());
    report.findings.extend(findings(document, &object, &answer));
    Ok(())
}

/// What an answer says about a file.
fn findings(document: &Document, object: &str, answer: &PreviewAnswer) -> Vec<Finding> {
    let tell = |level, rule, field: &str, message: String| Finding {
        place: document.place(field),
        level,
        rule,
        object: object.to_owned(),
        field: field.to_owned(),
        message,
    };
    let changes = answer.plan.iter().flat_map(|plan| &plan.values);
    let locked: Vec<String> = changes
        .filter(|change| change.locked)
        .filter_map(|change| path::parse(&change.path).ok().map(|path| path.to_field()))
        .collect();
    let mut findings = Vec::new();
    for warning in &answer.warnings {
        findings.push(tell(Level::Warning, Rule::Render, "", warning.clone()));
    }
    let Some(refusal) = &answer.refusal else {
        let message = "is locked; this identity may change it";
        findings.extend(locked.iter().map(|field| tell(Level::Note, Rule::Lock, field, message.to_owned())));
        return findings;
    };
    let rule = match refusal.code {
        403 => Rule::Refused,
        503 => Rule::Template,
        504 => Rule::Render,
        // What can be rendered is refused for its locks.
        _ if answer.plan.is_some() => Rule::Lock,
        _ => Rule::Invalid,
    };
    if refusal.causes.is_empty() {
        findings.push(tell(Level::Error, rule, "", refusal.message.clone()));
    }
    for Cause { field, message } in &refusal.causes {
        findings.push(tell(Level::Error, rule, field, message.clone()));
    }
    findings
}

fn invalid(document: &Document, cause: Cause) -> Finding {
    Finding {
        place: document.place(&cause.field),
        level: Level::Error,
        rule: Rule::Invalid,
        object: document.label(""),
        field: cause.field,
        message: cause.message,
    }
}
