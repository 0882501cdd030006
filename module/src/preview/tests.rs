use serde_json::json;

use super::*;
use crate::plan::ResourceChange;

/// Text that does not compress: hexadecimal digits of a linear congruential generator.
fn noise(bytes: usize) -> String {
    let mut state: u64 = 7;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:08x}", state >> 32)
    })
    .take(bytes / 8)
    .collect()
}

fn change(change: Change, name: &str, bytes: usize) -> ResourceChange {
    ResourceChange {
        change,
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: Some("team-a".into()),
        name: name.into(),
        before: None,
        after: Some(json!({"data": noise(bytes)})),
    }
}

fn answer(changed: usize, added: usize, unchanged: usize) -> PreviewAnswer {
    PreviewAnswer {
        values_then: Some(json!({"replicas": 2})),
        plan: Some(Plan {
            resources: vec![change(Change::Change, "changed", changed), change(Change::Add, "added", added)],
            ..Plan::default()
        }),
        resources: vec![json!({"data": noise(unchanged)})],
        ..PreviewAnswer::default()
    }
}

fn round_trip(answer: PreviewAnswer) -> PreviewAnswer {
    let text = answer.encode().unwrap();
    assert!(text.len() <= MAX_ENCODED);
    PreviewAnswer::decode(&text).unwrap()
}

#[test]
fn questions_and_answers_survive_the_annotation() {
    let question =
        PreviewQuestion { spec: Some(json!({"values": {"a": null}})), want: vec![Want::Plan, Want::Verdict] };
    assert_eq!(PreviewQuestion::decode(&question.encode().unwrap()).unwrap(), question);
    let whole = answer(10, 10, 10);
    assert_eq!(round_trip(whole.clone()), whole);
}

#[test]
fn what_changes_is_kept_longest() {
    let shape = |answer: &PreviewAnswer| {
        let plan = answer.plan.as_ref().unwrap();
        (
            plan.resources[0].after.is_some(),
            plan.resources[1].after.is_some(),
            !answer.resources.is_empty(),
            answer.truncated,
        )
    };
    assert_eq!(shape(&round_trip(answer(1_000, 1_000, 400_000))), (true, true, false, true));
    assert_eq!(shape(&round_trip(answer(1_000, 400_000, 400_000))), (true, false, false, true));
    let names_only = round_trip(answer(400_000, 400_000, 400_000));
    assert_eq!(shape(&names_only), (false, false, false, true));
    assert_eq!(names_only.plan.unwrap().summary(), "Plan: 1 to add, 1 to change, 0 to delete");
}

#[test]
fn a_question_that_does_not_fit_is_an_error() {
    let question = PreviewQuestion { spec: Some(json!(noise(400_000))), want: Vec::new() };
    assert!(matches!(question.encode(), Err(CodecError::TooLarge { .. })));
}

#[test]
fn texts_that_are_none_or_unpack_without_end_are_errors() {
    for text in ["", "!", "AAAA", "bm90IGd6aXA="] {
        assert!(PreviewQuestion::decode(text).is_err(), "{text}");
    }
    let bomb = size::encode(&json!({"spec": " ".repeat(17 << 20)})).unwrap();
    assert!(bomb.len() < MAX_ENCODED);
    let error = PreviewQuestion::decode(&bomb).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than"), "{error}");
    assert!(PreviewQuestion::decode(&"A".repeat(MAX_ENCODED + 1)).is_err());
}
