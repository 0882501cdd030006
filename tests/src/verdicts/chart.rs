//! Charts without templates, in the form in which they are generated, loaded and shown.

use std::fmt;

use anyhow::{Context, Result};
use renderer::{Chart, ChartFile};
use serde_json::{Value, json};

use super::oracle::Document;

/// A chart without templates.
#[derive(Clone, Debug)]
pub struct ChartText {
    /// `values.schema.json`.
    pub schema: Option<SchemaText>,
    /// `values.yaml`.
    pub values: Value,
    /// The dependencies.
    pub sub_charts: Vec<SubChart>,
}

/// A schema, or what is none.
#[derive(Clone, Debug)]
pub enum SchemaText {
    /// JSON.
    Json(Value),
    /// A text that nobody can take for a schema.
    Broken(String),
}

/// A dependency.
#[derive(Clone, Debug)]
pub struct SubChart {
    /// Its chart's name.
    pub name: String,
    /// `alias`.
    pub alias: Option<String>,
    /// `condition`.
    pub condition: Option<String>,
    /// One of `tags`.
    pub tag: Option<String>,
    /// The chart.
    pub chart: ChartText,
}

impl SubChart {
    fn key(&self) -> &str {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

impl ChartText {
    fn files(&self, name: &str, folder: &str, files: &mut Vec<ChartFile>) {
        let dependencies: Vec<Value> = self
            .sub_charts
            .iter()
            .map(|sub_chart| {
                json!({
                    "name": sub_chart.name,
                    "version": "1.0.0",
                    "alias": sub_chart.alias.as_deref().unwrap_or_default(),
                    "condition": sub_chart.condition.as_deref().unwrap_or_default(),
                    "tags": sub_chart.tag.iter().collect::<Vec<_>>(),
                })
            })
            .collect();
        let metadata = json!({"apiVersion": "v2", "name": name, "version": "1.0.0", "dependencies": dependencies});
        let mut add = |name: &str, text: String| {
            files.push(ChartFile { name: format!("{folder}{name}"), data: text.into_bytes() });
        };
        add("Chart.yaml", metadata.to_string());
        add("values.yaml", self.values.to_string());
        match &self.schema {
            Some(SchemaText::Json(schema)) => add("values.schema.json", schema.to_string()),
            Some(SchemaText::Broken(text)) => add("values.schema.json", text.clone()),
            None => {}
        }
        for sub_chart in &self.sub_charts {
            sub_chart.chart.files(&sub_chart.name, &format!("{folder}charts/{}/", sub_chart.name), files);
        }
    }

    pub(super) fn load(&self) -> Result<Chart> {
        let mut files = Vec::new();
        self.files("app", "", &mut files);
        Chart::load(files).context("the generated chart cannot be loaded")
    }

    /// The schemas with the keys of their charts' values; none if one of them is no schema.
    pub(super) fn documents(&self, path: &[String], documents: &mut Vec<Document>) -> Option<()> {
        match &self.schema {
            Some(SchemaText::Json(schema)) => {
                documents.push(Document { chart: path.to_vec(), schema: schema.clone() });
            }
            Some(SchemaText::Broken(_)) => return None,
            None => {}
        }
        self.sub_charts.iter().try_for_each(|sub_chart| {
            sub_chart.chart.documents(&[path, &[sub_chart.key().to_owned()]].concat(), documents)
        })
    }

    /// The keys of the values of all sub-charts, inner ones included.
    pub(super) fn paths(&self) -> Vec<Vec<String>> {
        let below = |sub_chart: &SubChart| {
            let key = sub_chart.key().to_owned();
            let inner = sub_chart.chart.paths().into_iter().map(|path| [vec![key.clone()], path].concat());
            std::iter::once(vec![key.clone()]).chain(inner).collect::<Vec<_>>()
        };
        self.sub_charts.iter().flat_map(below).collect()
    }
}

pub(super) fn write_chart(formatter: &mut fmt::Formatter<'_>, chart: &ChartText, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    match &chart.schema {
        Some(SchemaText::Json(schema)) => writeln!(formatter, "{indent}schema    {schema}")?,
        Some(SchemaText::Broken(text)) => writeln!(formatter, "{indent}schema    {text}")?,
        None => {}
    }
    writeln!(formatter, "{indent}defaults  {}", chart.values)?;
    for SubChart { name, alias, condition, tag, chart } in &chart.sub_charts {
        writeln!(formatter, "{indent}sub-chart {name} alias {alias:?} condition {condition:?} tag {tag:?}")?;
        write_chart(formatter, chart, depth + 1)?;
    }
    Ok(())
}
