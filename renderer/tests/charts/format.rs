//! The format of `fixtures/charts/*.txt`: charts, flags, and what each Helm release answers.
//!
//! A file holds cases. A case begins with a line `=== name`; then come flags of `helm template`, one a line, and
//! comments after `#`; then sections, each begun by a line `-- path --`:
//!
//! * a path: a file of the chart. Without `Chart.yaml` the chart is `demo` 0.1.0. A path `charts/sub.tgz!sub/Chart.yaml`
//!   is a file in an archive.
//! * `@name`: a file beside the chart, for `--values` and `--set-file`.
//! * `output`, `error`: what both releases answer; `v4 output` and so on: what one of them does. An error is the text
//!   after `Error: `, without the advice to use `--debug`.
//!
//! Lines that begin with `!` are switches of this format: `!archive` renders the chart as an archive,
//! `!name x` gives the release a name, `!no-chart-yaml` leaves `Chart.yaml` out, `!unstable` says that the lines of the
//! answer and the words in them come in any order, `!plugin` that the answer is the program's and not the library's, `!library` the
//! reverse.

use std::collections::BTreeMap;

/// A chart, flags and answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) flags: Vec<String>,
    pub(crate) switches: Vec<String>,
    files: Vec<(String, String)>,
    pub(crate) beside: BTreeMap<String, String>,
    answers: BTreeMap<String, String>,
}

const DEFAULT_CHART_YAML: &str = "apiVersion: v2\nname: demo\nversion: 0.1.0\n";

impl Case {
    /// Reads all cases of a file.
    pub(crate) fn read(text: &str) -> Vec<Self> {
        let mut cases: Vec<Self> = Vec::new();
        let mut section: Option<String> = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("=== ") {
                cases.push(Self { name: name.to_owned(), ..Self::default() });
                section = None;
                continue;
            }
            let Some(case) = cases.last_mut() else { continue };
            if let Some(name) = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
                case.section(name);
                section = Some(name.to_owned());
            } else if let Some(name) = &section {
                let text = case.section(name);
                text.push_str(line);
                text.push('\n');
            } else if let Some(switch) = line.strip_prefix('!') {
                case.switches.push(switch.to_owned());
            } else if let Some((flag, value)) = line.split_once(' ').filter(|_| line.starts_with('-')) {
                case.flags.extend([flag.to_owned(), value.to_owned()]);
            } else if line.starts_with('-') {
                case.flags.push(line.to_owned());
            }
        }
        cases
    }

    fn section(&mut self, name: &str) -> &mut String {
        if let Some(beside) = name.strip_prefix('@') {
            return self.beside.entry(beside.to_owned()).or_default();
        }
        if name.ends_with("output") || name.ends_with("error") {
            return self.answers.entry(name.to_owned()).or_default();
        }
        let index = self.files.iter().position(|(path, _)| path == name).unwrap_or_else(|| {
            self.files.push((name.to_owned(), String::new()));
            self.files.len() - 1
        });
        &mut self.files[index].1
    }

    /// Whether what was found is what is recorded.
    pub(crate) fn agrees(&self, recorded: Option<Result<&str, &str>>, found: &Result<String, String>) -> bool {
        match (recorded, found) {
            (Some(Err(recorded)), Err(found)) if self.has("unstable") => sorted(recorded) == sorted(found),
            _ => recorded == Some(found.as_deref().map_err(String::as_str)),
        }
    }

    /// Whether this switch is set.
    pub(crate) fn has(&self, switch: &str) -> bool {
        self.switches.iter().any(|set| set == switch)
    }

    /// The release's name.
    pub(crate) fn release_name(&self) -> Option<&str> {
        self.switches.iter().find_map(|switch| switch.strip_prefix("name "))
    }

    /// The files of the chart.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut archives: BTreeMap<&str, Vec<(&str, &[u8])>> = BTreeMap::new();
        let is_missing = |name: &str| self.files.iter().all(|(path, _)| path != name);
        if is_missing("Chart.yaml") && !self.has("no-chart-yaml") {
            files.push(("Chart.yaml".to_owned(), DEFAULT_CHART_YAML.into()));
        }
        for (path, text) in &self.files {
            match path.split_once('!') {
                Some((archive, path)) => archives.entry(archive).or_default().push((path, text.as_bytes())),
                None => files.push((path.clone(), text.clone().into_bytes())),
            }
        }
        files.extend(archives.into_iter().map(|(path, files)| (path.to_owned(), pack(&files))));
        files
    }

    /// What a release of Helm answers.
    pub(crate) fn answer(&self, release: &str) -> Option<Result<&str, &str>> {
        let of = |kind: &str| self.answers.get(&format!("{release} {kind}")).or_else(|| self.answers.get(kind));
        match (of("output"), of("error")) {
            (Some(output), _) => Some(Ok(output)),
            (None, error) => error.map(|error| Err(error.trim_end())),
        }
    }
}

/// A gzip-compressed tar archive of these files.
pub(crate) fn pack(files: &[(&str, &[u8])]) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    for (path, data) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, *data).unwrap();
    }
    archive.into_inner().and_then(flate2::write::GzEncoder::finish).unwrap()
}

/// The lines of an answer, and the words in each, whose order Helm leaves to chance.
fn sorted(text: &str) -> Vec<Vec<&str>> {
    fn in_order<T: Ord>(parts: impl Iterator<Item = T>) -> Vec<T> {
        let mut parts: Vec<T> = parts.collect();
        parts.sort_unstable();
        parts
    }
    in_order(text.lines().map(|line| in_order(line.split(' '))))
}
