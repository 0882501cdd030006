//! `kubectl module get`.

use clap::{Args, ValueEnum};
use jiff::{Span, Timestamp, Unit};
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use serde_json::{Value, json};

use crate::cluster::{Cluster, module_name};
use crate::command::{SUCCESS, block_on};
use crate::failure::Failure;
use crate::global::GlobalArguments;
use crate::output::Format;
use crate::output::table::table;
use crate::terminal::{Terminal, escape};

/// Modules are listed in pages of this size, as kubectl does.
const PAGE: u32 = 500;

const EXAMPLES: &str = "\
Examples:
  # The Modules of all namespaces
  kubectl module get -A

  # With the version in use, and what failed
  kubectl module get -n team-a -o wide

  # One of them as it is stored
  kubectl module get shop -n team-a -o yaml";

/// List Modules, with their state and template
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GetArguments {
    /// Names of Modules; all if none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Modules of all namespaces
    #[arg(short = 'A', long, conflicts_with = "names")]
    all_namespaces: bool,

    /// Only Modules with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names")]
    selector: Option<String>,

    /// Output format
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<GetFormat>,

    /// Leave out the header of the table
    #[arg(long)]
    no_headers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GetFormat {
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Only names
    Name,
    /// The table with more columns
    Wide,
}

impl GetArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let (modules, namespace) = block_on(async {
            let cluster = Cluster::connect(globals).await?;
            Ok((self.fetch(&cluster).await?, cluster.namespace().to_owned()))
        })?;
        if modules.is_empty() && matches!(self.output, None | Some(GetFormat::Wide | GetFormat::Name)) {
            let place = if self.all_namespaces { String::new() } else { format!(" in {namespace} namespace") };
            terminal.print_error(&format!("No Modules found{place}.\n"));
            return Ok(SUCCESS);
        }
        let text = match self.output {
            Some(GetFormat::Json) => Format::Json.write(&self.document(&modules)?)?,
            Some(GetFormat::Yaml) => Format::Yaml.write(&self.document(&modules)?)?,
            Some(GetFormat::Name) => modules
                .iter()
                .map(|module| {
                    format!("module.cyclops-ui.com/{}\n", module.metadata.name.as_deref().unwrap_or_default())
                })
                .collect(),
            None => self.table(&modules, false, Timestamp::now()),
            Some(GetFormat::Wide) => self.table(&modules, true, Timestamp::now()),
        };
        terminal.print(&text)?;
        Ok(SUCCESS)
    }

    async fn fetch(&self, cluster: &Cluster) -> Result<Vec<DynamicObject>, Failure> {
        let api: Api<DynamicObject> = if self.all_namespaces { cluster.all_modules() } else { cluster.modules() };
        let mut found = Vec::new();
        if self.names.is_empty() {
            let mut parameters = ListParams::default().limit(PAGE);
            parameters.label_selector.clone_from(&self.selector);
            loop {
                let page =
                    api.list(&parameters).await.map_err(|error| cluster.failure("cannot list Modules", error))?;
                found.extend(page.items);
                match page.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) => parameters.continue_token = Some(token),
                    None => break,
                }
            }
        }
        for name in &self.names {
            let name = module_name(name)?;
            let module =
                api.get(name).await.map_err(|error| cluster.failure(&format!("cannot get module {name}"), error))?;
            found.push(module);
        }
        Ok(found)
    }

    /// One object for one name, else a list, as kubectl does. Who wrote which field is left out, as kubectl does too.
    fn document(&self, modules: &[DynamicObject]) -> Result<Value, Failure> {
        let mut items = Vec::new();
        for module in modules {
            let mut module = module.clone();
            module.metadata.managed_fields = None;
            let mut item = serde_json::to_value(&module)?;
            // Items of a list come without them.
            item["apiVersion"] = json!("cyclops-ui.com/v1alpha1");
            item["kind"] = json!("Module");
            items.push(item);
        }
        match (items.len(), self.names.len()) {
            (1, 1) => Ok(items.remove(0)),
            _ => Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})),
        }
    }

    fn table(&self, modules: &[DynamicObject], wide: bool, now: Timestamp) -> String {
        let mut header = vec!["NAME", "READY", "STATUS", "TEMPLATE", "VERSION", "AGE"];
        if self.all_namespaces {
            header.insert(0, "NAMESPACE");
        }
        if wide {
            header.extend(["TARGET NAMESPACE", "REPOSITORY", "RESOLVED VERSION", "MESSAGE"]);
        }
        let rows: Vec<Vec<String>> = modules
            .iter()
            .map(|module| {
                let mut row = row(module, now);
                if self.all_namespaces {
                    row.insert(0, cell(module.metadata.namespace.as_deref()));
                }
                if wide {
                    let data = &module.data;
                    row.extend([
                        cell(data.pointer("/spec/targetNamespace").and_then(Value::as_str)),
                        cell(data.pointer("/spec/template/repo").and_then(Value::as_str)),
                        cell(data.pointer("/status/templateResolvedVersion").and_then(Value::as_str)),
                        cell(message(module)),
                    ]);
                }
                row
            })
            .collect();
        let text = table(&header, &rows);
        if self.no_headers { text.split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default() } else { text }
    }
}

fn row(module: &DynamicObject, now: Timestamp) -> Vec<String> {
    let text = |pointer: &str| module.data.pointer(pointer).and_then(Value::as_str);
    let (ready, status) = readiness(module);
    let created = module.metadata.creation_timestamp.as_ref().map(|time| time.0);
    vec![
        cell(module.metadata.name.as_deref()),
        ready.to_owned(),
        cell(Some(&status)),
        cell(text("/spec/template/path")),
        cell(text("/spec/template/version")),
        created.map_or_else(|| "<unknown>".to_owned(), |created| age(created, now)),
    ]
}

/// Our controller's condition, else what Cyclops' controller reports.
fn readiness(module: &DynamicObject) -> (&str, String) {
    if module.metadata.deletion_timestamp.is_some() {
        return ("False", "Terminating".to_owned());
    }
    if let Some(condition) = ready_condition(module) {
        let status = condition["status"].as_str().unwrap_or("Unknown");
        return (status, condition["reason"].as_str().unwrap_or_default().to_owned());
    }
    match module.data.pointer("/status/reconciliationStatus/status").and_then(Value::as_str) {
        Some("succeeded") => ("True", "Succeeded".to_owned()),
        Some("failed") => {
            let reason = module.data.pointer("/status/reconciliationStatus/reason").and_then(Value::as_str);
            ("False", reason.filter(|reason| !reason.is_empty()).unwrap_or("Failed").to_owned())
        }
        _ => ("Unknown", String::new()),
    }
}

/// What either controller says about that.
fn message(module: &DynamicObject) -> Option<&str> {
    let condition = ready_condition(module).and_then(|condition| condition["message"].as_str());
    condition.or_else(|| module.data.pointer("/status/reconciliationStatus/reason").and_then(Value::as_str))
}

fn ready_condition(module: &DynamicObject) -> Option<&Value> {
    let conditions = module.data.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready")
}

/// A cell shows one line, and a mark where there is nothing.
fn cell(text: Option<&str>) -> String {
    let line = text.unwrap_or_default().lines().next().unwrap_or_default().trim();
    if line.is_empty() { "<none>".to_owned() } else { escape(line).into_owned() }
}

/// Time since then as kubectl shows it: two units where the first is small, one where it is not.
fn age(created: Timestamp, now: Timestamp) -> String {
    let seconds = now.since((Unit::Second, created)).as_ref().map_or(0, Span::get_seconds).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{small_unit}") }
    };
    match seconds {
        ..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn ages_as_kubectl_shows_them() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let shown = |seconds: i64| age(Timestamp::from_second(1_000_000_000 - seconds).unwrap(), now);
        let cases = [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (130, "2m10s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (30_000, "8h"),
            (172_800, "2d"),
            (180_000, "2d2h"),
            (700_000, "8d"),
            (70_000_000, "2y80d"),
            (300_000_000, "9y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(shown(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn readiness_comes_from_the_condition_or_from_cyclops() {
        let of = |status: Value| {
            let module = module(json!({"metadata": {"name": "x"}, "status": status}));
            let (ready, status) = readiness(&module);
            (ready.to_owned(), status)
        };
        let condition = json!({"conditions": [{"type": "Ready", "status": "False", "reason": "Blocked"}]});
        assert_eq!(of(condition), ("False".to_owned(), "Blocked".to_owned()));
        let told = json!({"metadata": {"name": "x"}, "status": {
            "conditions": [{"type": "Ready", "status": "False", "message": "no right"}],
            "reconciliationStatus": {"status": "failed", "reason": "older"},
        }});
        assert_eq!(message(&module(told)), Some("no right"));
        let cyclops = json!({"reconciliationStatus": {"status": "succeeded"}});
        assert_eq!(of(cyclops), ("True".to_owned(), "Succeeded".to_owned()));
        assert_eq!(of(json!({})), ("Unknown".to_owned(), String::new()));
    }

    #[test]
    fn cells_show_no_control_characters() {
        assert_eq!(cell(Some("a\u{1b}[2Jb\nsecond")), "a^[[2Jb");
        assert_eq!(cell(None), "<none>");
    }
}
