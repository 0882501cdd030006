//! A client of the oracle: a long-lived program that answers with Helm's own packages (its protocol stands in
//! `tests/control-plane/oracle/protocol.go`).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use renderer::Profile;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde::{Deserialize, Serialize};

/// The Helm release that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Release {
    /// Helm 4.
    V4,
    /// Helm 3.
    V3,
}

impl Release {
    /// Our profile of this release.
    pub fn profile(self) -> Profile {
        match self {
            Self::V4 => Profile::V4,
            Self::V3 => Profile::V3,
        }
    }

    /// The name of the oracle's program in the folder of [`crate::checkout::helm_programs`].
    pub fn oracle(self) -> &'static str {
        match self {
            Self::V4 => "oracle",
            Self::V3 => "oracle3",
        }
    }

    /// The name of the helm program in the same folder.
    pub fn helm(self) -> &'static str {
        match self {
            Self::V4 => "helm",
            Self::V3 => "helm3",
        }
    }

    /// The folder of the Go module that pins it, below `tests/control-plane`, and the path of Helm's module.
    pub fn module(self) -> (&'static str, &'static str) {
        match self {
            Self::V4 => ("helm", "helm.sh/helm/v4"),
            Self::V3 => ("helm3", "helm.sh/helm/v3"),
        }
    }
}

/// What an oracle is asked. Fields that a kind does not name are ignored.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of `helm template`")]
pub struct Request {
    kind: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    beside: BTreeMap<String, String>,
    /// YAML texts, laid over each other as with several `--values`.
    pub values: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set-file`; the files are those of [`Request::beside`].
    pub set_file: Vec<String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
    /// `.Release.Name`; `release-name` if empty.
    pub release: String,
    /// `.Release.Namespace`; `default` if empty.
    pub namespace: String,
    /// `--kube-version`.
    pub kube_version: String,
    /// `--api-versions`.
    pub api_versions: Vec<String>,
    /// `--is-upgrade`.
    pub is_upgrade: bool,
    /// `--skip-schema-validation`.
    pub skip_schema_validation: bool,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--show-only`.
    pub show_only: Vec<String>,
    template: String,
    text: String,
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    json: serde_json::Value,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<Codec>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
}

/// What Helm reads and writes texts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codec {
    /// `sigs.k8s.io/yaml`; the output is JSON.
    Yaml,
    /// `encoding/json`; the output is JSON.
    Json,
    /// `github.com/BurntSushi/toml`; the output is JSON.
    Toml,
    /// `toYaml` of a value given as JSON.
    ToYaml,
    /// `toYamlPretty` of a value given as JSON.
    ToYamlPretty,
    /// `toJson` of a value given as JSON.
    ToJson,
    /// `toToml` of a value given as JSON.
    ToToml,
}

impl Request {
    /// `helm template` on a chart given by its files: path and content.
    pub fn render<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let files = files.into_iter().map(|(name, data)| (name.to_owned(), BASE64_STANDARD.encode(data))).collect();
        Self { kind: "render", files, ..Self::default() }
    }

    /// `helm template` on a chart on the disk: a folder or an archive, an absolute path.
    pub fn render_path(path: impl Into<PathBuf>) -> Self {
        Self { kind: "render", path: Some(path.into()), ..Self::default() }
    }

    /// What each template file gives: the output is a JSON object. Otherwise as the request was.
    #[must_use]
    pub fn files(self) -> Self {
        Self { kind: "files", ..self }
    }

    /// One template in a chart `c` of its own, released as `rel` into the namespace `ns`.
    pub fn template(text: &str, values: &str) -> Self {
        Self { kind: "template", template: text.to_owned(), values: vec![values.to_owned()], ..Self::default() }
    }

    /// A values file; the output is JSON.
    pub fn yaml(text: &str) -> Self {
        Self { kind: "yaml", text: text.to_owned(), ..Self::default() }
    }

    /// `YAMLToJSON` of sigs.k8s.io/yaml.
    pub fn yaml_to_json(text: &str) -> Self {
        Self { kind: "yaml2json", text: text.to_owned(), ..Self::default() }
    }

    /// What `toYaml` makes of a value.
    pub fn to_yaml(value: serde_json::Value) -> Self {
        Self { kind: "to-yaml", json: value, ..Self::default() }
    }

    /// JSON as encoding/json reads it; the output is JSON.
    pub fn json(text: &str) -> Self {
        Self { kind: "json", text: text.to_owned(), ..Self::default() }
    }

    /// One codec on many texts.
    fn codec(codec: Codec, inputs: &[Vec<u8>], count: usize) -> Self {
        let inputs = inputs.iter().map(|input| BASE64_STANDARD.encode(input)).collect();
        Self { kind: "codec", codec: Some(codec), inputs, count, ..Self::default() }
    }

    /// What the flags for values give; the output is JSON.
    pub fn merged_values() -> Self {
        Self { kind: "set", ..Self::default() }
    }

    /// Measures `count` renderings of a chart on the disk; the output is a [`Measured`] as JSON.
    pub fn bench(path: impl Into<PathBuf>, count: usize) -> Self {
        Self { kind: "bench", path: Some(path.into()), count, ..Self::default() }
    }

    /// Adds a file that flags can name, by a relative path.
    #[must_use]
    pub fn beside(mut self, name: &str, data: &[u8]) -> Self {
        self.beside.insert(name.to_owned(), BASE64_STANDARD.encode(data));
        self
    }
}

/// The output of [`Request::bench`].
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Measured {
    /// Parsing and executing the templates of a chart in memory, with values ready.
    pub engine: Timing,
    /// Everything from reading the chart to the text.
    pub whole: Timing,
    /// The most memory that the process held meanwhile.
    pub peak_bytes: u64,
    /// Size of the output.
    pub bytes: usize,
}

/// Times in nanoseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Timing {
    /// The shortest.
    pub best: u64,
    /// The one in the middle.
    pub median: u64,
}

/// Helm's output, or the text of its error.
pub type Answer = std::result::Result<Vec<u8>, String>;

/// How long an answer may take unless told otherwise: far longer than any chart needs, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running oracle. It ends when this is dropped.
#[derive(Debug)]
pub struct Oracle {
    program: PathBuf,
    child: Child,
    input: ChildStdin,
    lines: Receiver<std::io::Result<String>>,
    patience: Duration,
}

impl Oracle {
    /// Starts the oracle of a release from the folder of [`crate::checkout::helm_programs`].
    pub fn start(programs: &Path, release: Release) -> Result<Self> {
        let program = programs.join(release.oracle());
        let empty = Path::new("/nonexistent");
        let mut child = Command::new(&program)
            // No plugins, repositories or cluster of the person who runs this; one zone for dates.
            .envs(["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"].map(|name| (name, empty)))
            .env("KUBECONFIG", "/dev/null")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Where Go ends a process it tells the states of all threads.
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("the oracle {} could not be started", program.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the oracle {} has no pipes", program.display());
        };
        limit_memory(&child)?;
        // Read beside the asking, so that waiting can end.
        let (sender, lines) = sync_channel(1);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { program, child, input, lines, patience: PATIENCE })
    }

    /// With another time that an answer may take.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    ///
    /// The oracle ended, takes too long, or says that the request makes no sense; Helm's errors are answers.
    pub fn ask(&mut self, request: &Request) -> Result<Answer> {
        let mut line = serde_json::to_vec(request).context("the request is no JSON")?;
        line.push(b'\n');
        if self.input.write_all(&line).and_then(|()| self.input.flush()).is_err() {
            return Err(self.died(request));
        }
        let answer = match self.lines.recv_timeout(self.patience) {
            Ok(line) => line.with_context(|| format!("{} cannot be read from", self.program.display()))?,
            Err(RecvTimeoutError::Timeout) => {
                // A late answer would be taken for that of the next request.
                drop(self.child.kill());
                bail!("{} has not answered {} within {:?}", self.program.display(), shown(request), self.patience);
            }
            Err(RecvTimeoutError::Disconnected) => return Err(self.died(request)),
        };
        decode(&answer, request)
    }

    /// Applies a codec to texts.
    ///
    /// # Errors
    ///
    /// As [`Oracle::ask`]; what the codec refuses is an answer.
    pub fn convert(&mut self, codec: Codec, inputs: &[Vec<u8>]) -> Result<Vec<Answer>> {
        self.ask_codec(&Request::codec(codec, inputs, 0))
    }

    /// The shortest of some times that a codec takes for a text, in nanoseconds.
    ///
    /// # Errors
    ///
    /// As [`Oracle::ask`], and for a text that the codec refuses.
    pub fn measure(&mut self, codec: Codec, input: &[u8], count: usize) -> Result<u64> {
        let answers = self.ask_codec(&Request::codec(codec, &[input.to_vec()], count))?;
        match answers.into_iter().next() {
            Some(Ok(output)) => Ok(String::from_utf8_lossy(&output).parse()?),
            Some(Err(error)) => bail!("{error}"),
            None => bail!("no answer"),
        }
    }

    fn ask_codec(&mut self, request: &Request) -> Result<Vec<Answer>> {
        let output = self.ask(request)?.map_err(anyhow::Error::msg)?;
        let answers: Vec<Line> = serde_json::from_slice(&output)?;
        answers.into_iter().map(|line| line.answer(request)).collect()
    }

    fn died(&mut self, request: &Request) -> anyhow::Error {
        let program = self.program.display();
        match self.child.wait() {
            Ok(status) => anyhow::anyhow!("{program} ended ({status}) instead of answering {}", shown(request)),
            Err(error) => anyhow::anyhow!("{program} ended: {error}"),
        }
    }
}

/// A template can ask for any amount of memory: an oracle that takes it ends instead of the machine.
fn limit_memory(child: &Child) -> Result<()> {
    /// Address space; Go reserves far more than it uses.
    const BYTES: u64 = 6 << 30;
    let limit = Rlimit { current: Some(BYTES), maximum: Some(BYTES) };
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    prlimit(process, Resource::As, limit).context("the memory of the oracle cannot be limited")?;
    Ok(())
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn decode(answer: &str, request: &Request) -> Result<Answer> {
    let line: Line = serde_json::from_str(answer).with_context(|| format!("no answer of an oracle: {answer}"))?;
    line.answer(request)
}

/// An answer as the oracle writes it.
#[derive(Debug, Deserialize)]
struct Line {
    output: Option<String>,
    output_base64: Option<String>,
    error: Option<String>,
    error_base64: Option<String>,
}

impl Line {
    fn answer(self, request: &Request) -> Result<Answer> {
        let bytes = |text: &str| BASE64_STANDARD.decode(text).context("no base64 in an answer");
        if let Some(output) = self.output {
            return Ok(Ok(output.into_bytes()));
        }
        if let Some(output) = self.output_base64 {
            return Ok(Ok(bytes(&output)?));
        }
        let error = match (self.error, self.error_base64) {
            (Some(error), _) => error,
            (None, Some(error)) => String::from_utf8_lossy(&bytes(&error)?).into_owned(),
            (None, None) => bail!("an answer without output and error to {}", shown(request)),
        };
        if let Some(problem) = error.strip_prefix("request: ") {
            bail!("the oracle does not understand {}: {problem}", shown(request));
        }
        Ok(Err(error))
    }
}

/// A request for a message, not longer than a person reads.
fn shown(request: &Request) -> String {
    serde_json::to_string(request).unwrap_or_default().chars().take(2000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_output_or_error() {
        let request = Request::yaml("");
        assert_eq!(decode(r#"{"output":"x"}"#, &request).unwrap(), Ok(b"x".to_vec()));
        assert_eq!(decode(r#"{"output_base64":"/w=="}"#, &request).unwrap(), Ok(vec![0xff]));
        assert_eq!(decode(r#"{"error":"no"}"#, &request).unwrap(), Err("no".to_owned()));
        assert_eq!(decode(r#"{"error_base64":"/w=="}"#, &request).unwrap(), Err("\u{fffd}".to_owned()));
        let error = decode(r#"{"error":"request: what?"}"#, &request).unwrap_err().to_string();
        assert!(error.ends_with(": what?"), "{error}");
    }

    #[test]
    fn an_oracle_that_ended_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/false", folder.path().join("oracle")).unwrap();
        let mut oracle = Oracle::start(folder.path(), Release::V4).unwrap();
        let error = oracle.ask(&Request::yaml("a: 1")).unwrap_err().to_string();
        assert!(error.contains("ended (exit status: 1) instead of answering {\"kind\":\"yaml\""), "{error}");
    }
}
