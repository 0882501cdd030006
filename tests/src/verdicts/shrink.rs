//! Smaller writes on which rules and oracle still disagree.

use serde_json::{Map, Value};

use super::{Case, ChartText, Naming, PolicyText, Reason, SchemaText, Who};

/// Makes a case smaller as long as something is wrong with it.
pub fn shrink(case: Case, is_wrong: &dyn Fn(&Case) -> bool) -> Case {
    let mut case = case;
    while let Some(smaller) = smaller(&case).into_iter().find(is_wrong) {
        case = smaller;
    }
    case
}

fn smaller(case: &Case) -> Vec<Case> {
    let mut cases = Vec::new();
    if case.new_chart.is_some() {
        let mut same = Case { new_chart: None, ..case.clone() };
        same.asides.retain(|aside| !aside.names_another_template());
        cases.push(same);
    }
    for index in 0..case.policies.len() {
        let mut fewer = case.clone();
        fewer.policies.remove(index);
        cases.push(fewer);
        for policy in plainer(&case.policies[index]) {
            let mut plain = case.clone();
            plain.policies[index] = policy;
            cases.push(plain);
        }
    }
    for aside in &case.asides {
        let mut fewer = case.clone();
        fewer.asides.remove(aside);
        cases.push(fewer);
    }
    for path in &case.owned {
        let mut fewer = case.clone();
        fewer.owned.remove(path);
        cases.push(fewer);
    }
    if case.who != Who::Developer {
        cases.push(Case { who: Who::Developer, ..case.clone() });
    }
    if case.reason != Reason::None {
        cases.push(Case { reason: Reason::None, ..case.clone() });
    }
    if case.is_claimed || case.is_source_down {
        cases.push(Case { is_claimed: false, is_source_down: false, ..case.clone() });
    }
    cases.extend(smaller_charts(&case.old_chart).into_iter().map(|old_chart| Case { old_chart, ..case.clone() }));
    for new_chart in case.new_chart.iter().flat_map(smaller_charts) {
        cases.push(Case { new_chart: Some(new_chart), ..case.clone() });
    }
    for old_values in smaller_maps(&case.old_values) {
        let is_there = |path: &Vec<String>| path.iter().try_fold(&old_values, |value, key| value.get(key));
        let owned = case.owned.iter().filter(|path| is_there(path).is_some_and(|value| !value.is_object())).cloned();
        cases.push(Case { owned: owned.collect(), old_values: old_values.clone(), ..case.clone() });
    }
    cases.extend(smaller_maps(&case.new_values).into_iter().map(|new_values| Case { new_values, ..case.clone() }));
    cases
}

/// The policy with one thing less said.
fn plainer(policy: &PolicyText) -> Vec<PolicyText> {
    let silent = PolicyText::SILENT;
    let mut policies = vec![
        PolicyText { values: silent.values, ..policy.clone() },
        PolicyText { ownership: silent.ownership, ..policy.clone() },
        PolicyText { template: silent.template, ..policy.clone() },
        PolicyText { creation: silent.creation, ..policy.clone() },
        PolicyText { deletion: silent.deletion, ..policy.clone() },
        PolicyText { lists_rescuer: false, ..policy.clone() },
        PolicyText { writer: Naming::Nobody, ..policy.clone() },
    ];
    policies.retain(|plain| plain != policy);
    policies
}

fn smaller_charts(chart: &ChartText) -> Vec<ChartText> {
    let mut charts = Vec::new();
    for index in 0..chart.sub_charts.len() {
        let mut without = chart.clone();
        without.sub_charts.remove(index);
        charts.push(without);
        for inner in smaller_charts(&chart.sub_charts[index].chart) {
            let mut smaller = chart.clone();
            smaller.sub_charts[index].chart = inner;
            charts.push(smaller);
        }
        if chart.sub_charts[index].condition.is_some() || chart.sub_charts[index].tag.is_some() {
            let mut smaller = chart.clone();
            (smaller.sub_charts[index].condition, smaller.sub_charts[index].tag) = (None, None);
            charts.push(smaller);
        }
    }
    if let Some(schema) = &chart.schema {
        charts.push(ChartText { schema: None, ..chart.clone() });
        if let SchemaText::Json(schema) = schema {
            let schemas = smaller_maps(schema).into_iter();
            charts.extend(schemas.map(|schema| ChartText { schema: Some(SchemaText::Json(schema)), ..chart.clone() }));
        }
    }
    charts.extend(smaller_maps(&chart.values).into_iter().map(|values| ChartText { values, ..chart.clone() }));
    charts
}

/// Smaller values that are mappings as well.
fn smaller_maps(value: &Value) -> Vec<Value> {
    smaller_values(value).into_iter().filter(Value::is_object).collect()
}

fn smaller_values(value: &Value) -> Vec<Value> {
    let mut values = Vec::new();
    match value {
        Value::Object(members) => {
            values.extend(members.values().cloned());
            for (key, member) in members {
                let mut without: Map<String, Value> = members.clone();
                without.remove(key);
                values.push(without.into());
                for smaller in smaller_values(member) {
                    let mut replaced = members.clone();
                    replaced.insert(key.clone(), smaller);
                    values.push(replaced.into());
                }
            }
        }
        Value::Array(items) => {
            values.extend(items.iter().cloned());
            for (index, item) in items.iter().enumerate() {
                let mut without = items.clone();
                without.remove(index);
                values.push(without.into());
                for smaller in smaller_values(item) {
                    let mut replaced = items.clone();
                    replaced[index] = smaller;
                    values.push(replaced.into());
                }
            }
        }
        _ => {}
    }
    values
}
