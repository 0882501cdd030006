//! Asking the server what a change would do: the texts in the annotations of a dry-run write.
//!
//! Each is JSON, compressed with gzip, in Base64.

mod size;

pub use size::{CodecError, MAX_ENCODED};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lock::Lock;
use crate::plan::{Change, Plan};
use crate::verdict::Refusal;

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PreviewQuestion {
    /// The spec in mind; none asks about the object as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// What the answer should hold.
    #[serde(default)]
    pub want: Vec<Want>,
}

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Want {
    /// Whether the change would be accepted.
    Verdict,
    /// What would change.
    Plan,
    /// All resources as they would be.
    Resources,
    /// The values' schemas, defaults and locks.
    Schema,
}

/// The answer. Values that must not be shown are the text `(hidden)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewAnswer {
    /// Why the change would be refused; none if it would be accepted, or was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Warnings for the person who writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Effective values now: the chart's defaults and the Module's values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_now: Option<Value>,
    /// Effective values then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_then: Option<Value>,
    /// The locks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<LockAnswer>,
    /// `values.schema.json` of the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// `values.schema.json` of the sub-charts, by where their values are: `cache`, or `shop/search` for a sub-chart of a
    /// sub-chart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sub_chart_schemas: BTreeMap<String, Value>,
    /// What the template sets where the Module does not: the effective values of a Module without values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Value>,
    /// Who may change locked values, as a phrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writers: Option<String>,
    /// What would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// All resources as they would be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Value>,
    /// The digest of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_digest: Option<String>,
    /// Parts were left out to stay below the size limit.
    #[serde(default)]
    pub truncated: bool,
}

/// A lock in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockAnswer {
    /// Path pattern below `spec.values`, such as `hosts[*].name`.
    pub path: String,
    /// `title` of the locked value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `description` of the locked value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl PreviewQuestion {
    /// The text of the annotation [`crate::annotations::QUESTION`]. Errors if it would be too large.
    pub fn encode(&self) -> Result<String, CodecError> {
        let text = size::encode(self)?;
        if text.len() > MAX_ENCODED {
            return Err(CodecError::TooLarge { bytes: text.len(), limit: MAX_ENCODED });
        }
        Ok(text)
    }

    /// Reads the text of the annotation.
    pub fn decode(text: &str) -> Result<Self, CodecError> {
        size::decode(text)
    }
}

impl PreviewAnswer {
    /// The text of the annotation [`crate::annotations::ANSWER`]. What does not fit is left out, least needed first:
    /// resources that do not change, then the contents of those that do, then schemas and values.
    pub fn encode(mut self) -> Result<String, CodecError> {
        let shortenings: [fn(&mut Self); 5] = [
            |answer| answer.resources.clear(),
            |answer| {
                let changes = answer.plan.iter_mut().flat_map(|plan| &mut plan.resources);
                // An addition is all new; what matters of a change is what differs.
                for change in changes.filter(|change| change.change != Change::Change) {
                    (change.before, change.after) = (None, None);
                }
            },
            |answer| {
                for change in answer.plan.iter_mut().flat_map(|plan| &mut plan.resources) {
                    (change.before, change.after) = (None, None);
                }
            },
            |answer| {
                answer.schema = None;
                answer.sub_chart_schemas.clear();
                answer.defaults = None;
            },
            |answer| (answer.values_now, answer.values_then) = (None, None),
        ];
        let mut shortenings = shortenings.into_iter();
        loop {
            let text = size::encode(&self)?;
            if text.len() <= MAX_ENCODED {
                return Ok(text);
            }
            let Some(shorten) = shortenings.next() else {
                return Err(CodecError::TooLarge { bytes: text.len(), limit: MAX_ENCODED });
            };
            shorten(&mut self);
            self.truncated = true;
        }
    }

    /// Reads the text of the annotation.
    pub fn decode(text: &str) -> Result<Self, CodecError> {
        size::decode(text)
    }
}

impl From<&Lock> for LockAnswer {
    fn from(lock: &Lock) -> Self {
        Self { path: lock.path.to_string(), title: lock.title.clone(), description: lock.description.clone() }
    }
}

#[cfg(test)]
mod tests;
