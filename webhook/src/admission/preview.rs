//! Answers to previews: what a change would do, without making it.
//!
//! The write itself is a dry run that changes an annotation only, so that the question can be about a change that would
//! be refused. It is answered with the rights and for the eyes of whoever asks.

use std::{collections::BTreeMap, sync::Arc};

use module::{
    Template, annotations,
    plan::{Plan, PlanState},
    policy::EffectivePolicy,
    preview::{LockAnswer, PreviewAnswer, PreviewQuestion, Want},
    verdict::{self, Controllers, Refusal, Verdict},
};
use renderer::{Chart, values};
use serde_json::{Map, Number, Value};

use super::{
    Admission,
    expansion::{Consequences, Expander},
    loading::Loaded,
    validate::question,
    worker_refusal,
    write::{Write, annotation, template_reference},
};
use crate::metrics::Stage;

/// Answers the question in the annotation of a dry-run write.
pub(crate) async fn answer(admission: &Admission, write: &Write) -> Result<String, Refusal> {
    let field = format!("metadata.annotations[{}]", annotations::QUESTION);
    let text = write.new.as_ref().and_then(|new| annotation(new, annotations::QUESTION)).unwrap_or_default();
    let asked = PreviewQuestion::decode(text).map_err(|error| Refusal::invalid(&field, error.to_string()))?;
    let want = if asked.want.is_empty() { vec![Want::Verdict, Want::Plan] } else { asked.want };
    let mut write = write.clone();
    if let (Some(spec), Some(new)) = (asked.spec, &mut write.new) {
        new["spec"] = spec;
    }
    let answer = match reply(admission, Arc::new(write), want).await {
        Ok(answer) => answer,
        // Also an answer: what was asked about cannot be judged, let alone made.
        Err(refusal) => PreviewAnswer { refusal: Some(refusal), ..PreviewAnswer::default() },
    };
    answer.encode().map_err(|error| Refusal::invalid(&field, error.to_string()))
}

async fn reply(admission: &Admission, write: Arc<Write>, want: Vec<Want>) -> Result<PreviewAnswer, Refusal> {
    let policy = Arc::new(admission.policy(&write.namespace)?);
    if let Some(new) = &write.new {
        template_reference(new)?;
    }
    let loaded = admission.load_both(&write, &policy, true).await?;
    let inquiry = Arc::new(Inquiry { write, policy, loaded, want, controllers: admission.controllers.clone() });
    let (mut answer, consequences) = inquire(admission, &inquiry).await?;
    if let (None, Some(consequences)) = (&answer.refusal, consequences)
        && inquiry.want.contains(&Want::Verdict)
    {
        answer.refusal = admission.check_escalation(&inquiry.write, &inquiry.policy, &consequences).await.err();
    }
    Ok(answer)
}

async fn inquire(
    admission: &Admission,
    inquiry: &Arc<Inquiry>,
) -> Result<(PreviewAnswer, Option<Consequences>), Refusal> {
    let _time = admission.metrics.stage(Stage::Preview);
    let run = || {
        let (inquiry, expander) = (Arc::clone(inquiry), admission.expander());
        admission.workers.run(move || inquiry.answer(&expander))
    };
    let (answer, consequences) = run().await.map_err(worker_refusal)??;
    // A kind may have been installed a moment ago.
    if consequences.is_none() && admission.kinds.refresh().await {
        return run().await.map_err(worker_refusal)?;
    }
    Ok((answer, consequences))
}

/// A question with everything that is needed to answer it.
struct Inquiry {
    write: Arc<Write>,
    policy: Arc<EffectivePolicy>,
    loaded: Loaded,
    want: Vec<Want>,
    controllers: Controllers,
}

impl Inquiry {
    /// The answer as far as it needs nobody else, and the consequences, if the new Module expands.
    fn answer(&self, expander: &Expander) -> Result<(PreviewAnswer, Option<Consequences>), Refusal> {
        let Self { write, policy, loaded, want, controllers } = self;
        let Some(template) = &loaded.new else {
            return Err(Refusal::invalid("spec.template", "the Module names no template"));
        };
        let mut answer = PreviewAnswer {
            writers: verdict::writers(policy),
            template_digest: Some(template.digest().to_owned()),
            ..PreviewAnswer::default()
        };
        if want.contains(&Want::Schema) {
            answer.defaults = Some(shown(template, effective(template.chart(), None)?));
            answer.schema = schema(template.chart());
            sub_chart_schemas(template.chart(), "", &mut answer.sub_chart_schemas);
            answer.locks = template.locks().locks().map(LockAnswer::from).collect();
        }
        if want.contains(&Want::Verdict) {
            match verdict::decide(&question(controllers, write, policy, loaded)) {
                Verdict::Allowed(allowance) => answer.warnings.extend(allowance.warnings),
                Verdict::Refused(refusal) => answer.refusal = Some(refusal),
            }
        }
        let now = match (&write.old, &loaded.old) {
            (Some(old), Some(template)) => Some((template, effective(template.chart(), Some(old)))),
            _ => None,
        };
        let then = effective(template.chart(), write.new.as_ref());
        // A preview has to work for the change that mends a Module, so what is stored now may be wrong.
        if let Some((template, Ok(values))) = &now {
            answer.values_now = Some(shown(template, values.clone()));
        }
        match &then {
            Ok(values) => answer.values_then = Some(shown(template, values.clone())),
            Err(refusal) => refuse(&mut answer, refusal.clone()),
        }
        let before = expander.stored(write, loaded, policy);
        let after = match expander.written(write, loaded, policy) {
            Ok(after) => after,
            Err(refusal) => {
                refuse(&mut answer, refusal);
                return Ok((answer, None));
            }
        };
        answer.warnings.extend(after.warnings.iter().cloned());
        if let Err(refusal) = &before {
            answer.warnings.push(format!("the Module as it is now cannot be rendered: {}", refusal.message));
        }
        if let Ok(then) = &then {
            let new = PlanState { values: then, expansion: &after };
            if want.contains(&Want::Plan) {
                let old = match (&now, &before) {
                    (Some((_, Ok(values))), Ok(expansion)) => Some(PlanState { values, expansion }),
                    _ => None,
                };
                answer.plan = Some(Plan::between(&self.locks(template), old, new));
            }
            if want.contains(&Want::Resources) {
                answer.resources = masked(template, new);
            }
        }
        let before = before.unwrap_or_default();
        Ok((answer, Some(Consequences::new(write, before, after))))
    }

    fn locks(&self, template: &Template) -> module::lock::LockSet {
        match &self.loaded.old {
            Some(old) if !self.loaded.same => old.locks().union(template.locks()),
            _ => template.locks().clone(),
        }
    }
}

/// The first refusal stays: a lock says more than the error that follows from it.
fn refuse(answer: &mut PreviewAnswer, refusal: Refusal) {
    answer.refusal.get_or_insert(refusal);
}

/// All resources; what must not be shown is hidden as in a plan that adds them.
fn masked(template: &Template, new: PlanState<'_>) -> Vec<Value> {
    let nothing = Map::new();
    let all = PlanState { values: &nothing, expansion: new.expansion };
    let plan = Plan::between(template.locks(), None, all);
    plan.resources.into_iter().filter_map(|resource| resource.after).collect()
}

/// Effective values of a Module, or of a Module without values.
fn effective(chart: &Chart, module: Option<&Value>) -> Result<Map<String, Value>, Refusal> {
    let wrong = |error: values::ValuesError| Refusal::invalid("spec.values", error.to_string());
    let own = match module.and_then(|module| module.pointer("/spec/values")) {
        Some(own) => values::from_json(own).map_err(wrong)?,
        None => values::Values::new(),
    };
    let effective = values::effective(chart, &own).map_err(wrong)?;
    Ok(effective.into_iter().map(|(key, value)| (key, with_integers(value))).collect())
}

/// Helm makes floats of all numbers; people wrote 2 and not 2.0.
fn with_integers(value: Value) -> Value {
    /// Beyond, not every integer is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => {
            let integer = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT);
            Value::Number(integer.map_or(number, |float| Number::from(float as i64)))
        }
        Value::Array(items) => items.into_iter().map(with_integers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, with_integers(value))).collect(),
        other => other,
    }
}

fn shown(template: &Template, values: Map<String, Value>) -> Value {
    template.locks().root().masked(&Value::Object(values))
}

/// A schema that is no JSON has no locks that could be read: such a template is never loaded.
fn schema(chart: &Chart) -> Option<Value> {
    serde_json::from_slice(chart.schema()?).ok()
}

/// The schemas of sub-charts under the paths of their values.
fn sub_chart_schemas(chart: &Chart, prefix: &str, found: &mut BTreeMap<String, Value>) {
    for (name, child) in chart.dependency_names() {
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        sub_chart_schemas(child, &path, found);
        if let Some(schema) = schema(child) {
            found.insert(path, schema);
        }
    }
}
