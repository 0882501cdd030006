//! Workflow commands of GitHub Actions, which it shows beside the lines of a pull request.

use std::path::{Path, PathBuf};

use super::files::STANDARD_INPUT;
use super::output::subject;
use super::{Level, Report};
use crate::terminal::escape;

/// One command a finding.
pub(super) fn commands(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let mut properties = Vec::new();
        // Without a file GitHub shows the message on the page of the run.
        if finding.place.file != STANDARD_INPUT {
            properties.push(("file", in_repository(&finding.place.file)));
        }
        if let Some(place) = finding.place.position {
            properties.extend([("line", place.line.to_string()), ("col", place.column.to_string())]);
        }
        let title = [finding.object.as_str(), finding.rule.name()].join(" ");
        properties.push(("title", title.trim().to_owned()));
        let properties: Vec<String> =
            properties.into_iter().map(|(name, value)| format!("{name}={}", property(&value))).collect();
        let message = format!("{}{}", subject(finding), finding.message.trim_end());
        text.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&message)));
    }
    text
}

/// As `escapeData` of `actions/toolkit` (`packages/core/src/command.ts`).
fn data(text: &str) -> String {
    // Carriage returns have a form of their own there.
    let parts: Vec<_> = text.split('\r').map(escape).collect();
    parts.join("\r").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As `escapeProperty` there.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A file as its repository names it, with `/`: what GitHub and code scanning look it up by. Elsewhere as it is.
pub(super) fn in_repository(file: &str) -> String {
    let path = Path::new(file);
    if file == STANDARD_INPUT {
        return file.to_owned();
    }
    let found = std::path::absolute(path).ok().and_then(|absolute| {
        // The file may be gone; its folder too.
        let folder =
            absolute.ancestors().skip(1).find_map(|folder| Some((folder, std::fs::canonicalize(folder).ok()?)));
        let (folder, real) = folder?;
        let real = real.join(absolute.strip_prefix(folder).ok()?);
        let top = real.ancestors().skip(1).find(|folder| folder.join(".git").exists())?;
        real.strip_prefix(top).ok().map(Path::to_owned)
    });
    let path: PathBuf = found.unwrap_or_else(|| path.strip_prefix(".").unwrap_or(path).to_owned());
    let shown = path.display().to_string();
    if cfg!(windows) { shown.replace('\\', "/") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::super::output::tests::report;
    use super::*;

    #[test]
    fn commands_are_escaped_as_the_toolkit_does() {
        let file = "apps/a%2C b%3Ac/100%25 ä.yaml";
        let title = "title=Module team-a/shop";
        let folder = "kubectl-module/";
        let expected = format!(
            "::error file={file},line=14,col=5,{title} schema::spec.values.replicas: got string, want integer\n\
             ::error file={file},line=14,col=5,{title} render::spec: line one%0A::error::two%0D^[[31m 100%25\n\
             ::notice file={file},line=14,col=5,{title} lock::spec.values.a: is locked\n\
             ::warning file=gone.yaml,{title} refused::Module team-a/shop: is deleted\n"
        );
        // In a checkout, the folder of this crate is part of the names.
        assert_eq!(commands(&report()).replace(folder, ""), expected);
    }

    #[test]
    fn files_are_named_from_the_top_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("top/.git")).unwrap();
        std::fs::create_dir_all(folder.path().join("top/apps")).unwrap();
        let file = |name: &str| in_repository(&folder.path().join(name).display().to_string());
        assert_eq!(file("top/apps/x.yaml"), "apps/x.yaml");
        assert_eq!(file("top/gone/x.yaml"), "gone/x.yaml");
        assert_eq!(file("top/apps/../x.yaml"), "x.yaml");
        let elsewhere = folder.path().join("x.yaml").display().to_string();
        assert_eq!(in_repository(&elsewhere), elsewhere);
    }
}
