//! The sentences of the rules, one by one.
#![expect(clippy::needless_pass_by_value, reason = "literals of `json!` are easier to read without references")]

use renderer::{Chart, ChartFile};
use serde_json::{Value, json};

use super::*;
use crate::policy::{ModulePolicy, Policies};

fn chart(files: &[(&str, &str)]) -> Chart {
    let files = files.iter().map(|(name, data)| ChartFile { name: (*name).to_owned(), data: data.as_bytes().to_vec() });
    Chart::load(files.collect()).unwrap()
}

const CHART: &str = "apiVersion: v2\nname: app\nversion: 1.0.0\n";
const DEFAULTS: &str = "image: nginx\ntag: \"1\"\nreplicas: 1\nhosts: []\n";
const SCHEMA: &str = r#"{"properties": {
    "image": {"immutable": true},
    "tag": {"immutable": true},
    "hosts": {"immutable": true},
    "password": {"immutable": true, "format": "password"}
}}"#;

fn locked() -> Template {
    Template::new(
        chart(&[("Chart.yaml", CHART), ("values.yaml", DEFAULTS), ("values.schema.json", SCHEMA)]),
        "sha-locked",
    )
    .unwrap()
}

fn unlocked() -> Template {
    Template::new(chart(&[("Chart.yaml", CHART), ("values.yaml", DEFAULTS)]), "sha-unlocked").unwrap()
}

fn module(values: Value) -> Value {
    json!({
        "apiVersion": "cyclops-ui.com/v1alpha1",
        "kind": "Module",
        "metadata": {"name": "shop", "namespace": "team-a", "generation": 1},
        "spec": {
            "targetNamespace": "team-a",
            "template": {"repo": "https://git.example.com/templates", "path": "app", "version": "main", "sourceType": "git"},
            "values": values,
        },
    })
}

fn set(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    let mut place = &mut object;
    for token in parent.split('/').skip(1) {
        if place.get(token).is_none() {
            place[token] = json!({});
        }
        place = &mut place[token];
    }
    if value.is_null() {
        place.as_object_mut().unwrap().remove(&key);
    } else {
        place[key.as_str()] = value;
    }
    object
}

fn alice() -> Requester {
    Requester::named("alice")
}

fn argocd() -> Requester {
    Requester::named("system:serviceaccount:argocd:argocd-application-controller")
}

fn cyclops() -> Requester {
    Requester::named("system:serviceaccount:cyclops:cyclops-ctrl")
}

fn policy(more: Value) -> EffectivePolicy {
    let mut spec = json!({
        "gitOpsWriters": [{"serviceAccount": {"namespace": "argocd", "name": "argocd-application-controller"}}],
        "breakGlass": [{"user": "oncall"}],
    });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    Policies::new([ModulePolicy::new("platform", serde_json::from_value(spec).unwrap())]).effective("team-a")
}

/// A question with everything that it may need.
struct Case {
    operation: Operation,
    old: Option<Value>,
    new: Option<Value>,
    requester: Requester,
    policy: EffectivePolicy,
    old_template: Option<Template>,
    new_template: Option<Template>,
}

impl Case {
    fn update(old: Value, new: Value) -> Self {
        Self {
            operation: Operation::Update,
            old: Some(old),
            new: Some(new),
            requester: alice(),
            policy: policy(json!({})),
            old_template: Some(locked()),
            new_template: None,
        }
    }

    fn by(mut self, requester: Requester) -> Self {
        self.requester = requester;
        self
    }

    fn under(mut self, more: Value) -> Self {
        self.policy = policy(more);
        self
    }

    fn having(mut self, template: Template) -> Self {
        self.old_template = Some(template);
        self
    }

    fn moving_to(mut self, template: Template) -> Self {
        self.new_template = Some(template);
        self
    }

    fn without_templates(mut self) -> Self {
        self.old_template = None;
        self
    }

    fn ask<T>(&self, ask: impl FnOnce(&Question<'_>) -> T) -> T {
        let controllers = Controllers {
            own: Some("system:serviceaccount:module-system:module-webhook".into()),
            cyclops: Some(cyclops().username),
        };
        ask(&Question {
            operation: self.operation,
            old: self.old.as_ref(),
            new: self.new.as_ref(),
            requester: &self.requester,
            policy: &self.policy,
            old_template: self.old_template.as_ref(),
            new_template: self.new_template.as_ref(),
            controllers: &controllers,
        })
    }

    fn decide(&self) -> Verdict {
        self.ask(decide)
    }

    fn required(&self) -> RequiredTemplates {
        fn ask(question: &Question<'_>) -> RequiredTemplates {
            question.required_templates()
        }
        self.ask(ask)
    }
}

fn allowed(case: &Case) -> Allowance {
    match case.decide() {
        Verdict::Allowed(allowance) => allowance,
        Verdict::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn refused(case: &Case) -> Refusal {
    match case.decide() {
        Verdict::Refused(refusal) => refusal,
        Verdict::Allowed(allowance) => panic!("allowed: {allowance:?}"),
    }
}

fn refused_fields(case: &Case) -> Vec<String> {
    let refusal = refused(case);
    assert_eq!((refusal.code, refusal.reason), (422, Reason::Invalid), "{refusal:?}");
    refusal.causes.into_iter().map(|cause| cause.field).collect()
}

#[test]
fn free_values_may_change_and_locked_ones_not() {
    let old = || module(json!({"image": "nginx", "replicas": 1}));
    allowed(&Case::update(old(), module(json!({"image": "nginx", "replicas": 3}))));
    let change = || Case::update(old(), module(json!({"image": "evil", "tag": "2", "replicas": 3})));
    assert_eq!(refused_fields(&change()), ["spec.values.image", "spec.values.tag"]);
    let allowance = allowed(&change().by(argocd()));
    assert_eq!(allowance.locked_changes, ["spec.values.image", "spec.values.tag"]);
    assert!(allowance.warnings.is_empty());
}

#[test]
fn messages_say_what_is_locked_who_may_change_it_and_where() {
    let old = set(
        module(json!({"image": "nginx"})),
        "/metadata/annotations/argocd.argoproj.io~1tracking-id",
        json!("shop:x:y"),
    );
    let new = set(old.clone(), "/spec/values/image", json!("evil"));
    let refusal = refused(&Case::update(old, new));
    assert_eq!(
        refusal.causes[0].message,
        "locked by the template: it is \"nginx\" and must not become \"evil\". Only the service account \
         argocd/argocd-application-controller may change it. Change it in Git: the source of the Argo CD application shop."
    );
    assert_eq!(refusal.message, format!("spec.values.image: {}", refusal.causes[0].message));
}

#[test]
fn without_a_policy_messages_say_that_nobody_may() {
    let mut case = Case::update(module(json!({"image": "a"})), module(json!({"image": "b"}))).by(argocd());
    case.policy = EffectivePolicy::default();
    let message = refused(&case).message;
    let end = "Nobody may change it: there is no ModulePolicy for this namespace. Ask your platform team for one that names \
               GitOps writers.";
    assert!(message.ends_with(end), "{message}");
}

#[test]
fn secrets_are_in_no_message() {
    let case = Case::update(module(json!({"password": "old-secret"})), module(json!({"password": "new-secret"})));
    let refusal = refused(&case);
    let text = format!("{refusal:?}");
    assert!(!text.contains("old-secret") && !text.contains("new-secret"), "{text}");
    assert!(refusal.message.contains("it is (hidden) and must not become (hidden)"), "{text}");
}

#[test]
fn many_causes_are_cut_in_the_message_only() {
    let hosts: Value =
        (0..40).map(|index| (format!("key{index}"), json!(index))).collect::<serde_json::Map<_, _>>().into();
    let case = Case::update(module(json!({"hosts": hosts})), module(json!({"hosts": []})));
    let refusal = refused(&case);
    assert_eq!(refusal.causes.len(), 40);
    assert!(refusal.message.len() < 4_096 && refusal.message.contains("... and "), "{}", refusal.message);
}

#[test]
fn what_a_template_with_locks_locks_besides() {
    let old = || module(json!({}));
    for (pointer, value, field) in [
        ("/spec/template/repo", json!("https://git.example.com/other"), "spec.template.repo"),
        ("/spec/template/path", json!("other"), "spec.template.path"),
        ("/spec/template/version", json!("dev"), "spec.template.version"),
        ("/spec/template/sourceType", json!("helm"), "spec.template.sourceType"),
        (
            "/spec/template/enforceGitOpsWrite",
            json!({"repo": "a", "path": "b", "version": "c"}),
            "spec.template.enforceGitOpsWrite",
        ),
        ("/spec/targetNamespace", json!("kube-system"), "spec.targetNamespace"),
        ("/spec/targetNamespace", json!(null), "spec.targetNamespace"),
        (
            "/metadata/annotations/cyclops-ui.com~1write-repo",
            json!("https://git.example.com/a"),
            "metadata.annotations[cyclops-ui.com/write-repo]",
        ),
        (
            "/history",
            json!([{"generation": 1, "template": {"repo": "", "path": "", "version": ""}, "values": {}}]),
            "history",
        ),
    ] {
        let change = || Case::update(old(), set(old(), pointer, value.clone())).moving_to(locked());
        assert_eq!(refused_fields(&change()), [field], "{pointer}");
        allowed(&change().by(argocd()));
        allowed(&change().having(unlocked()).moving_to(unlocked()));
        assert_eq!(allowed(&change().under(json!({"immutableValues": "Off"}))).warnings, Vec::<String>::new());
        assert_eq!(allowed(&change().under(json!({"immutableValues": "Warn"}))).warnings.len(), 1);
    }
}

#[test]
fn fields_that_clients_lose_are_no_change() {
    let old =
        set(module(json!({})), "/spec/template/enforceGitOpsWrite", json!({"repo": "a", "path": "b", "version": "c"}));
    allowed(&Case::update(old.clone(), set(old.clone(), "/spec/template/sourceType", json!(null))));
    let lost = set(old.clone(), "/spec/template/enforceGitOpsWrite", json!(null));
    allowed(&Case::update(old.clone(), lost.clone()).by(cyclops()));
    assert_eq!(refused_fields(&Case::update(old, lost)), ["spec.template.enforceGitOpsWrite"]);
    let old = set(module(json!({})), "/spec/targetNamespace", json!(null));
    allowed(&Case::update(old.clone(), set(old.clone(), "/spec/targetNamespace", json!(""))));
    allowed(&Case::update(old.clone(), set(old, "/spec/targetNamespace", json!("default"))));
}

#[test]
fn cyclops_writes_history_and_its_noise_passes() {
    let old = module(json!({"image": "nginx", "replicas": 1}));
    let entry = json!([{"generation": 1, "template": {"repo": "", "path": "", "version": ""}, "values": {}}]);
    let new =
        set(set(old.clone(), "/history", entry), "/spec/values", json!({"image": "nginx", "replicas": 2, "hosts": []}));
    allowed(&Case::update(old, new).by(cyclops()));
}

#[test]
fn a_policy_may_free_the_version_as_long_as_locks_and_values_stay() {
    let old = || module(json!({}));
    let moved = || set(old(), "/spec/template/version", json!("v2"));
    let version = || json!({"template": {"changes": "Version"}});
    let newer = |defaults: &str, schema: &str| {
        let files = [("Chart.yaml", CHART), ("values.yaml", defaults), ("values.schema.json", schema)];
        Template::new(chart(&files), "sha-newer").unwrap()
    };
    let case = |template: Template| Case::update(old(), moved()).under(version()).moving_to(template);
    allowed(&case(newer(DEFAULTS, SCHEMA)));
    allowed(&case(newer("image: nginx\ntag: \"1\"\nreplicas: 7\nhosts: []\n", SCHEMA)));
    let lost_lock = refused_fields(&case(newer(DEFAULTS, r#"{"properties": {"image": {"immutable": true}}}"#)));
    assert_eq!(lost_lock, ["spec.template.version"]);
    let default_moves = refused_fields(&case(newer("image: caddy\ntag: \"1\"\nhosts: []\n", SCHEMA)));
    assert_eq!(default_moves, ["spec.values.image", "spec.template.version"]);
    let also_path = set(moved(), "/spec/template/path", json!("other"));
    let case = Case::update(old(), also_path).under(version()).moving_to(newer(DEFAULTS, SCHEMA));
    assert_eq!(refused_fields(&case), ["spec.template.path", "spec.template.version"]);
    allowed(&Case::update(old(), moved()).under(json!({"template": {"changes": "Any"}})).moving_to(unlocked()));
}

#[test]
fn a_reference_that_moved_under_the_same_words_is_a_change_of_the_version() {
    let old = module(json!({"replicas": 1}));
    let new = set(old.clone(), "/spec/values/replicas", json!(2));
    let moved = || Template::new(chart(&[("Chart.yaml", CHART), ("values.yaml", DEFAULTS)]), "sha-moved").unwrap();
    let case = || Case::update(old.clone(), new.clone());
    assert_eq!(refused_fields(&case().moving_to(moved())), ["spec.template.version"]);
    allowed(&case().moving_to(locked()));
    allowed(&case().moving_to(moved()).by(argocd()));
    let elsewhere = json!({"repo": "a", "path": "b", "version": "c"});
    let both = Case::update(old.clone(), set(new.clone(), "/spec/template/enforceGitOpsWrite", elsewhere));
    assert_eq!(refused_fields(&both.moving_to(moved())), ["spec.template.enforceGitOpsWrite", "spec.template.version"]);
}

#[test]
fn the_locks_of_a_new_template_count_as_well() {
    let old = module(json!({"image": "nginx"}));
    let new = set(set(old.clone(), "/spec/template/version", json!("v2")), "/spec/values/image", json!("evil"));
    let case = Case::update(old, new).having(unlocked()).moving_to(locked());
    assert_eq!(refused_fields(&case), ["spec.values.image"]);
}

#[test]
fn writes_that_touch_nothing_locked_always_pass() {
    // Values that are no mapping: stored before there was a webhook.
    let broken = || module(json!("text"));
    for (pointer, value) in [
        ("/metadata/finalizers", json!(["cyclops-ui.com/module-resources"])),
        ("/metadata/labels", json!({"a": "b"})),
        ("/metadata/annotations/cyclops~1reconciled-at", json!("now")),
        ("/metadata/deletionTimestamp", json!("2024-01-01T00:00:00Z")),
        ("/status/reconciliationStatus", json!({"status": "failed"})),
    ] {
        let case = Case::update(broken(), set(broken(), pointer, value)).without_templates();
        assert_eq!(case.required(), RequiredTemplates::default());
        allowed(&case);
    }
    allowed(&Case::update(
        json!({"metadata": {"name": "empty"}}),
        json!({"metadata": {"name": "empty", "labels": {}}}),
    ));
}

#[test]
fn a_terminating_module_is_locked_like_any_other() {
    let old = set(module(json!({"image": "nginx"})), "/metadata/deletionTimestamp", json!("2024-01-01T00:00:00Z"));
    let new = set(old.clone(), "/spec/values/image", json!("evil"));
    assert_eq!(refused_fields(&Case::update(old, new)), ["spec.values.image"]);
}

#[test]
fn without_the_template_nothing_that_may_be_locked_passes() {
    let old = module(json!({"replicas": 1}));
    let case = Case::update(old.clone(), set(old.clone(), "/spec/values/replicas", json!(2))).without_templates();
    assert_eq!(case.required(), RequiredTemplates { old: true, new: false });
    assert_eq!((refused(&case).code, refused(&case).retry_after_seconds), (503, Some(5)));
    let writer = case.by(argocd());
    assert_eq!(writer.required(), RequiredTemplates::default());
    allowed(&writer);
    let moved = Case::update(old.clone(), set(old, "/spec/template/version", json!("v2")));
    assert_eq!(moved.required(), RequiredTemplates { old: true, new: true });
    assert_eq!(refused(&moved).code, 503);
}

#[test]
fn what_could_never_be_rendered_is_refused_by_field() {
    let new = |pointer: &str, value: Value| set(module(json!({})), pointer, value);
    for (new, field) in [
        (new("/spec", json!(null)), "spec"),
        (new("/spec/values", json!([1])), "spec.values"),
        (new("/spec/values", json!("text")), "spec.values"),
        (new("/spec/values", json!(null)), "spec.values"),
        (new("/spec/template", json!(null)), "spec.template"),
        (new("/spec/template/version", json!(1)), "spec"),
        (new("/spec/template/repo", json!("http://git.example.com/x")), "spec.template.repo"),
        (new("/spec/template/repo", json!("https://a:b@git.example.com/x")), "spec.template.repo"),
    ] {
        for requester in [alice(), argocd()] {
            assert_eq!(refused_fields(&Case::update(module(json!({})), new.clone()).by(requester.clone())), [field]);
            let mut create = Case::update(json!({}), new.clone()).by(requester);
            (create.operation, create.old) = (Operation::Create, None);
            assert_eq!(refused_fields(&create), [field]);
        }
    }
}

#[test]
fn creation_is_free_unless_the_policy_says_otherwise() {
    let create = |more: Value, requester: Requester| {
        let mut case = Case::update(json!({}), module(json!({"image": "any"}))).under(more).by(requester);
        (case.operation, case.old, case.old_template) = (Operation::Create, None, None);
        case
    };
    allowed(&create(json!({}), alice()));
    let refusal = refused(&create(json!({"creation": "GitOpsOnly"}), alice()));
    assert_eq!((refusal.code, refusal.reason), (403, Reason::Forbidden));
    assert!(refusal.message.contains("Only the service account argocd/argocd-application-controller may create"));
    allowed(&create(json!({"creation": "GitOpsOnly"}), argocd()));
}

#[test]
fn deletion_is_guarded_for_what_git_has_claimed() {
    let delete = |old: Value, more: Value, requester: Requester| {
        let mut case = Case::update(old, json!({})).under(more).by(requester);
        (case.operation, case.new, case.old_template) = (Operation::Delete, None, None);
        case
    };
    let claimed = || set(module(json!({})), "/metadata/annotations/module.cyclops-ui.com~1protected", json!("true"));
    allowed(&delete(module(json!({})), json!({}), alice()));
    let refusal = refused(&delete(claimed(), json!({}), alice()));
    assert_eq!(refusal.code, 403);
    assert!(refusal.message.contains("which deleting and creating it anew would get round"), "{}", refusal.message);
    allowed(&delete(claimed(), json!({}), argocd()));
    allowed(&delete(claimed(), json!({"deletion": "Anyone"}), alice()));
    assert_eq!(refused(&delete(module(json!({})), json!({"deletion": "GitOpsOnly"}), alice())).code, 403);
    for cleaner in ["generic-garbage-collector", "namespace-controller"] {
        allowed(&delete(
            claimed(),
            json!({"deletion": "GitOpsOnly"}),
            Requester::named(format!("system:serviceaccount:kube-system:{cleaner}")),
        ));
    }
}

#[test]
fn an_owner_would_let_a_guarded_module_be_deleted() {
    let owned_by = |module: Value, owners: Value| set(module, "/metadata/ownerReferences", owners);
    let mine = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "mine", "uid": "1"});
    let claimed = set(module(json!({})), "/metadata/annotations/module.cyclops-ui.com~1protected", json!("true"));
    let dependent = owned_by(claimed.clone(), json!([mine]));
    let case = || Case::update(claimed.clone(), dependent.clone()).without_templates();
    assert_eq!(refused_fields(&case()), ["metadata.ownerReferences"]);
    allowed(&case().by(argocd()));
    allowed(&case().under(json!({"deletion": "Anyone"})));
    allowed(&Case::update(dependent.clone(), claimed.clone()).without_templates());
    allowed(&Case::update(module(json!({})), owned_by(module(json!({})), json!([mine]))));

    // No owner of that name: it counts as gone.
    let renamed = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "1"}]);
    let case = || Case::update(dependent.clone(), owned_by(claimed.clone(), renamed.clone())).without_templates();
    assert_eq!(refused_fields(&case()), ["metadata.ownerReferences"]);
    allowed(&case().by(Requester::named("system:serviceaccount:kube-system:generic-garbage-collector")));
    let mut blocking = mine.clone();
    blocking["blockOwnerDeletion"] = json!(true);
    allowed(&Case::update(dependent, owned_by(claimed.clone(), json!([blocking]))).without_templates());

    // Of two owners, the one that still is there.
    let gone = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "2"});
    let (shared, orphan) = (owned_by(claimed.clone(), json!([mine, gone])), owned_by(claimed, json!([gone])));
    assert_eq!(refused_fields(&Case::update(shared, orphan).without_templates()), ["metadata.ownerReferences"]);
}

#[test]
fn a_spec_for_a_module_without_one_is_a_creation() {
    let empty = json!({"metadata": {"name": "shop"}});
    let case = || Case::update(empty.clone(), module(json!({"image": "any"}))).without_templates();
    allowed(&case());
    assert_eq!(refused(&case().under(json!({"creation": "GitOpsOnly"}))).code, 403);
    allowed(&case().under(json!({"creation": "GitOpsOnly"})).by(argocd()));
}

#[test]
fn breaking_the_glass_takes_a_reason_in_the_very_request_by_somebody_listed() {
    let reason = "/metadata/annotations/module.cyclops-ui.com~1break-glass";
    let old = || module(json!({"image": "nginx"}));
    let changed = |old: Value| set(old, "/spec/values/image", json!("fixed"));
    let oncall = || Requester::named("oncall");
    let with = |text: &str| set(changed(old()), reason, json!(text));
    let allowance = allowed(&Case::update(old(), with("outage 7")).by(oncall()));
    assert_eq!(allowance.break_glass.as_deref(), Some("outage 7"));
    assert_eq!(allowance.locked_changes, ["spec.values.image"]);
    assert_eq!(refused(&Case::update(old(), with("outage 7"))).code, 403);
    assert_eq!(refused(&Case::update(old(), with(" ")).by(oncall())).code, 422);
    assert_eq!(refused_fields(&Case::update(old(), changed(old())).by(oncall())), ["spec.values.image"]);
    let kept = set(old(), reason, json!("outage 7"));
    assert_eq!(refused_fields(&Case::update(kept.clone(), changed(kept)).by(oncall())), ["spec.values.image"]);
}

#[test]
fn who_may_break_the_glass_is_told_how() {
    let old = || module(json!({"image": "nginx"}));
    let change = || Case::update(old(), set(old(), "/spec/values/image", json!("fixed")));
    let how = "give the reason in the annotation module.cyclops-ui.com/break-glass.";
    assert!(refused(&change().by(Requester::named("oncall"))).message.ends_with(how));
    assert!(!refused(&change()).message.contains("annotation"));
}

#[test]
fn a_guarded_module_is_deleted_in_an_emergency_after_a_reason_was_written_down() {
    let reason = "/metadata/annotations/module.cyclops-ui.com~1break-glass-deletion";
    let claimed = || set(module(json!({})), "/metadata/annotations/module.cyclops-ui.com~1protected", json!("true"));
    let oncall = || Requester::named("oncall");
    let delete = |old: Value, requester: Requester| {
        let mut case = Case::update(old, json!({})).by(requester);
        (case.operation, case.new, case.old_template) = (Operation::Delete, None, None);
        case
    };
    let with = |old: Value, text: &str| set(old, reason, json!(text));
    let message = refused(&delete(claimed(), oncall())).message;
    assert!(message.ends_with("in the annotation module.cyclops-ui.com/break-glass-deletion."), "{message}");
    let allowance = allowed(&delete(with(claimed(), "moved away"), oncall()));
    assert_eq!(allowance.break_glass.as_deref(), Some("moved away"));
    assert_eq!(refused(&delete(with(claimed(), "moved away"), alice())).code, 403);
    assert_eq!(refused(&delete(with(claimed(), " "), oncall())).code, 403);
    let other = set(claimed(), "/metadata/annotations/module.cyclops-ui.com~1break-glass", json!("an outage"));
    assert_eq!(refused(&delete(other, oncall())).code, 403);

    // Who may write it down: before, and not by creating the Module with it.
    let write = |requester: Requester, text: &str| {
        Case::update(claimed(), with(claimed(), text)).by(requester).without_templates()
    };
    allowed(&write(oncall(), "moved away"));
    allowed(&write(argocd(), "moved away"));
    assert_eq!(refused(&write(alice(), "moved away")).code, 403);
    assert_eq!(refused(&write(oncall(), "")).code, 422);
    allowed(&Case::update(with(claimed(), "a"), claimed()).without_templates());
    let mut create = Case::update(json!({}), with(module(json!({})), "later"));
    (create.operation, create.old, create.old_template) = (Operation::Create, None, None);
    assert_eq!(refused(&create).code, 403);
}

/// A Module whose `image` and `extra` Argo CD owns.
fn owned(values: Value) -> Value {
    let fields = json!({"f:spec": {"f:values": {"f:image": {}, "f:extra": {}}}});
    let entry = json!([{
        "manager": "argocd-controller", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
    set(module(values), "/metadata/managedFields", entry)
}

#[test]
fn what_git_owns_is_locked_where_a_policy_says_so() {
    let enforce = || json!({"ownership": "Enforce"});
    let old = || owned(json!({"image": "nginx", "extra": 1, "replicas": 1}));
    let change = |field: &str, value: Value| {
        Case::update(old(), set(old(), &format!("/spec/values/{field}"), value)).having(unlocked()).under(enforce())
    };
    allowed(&change("replicas", json!(2)));
    allowed(&change("extra", json!(1.0)));
    let refusal = refused(&change("extra", json!(2)));
    assert_eq!(
        refusal.message,
        "spec.values.extra: set from Git by argocd-controller: it is 1 and must not become 2. Only the service account \
         argocd/argocd-application-controller may change it. Change it in Git, from where it is applied."
    );
    assert_eq!(refused_fields(&change("extra", json!(null))), ["spec.values.extra"]);
    assert_eq!(refused_fields(&change("image", json!("nginx:2"))), ["spec.values.image"]);
    let allowance = allowed(&change("extra", json!(2)).by(argocd()));
    assert_eq!(allowance.locked_changes, ["spec.values.extra"]);
    // The name of a field manager gives no right, and no policy with other names locks what it owns.
    assert_eq!(refused_fields(&change("extra", json!(2)).by(Requester::named("argocd-controller"))).len(), 1);
    let named = |name: &str| json!({"ownership": "Enforce", "gitOpsFieldManagers": [name]});
    allowed(&change("extra", json!(2)).under(named("kustomize-controller")));
    assert_eq!(refused_fields(&change("extra", json!(2)).under(named("argocd-controller"))).len(), 1);
    // Modes.
    allowed(&change("extra", json!(2)).under(json!({})));
    let warnings = allowed(&change("extra", json!(2)).under(json!({"ownership": "Warn"}))).warnings;
    assert!(warnings[0].starts_with("spec.values.extra: set from Git by argocd-controller"), "{warnings:?}");
    // Marked and owned: the strictest counts, and it is told once.
    let both = |more: Value| change("image", json!("nginx:2")).having(locked()).under(more);
    assert_eq!(refused(&both(enforce())).causes.len(), 1);
    let off = json!({"ownership": "Enforce", "immutableValues": "Off"});
    assert!(refused(&both(off)).message.contains("set from Git by argocd-controller"));
    let off = json!({"ownership": "Warn"});
    assert!(refused(&both(off)).message.contains("locked by the template"));
}

#[test]
fn what_git_owns_locks_template_and_target_too() {
    let old = || owned(json!({"image": "nginx"}));
    let enforce = |changes: &str| json!({"ownership": "Enforce", "template": {"changes": changes}});
    let moved = |changes: &str| {
        let new = set(old(), "/spec/template/version", json!("v2"));
        Case::update(old(), new).having(unlocked()).moving_to(unlocked()).under(enforce(changes))
    };
    assert_eq!(refused_fields(&moved("GitOpsOnly")), ["spec.template.version"]);
    assert!(refused(&moved("GitOpsOnly")).message.contains("Git owns values of the Module, so the reference"));
    allowed(&moved("GitOpsOnly").by(argocd()));
    allowed(&moved("Version"));
    allowed(&moved("Any"));
    let target = set(old(), "/spec/targetNamespace", json!("kube-system"));
    let target = Case::update(old(), target).having(unlocked()).under(enforce("Any"));
    assert_eq!(refused_fields(&target), ["spec.targetNamespace"]);
    // A template that is not there may have to be compared.
    let unknown = Case::update(old(), set(old(), "/spec/values/replicas", json!(2))).without_templates();
    let unknown = unknown.under(json!({"ownership": "Enforce", "immutableValues": "Off"}));
    assert_eq!(unknown.required(), RequiredTemplates { old: true, new: false });
    assert_eq!(refused(&unknown).code, 503);

    let mut status = Case::update(old(), set(old(), "/status/templateResolvedVersion", json!("sha2")));
    status.operation = Operation::Status;
    allowed(&Case { old_template: Some(unlocked()), policy: policy(json!({})), ..status });
    let mut status = Case::update(old(), set(old(), "/status/templateResolvedVersion", json!("sha2")));
    status.operation = Operation::Status;
    let status = status.having(unlocked()).under(json!({"ownership": "Enforce"}));
    assert_eq!(refused_fields(&status), ["status.templateResolvedVersion"]);
    assert_eq!(allowed(&status.by(argocd())).locked_changes, ["status.templateResolvedVersion"]);
}

#[test]
fn ownership_is_not_taken_away_by_rewriting_the_list() {
    let enforce = || json!({"ownership": "Enforce"});
    let old = || owned(json!({"image": "nginx", "extra": 1}));
    let rewrite = |managed: Value| {
        Case::update(old(), set(old(), "/metadata/managedFields", managed)).under(enforce()).without_templates()
    };
    for managed in [
        json!([]),
        json!([{"manager": "argocd-controller", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:values": {"f:extra": {}}}}}]),
        json!([{"manager": "argocd-controller", "fieldsType": "FieldsV2", "fieldsV1": {}}]),
        json!([{"manager": "alice", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:values": {"f:image": {}, "f:extra": {}}}}}]),
    ] {
        let fields = refused_fields(&rewrite(managed.clone()));
        assert!(fields.iter().all(|field| field == "metadata.managedFields"), "{managed}: {fields:?}");
        allowed(&rewrite(managed.clone()).by(argocd()));
        allowed(&rewrite(managed).under(json!({})));
    }
    let warning = allowed(&rewrite(json!([])).under(json!({"ownership": "Warn"}))).warnings;
    assert!(warning[0].contains("spec.values.extra is set from Git by argocd-controller, which must stay its owner"));

    // A list that cannot be read: nobody can say what is locked.
    let unreadable = json!([{"manager": "argocd-controller", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:values": {"image": {}}}}}]);
    let stored = || set(module(json!({"image": "nginx"})), "/metadata/managedFields", unreadable.clone());
    let change = || Case::update(stored(), set(stored(), "/spec/values/image", json!("x"))).having(unlocked());
    assert_eq!(refused_fields(&change().under(enforce())), ["metadata.managedFields"]);
    allowed(&change().under(enforce()).by(argocd()));
    allowed(&change().under(json!({"ownership": "Warn"})));
}

#[test]
fn what_the_api_server_forgets_counts_as_gits() {
    let enforce = || json!({"ownership": "Enforce"});
    let old = || owned(json!({"image": "nginx", "extra": 1}));
    let forgotten = || {
        let mut module = old();
        module["metadata"]["managedFields"][0]["manager"] = json!("ancient-changes");
        module
    };
    allowed(&Case::update(old(), forgotten()).under(enforce()).without_templates());
    let change = || Case::update(forgotten(), set(forgotten(), "/spec/values/extra", json!(2))).having(unlocked());
    assert_eq!(refused_fields(&change().under(enforce())), ["spec.values.extra"]);
    let named = json!({"ownership": "Enforce", "gitOpsFieldManagers": ["team-pipeline"]});
    assert_eq!(refused_fields(&change().under(named)), ["spec.values.extra"]);
    allowed(&change().under(json!({})));
}

#[test]
fn status_is_free_but_for_what_steers_a_controller() {
    let old = set(module(json!({})), "/status/templateResolvedVersion", json!("sha1"));
    let status = |old: &Value, pointer: &str, value: Value, requester: Requester| {
        let mut case = Case::update(old.clone(), set(old.clone(), pointer, value)).by(requester);
        case.operation = Operation::Status;
        case
    };
    let own = Requester::named("system:serviceaccount:module-system:module-webhook");
    allowed(&status(&old, "/status/reconciliationStatus", json!({"status": "failed"}), alice()));
    allowed(&status(&old, "/status/inventory", json!([]), own.clone()));
    let refusal = refused(&status(&old, "/status/inventory", json!([]), alice()));
    assert_eq!((refusal.code, refusal.causes[0].field.as_str()), (403, "status.inventory"));
    allowed(&status(&old, "/status/managedGVRs", json!([]), cyclops()));

    let resolved = "/status/templateResolvedVersion";
    assert_eq!(refused_fields(&status(&old, resolved, json!("sha2"), alice())), ["status.templateResolvedVersion"]);
    assert_eq!(refused_fields(&status(&old, resolved, json!("sha2"), cyclops())), ["status.templateResolvedVersion"]);
    allowed(&status(&old, resolved, json!("sha2"), argocd()));
    allowed(&status(&old, resolved, json!("sha2"), own));
    allowed(&status(&old, resolved, json!("sha2"), alice()).having(unlocked()));
    let unset = module(json!({}));
    allowed(&status(&unset, resolved, json!("sha1"), cyclops()));
    assert_eq!(refused_fields(&status(&unset, resolved, json!("sha1"), alice())), ["status.templateResolvedVersion"]);
    let unknown = status(&old, resolved, json!("sha2"), alice()).without_templates();
    assert!(unknown.required().old);
    assert_eq!(refused(&unknown).code, 503);
}

#[test]
fn where_versions_are_free_the_deployed_one_is_too_if_locks_and_locked_values_stay() {
    let old = set(module(json!({"image": "nginx"})), "/status/templateResolvedVersion", json!("sha1"));
    let deploy = |version: &str, files: &[(&str, &str)]| {
        let new = set(old.clone(), "/status/templateResolvedVersion", json!(version));
        let mut case = Case::update(old.clone(), new).by(cyclops()).under(json!({"template": {"changes": "Version"}}));
        case.operation = Operation::Status;
        assert!(case.required().new);
        case.moving_to(Template::new(chart(files), "sha2").unwrap())
    };
    let [meta, defaults, schema] = [("Chart.yaml", CHART), ("values.yaml", DEFAULTS), ("values.schema.json", SCHEMA)];
    let resolved = "status.templateResolvedVersion";
    allowed(&deploy("sha2", &[meta, defaults, schema]));
    assert_eq!(refused_fields(&deploy("sha2", &[meta, defaults])), [resolved]);
    let retagged = DEFAULTS.replace("\"1\"", "\"2\"");
    let other_default = deploy("sha2", &[meta, ("values.yaml", &retagged), schema]);
    assert_eq!(refused_fields(&other_default), ["spec.values.tag", resolved]);
    assert_eq!(refused_fields(&deploy("main", &[meta, defaults, schema])), [resolved]);
}

#[test]
fn a_sub_chart_with_locks_must_not_be_switched_off() {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- name: cache\n  version: 1.0.0\n  alias: store\n  condition: store.enabled\n- name: plain\n  version: 1.0.0\n  condition: plain.enabled\n",
        ),
        ("values.yaml", "store:\n  enabled: true\nplain:\n  enabled: true\n"),
        ("charts/cache/Chart.yaml", "apiVersion: v2\nname: cache\nversion: 1.0.0\n"),
        ("charts/cache/values.yaml", "size: 1\n"),
        ("charts/cache/values.schema.json", r#"{"properties": {"size": {"immutable": true}}}"#),
        ("charts/plain/Chart.yaml", "apiVersion: v2\nname: plain\nversion: 1.0.0\n"),
    ];
    let case = |old: Value, new: Value| {
        Case::update(module(old), module(new)).having(Template::new(chart(&files), "sha").unwrap())
    };
    allowed(&case(json!({}), json!({"plain": {"enabled": false}})));
    let fields = refused_fields(&case(json!({"store": {"size": 2}}), json!({"store": {"size": 2, "enabled": false}})));
    assert_eq!(fields, ["spec.values.store.enabled"]);
    let change = case(json!({}), json!({"store": {"size": 2}}));
    assert!(
        refused(&change)
            .message
            .starts_with("spec.values.store.size: locked by the template's sub-chart store: it is 1")
    );
}

#[test]
fn a_sub_chart_with_locks_must_not_be_switched_off_by_a_tag() {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- name: cache\n  version: 1.0.0\n  \
             condition: cache.on,cache.enabled\n  tags: [storage]\n",
        ),
        ("charts/cache/Chart.yaml", "apiVersion: v2\nname: cache\nversion: 1.0.0\n"),
        ("charts/cache/values.schema.json", r#"{"properties": {"size": {"immutable": true}}}"#),
    ];
    let case = |old: Value, new: Value| {
        Case::update(module(old), module(new)).having(Template::new(chart(&files), "sha").unwrap())
    };
    let tagged = |on: bool| json!({"cache": {"size": 2}, "tags": {"storage": on}});
    assert_eq!(refused_fields(&case(tagged(true), tagged(false))), ["spec.values.tags.storage"]);
    allowed(&case(tagged(false), tagged(true)));
    // The first condition that is there decides.
    let conditions = |on: bool, enabled: bool| json!({"cache": {"size": 2, "on": on, "enabled": enabled}});
    allowed(&case(conditions(true, true), conditions(true, false)));
    assert_eq!(refused_fields(&case(conditions(true, true), conditions(false, true))), ["spec.values.cache.on"]);
}

#[test]
fn a_template_store_that_enforces_git_is_for_git_ops_writers() {
    let enforcing = json!({"metadata": {"name": "app"}, "spec": {"repo": "a", "path": "b", "version": "c",
        "enforceGitOpsWrite": {"repo": "r", "path": "p", "version": "v"}}});
    let relaxed = set(enforcing.clone(), "/spec/enforceGitOpsWrite", json!(null));
    let labelled = set(enforcing.clone(), "/metadata/labels", json!({"a": "b"}));
    let decide = |old: Option<&Value>, new: Option<&Value>, requester: Requester| {
        matches!(decide_template_store(old, new, &requester, &policy(json!({}))), Verdict::Allowed(_))
    };
    assert!(!decide(Some(&enforcing), Some(&relaxed), alice()));
    assert!(!decide(Some(&enforcing), None, alice()));
    assert!(decide(Some(&enforcing), Some(&labelled), alice()));
    assert!(decide(Some(&enforcing), Some(&relaxed), argocd()));
    assert!(decide(Some(&relaxed), Some(&enforcing), alice()));
    assert!(decide(None, Some(&enforcing), alice()));
}

#[test]
fn a_request_without_its_object_is_refused() {
    for operation in [Operation::Create, Operation::Update, Operation::Delete, Operation::Status] {
        let mut case = Case::update(json!({}), json!({}));
        (case.operation, case.old, case.new) = (operation, None, None);
        assert_eq!(refused(&case).code, 422);
    }
}
