//! Whole charts, and the arguments they are rendered with.

use std::fmt::Write;

use super::corpus;
use super::expression::{Expressions, Named, Scope};
use super::functions::Kind;
use super::random::Random;
use super::template::Templates;
use super::values::{self, Tree};
use crate::differential::Case;
use crate::oracle::Release;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// The template language and its functions.
    Language,
    /// Manifests: documents, kinds, hooks, notes.
    Manifests,
    /// Values: sub-charts, globals, nulls, conditions, flags.
    Values,
    /// `Chart.yaml` and what else a chart consists of.
    Chart,
}

/// What a case is about, and for whom.
#[derive(Clone, Copy, Debug)]
struct Aim {
    subject: Subject,
    release: Release,
}

/// Kinds that Helm orders, and one that it does not know.
const RESOURCES: &[(&str, &str)] = &[
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("v1", "Secret"),
    ("v1", "Namespace"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ServiceAccount"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("example.com/v1", "Widget"),
    ("example.com/v1", "Another"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "StatefulSet"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "Pod"),
    ("v1", "List"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("v1", "ResourceQuota"),
    ("storage.k8s.io/v1", "StorageClass"),
];

/// A chart and arguments for a release; the same seed gives the same.
pub fn case(seed: u64, release: Release) -> Case {
    let mut random = Random::new(seed);
    let subject =
        [Subject::Language, Subject::Manifests, Subject::Values, Subject::Chart][random.weighted([55, 15, 22, 8])];
    let mut case = Case::new(seed);
    case.only_files = subject == Subject::Language && random.chance(97);
    chart(&mut case, "", "c", &mut random, Aim { subject, release }, 0);
    arguments(&mut case, &mut random, subject);
    if random.chance(3) {
        damage(&mut case, &mut random);
    }
    case
}

fn add(case: &mut Case, prefix: &str, name: &str, text: String) {
    case.files.insert(format!("{prefix}{name}"), text);
}

/// Adds a chart at a place of the case.
fn chart(case: &mut Case, prefix: &str, name: &str, random: &mut Random, aim: Aim, level: usize) {
    let Aim { subject, .. } = aim;
    let (mut tree, mut names) = values::typed(random);
    if subject == Subject::Values {
        globals(&mut tree, random);
    }
    let mut children: Vec<(String, String)> = Vec::new();
    let most = match (subject, level) {
        (Subject::Values, 0) => 3,
        (Subject::Values, 1) | (Subject::Chart, 0) => 1,
        (Subject::Language | Subject::Manifests, 0) if random.chance(20) => 1,
        _ => 0,
    };
    for index in 0..random.below(most + 1) {
        let child = format!("{}{index}", ["sub", "child", "leaf"][level.min(2)]);
        let alias = if random.chance(15) { format!("alias{index}") } else { child.clone() };
        chart(case, &format!("{prefix}charts/{child}/"), &child, random, aim, level + 1);
        if random.chance(75) {
            let own = if random.chance(96) { values::map(random, 2) } else { values::any(random, 1) };
            let own = override_of(own, random, subject);
            if let Tree::Map(members) = &mut tree {
                members.push((alias.clone(), own));
            }
        }
        children.push((child, alias));
    }
    let metadata = metadata(name, &children, random, subject, &mut tree);
    add(case, prefix, "Chart.yaml", metadata);
    if subject == Subject::Language {
        names.retain(|_| random.chance(90));
    }
    add(case, prefix, "values.yaml", values::write(&tree, random));
    add(case, prefix, "a.txt", "l1\nl2\n".to_owned());
    add(case, prefix, "conf/b.yaml", "x: 1\n".to_owned());
    if random.chance(30) {
        add(case, prefix, "conf/sub/c.yaml", random.pick(corpus::TEXTS).to_owned());
    }
    templates(case, prefix, name, random, aim, &names);
}

/// Values as they are laid over others: with deletions. Templates that rely on kinds of values keep them for the most
/// part.
fn override_of(tree: Tree, random: &mut Random, subject: Subject) -> Tree {
    let Tree::Map(mut members) = tree else { return tree };
    let kept = if matches!(subject, Subject::Values | Subject::Chart) { 60 } else { 97 };
    for key in ["m0", "m1", "s0", "l0", "global", "b0", "odd"] {
        if random.chance(15) {
            let value = match key {
                _ if !random.chance(kept) => {
                    if random.chance(60) {
                        Tree::Plain("null".to_owned())
                    } else {
                        values::any(random, 2)
                    }
                }
                "s0" => values::text(random),
                "b0" => Tree::Plain(random.pick(&["true", "false"]).to_owned()),
                "l0" => values::list(random, 2),
                "odd" => values::any(random, 2),
                _ => values::map(random, 2),
            };
            members.retain(|(other, _)| other != key);
            members.push((key.to_owned(), value));
        }
    }
    if random.chance(20) {
        let nested = if random.chance(kept) { values::map(random, 1) } else { Tree::Plain("null".to_owned()) };
        let nested = Tree::Map(vec![("nested".to_owned(), nested), ("b".to_owned(), values::any(random, 1))]);
        members.retain(|(other, _)| other != "m0");
        members.push(("m0".to_owned(), nested));
    }
    Tree::Map(members)
}

fn globals(tree: &mut Tree, random: &mut Random) {
    let Tree::Map(members) = tree else { return };
    if random.chance(50) {
        let global = if random.chance(90) { values::map(random, 2) } else { values::any(random, 0) };
        members.push(("global".to_owned(), global));
    }
    if random.chance(40) {
        let exports = Tree::Map(vec![("data".to_owned(), values::map(random, 1))]);
        members.push(("exports".to_owned(), exports));
    }
    if random.chance(30) {
        let tags = Tree::Map(vec![
            ("front".to_owned(), Tree::Plain(random.pick(&["true", "false", "null", "x"]).to_owned())),
            ("back".to_owned(), Tree::Plain(random.pick(&["true", "false"]).to_owned())),
        ]);
        members.push(("tags".to_owned(), tags));
    }
}

fn metadata(
    name: &str,
    children: &[(String, String)],
    random: &mut Random,
    subject: Subject,
    tree: &mut Tree,
) -> String {
    let version = if subject == Subject::Chart && random.chance(8) {
        random.pick(&["1", "v1.2.3", "1.2", "x", "", "1.2.3+b", "01.2.3", "1.2.3.4"])
    } else {
        "0.1.0"
    };
    let mut text = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    if random.chance(70) {
        text.push_str("appVersion: \"1.2\"\n");
    }
    if subject == Subject::Chart {
        let lines = [
            "type: application\n",
            "kubeVersion: \">=1.20.0-0\"\n",
            "keywords: [a, b]\n",
            "home: https://example.com\n",
            "sources: [x]\n",
            "deprecated: true\n",
            "deprecated: yes\n",
            "maintainers:\n- name: m\n  email: e@example.com\n",
            "annotations: {a: b, c: \"1\"}\n",
            "annotations: {a: null}\n",
            "unknown: 1\n",
            "description: \"a\\u0007b  c\"\n",
            "icon: x\n",
            "condition: x\n",
            "tags: x\n",
            "engine: gotpl\n",
            "dependencies: []\n",
            "name: other\n",
            "apiVersion: v1\n",
            "Name: upper\n",
            "VERSION: 9.9.9\n",
            "description: null\n",
            "keywords: [a, null]\n",
            "appVersion: null\n",
        ];
        let refused = [
            "type: library\n",
            "type: x\n",
            "kubeVersion: \"<1.0\"\n",
            "kubeVersion: x\n",
            "keywords: a\n",
            "keywords: [1, null]\n",
            "deprecated: \"true\"\n",
            "maintainers:\n- email: e\n",
            "maintainers: [null]\n",
            "annotations: {a: 1}\n",
            "appVersion: 1.20\n",
            "dependencies: [null]\n",
            "dependencies: x\n",
            "name: a/b\n",
            "name: \"\"\n",
            "name: ..\n",
            "apiVersion: \"\"\n",
            "apiVersion: 2\n",
        ];
        for _ in 0..random.below(4) {
            let lines: &[&str] = if random.chance(10) { &refused } else { &lines };
            text.push_str(random.pick(lines));
        }
        if random.chance(5) {
            text = text.replacen(random.pick(&["apiVersion: v2\n", "version: 0.1.0\n", "name: c\n"]), "", 1);
        }
    } else if random.chance(15) {
        text.push_str(random.pick(&[
            "keywords: [a, b]\n",
            "annotations: {a: b}\n",
            "type: application\n",
            "description: text\n",
            "kubeVersion: \">=1.20.0-0\"\n",
            "home: h\n",
        ]));
    }
    let declare = children.iter().any(|(child, alias)| child != alias) || (!children.is_empty() && random.chance(70));
    if declare {
        text.push_str("dependencies:\n");
        for (child, alias) in children {
            dependency(child, alias, random, &mut text, tree);
        }
    }
    text
}

fn dependency(child: &str, alias: &str, random: &mut Random, text: &mut String, tree: &mut Tree) {
    let version = random.pick(&["0.1.0", ">=0.0.1", "~0.1", "*", "x.x", "^0.1.0", "0.x", "9.9.9"]);
    let version = if random.chance(80) { "0.1.0" } else { version };
    let _ = write!(text, "- name: {child}\n  version: {version:?}\n");
    if child != alias {
        let _ = writeln!(text, "  alias: {alias}");
    }
    if random.chance(30) {
        let condition = format!("{alias}.enabled");
        let condition = random
            .pick(&[
                condition.as_str(),
                "b0",
                "b1,missing",
                "s0",
                "missing",
                "m0.b",
                "missing, b1",
                "global.enabled",
                "i0",
                "",
            ])
            .to_owned();
        let _ = writeln!(text, "  condition: {condition:?}");
    }
    if random.chance(25) {
        text.push_str(random.pick(&[
            "  tags: [front]\n",
            "  tags: [front, back]\n",
            "  tags: [none]\n",
            "  tags: []\n",
        ]));
    }
    if random.chance(30) {
        text.push_str(random.pick(&[
            "  import-values: [data]\n",
            "  import-values:\n  - child: m0\n    parent: imported\n",
            "  import-values:\n  - child: m0\n    parent: .\n",
            "  import-values: [missing]\n",
            "  import-values:\n  - child: m1.nested\n    parent: m0\n  - data\n",
            "  import-values:\n  - child: s0\n    parent: x\n",
            "  import-values:\n  - child: missing\n    parent: m1\n",
        ]));
    }
    if let Tree::Map(members) = tree
        && random.chance(20)
        && let Some((_, Tree::Map(own))) = members.iter_mut().find(|(key, _)| key == alias)
    {
        own.push(("enabled".to_owned(), Tree::Plain(random.pick(&["true", "false", "null", "x"]).to_owned())));
    }
}

fn templates(case: &mut Case, prefix: &str, name: &str, random: &mut Random, aim: Aim, names: &[Named]) {
    let Aim { subject, release } = aim;
    let wrong = [0, 5, 50][random.weighted([75, 15, 10])];
    let mut templates = Templates::new(name, Expressions { random, release, wrong });
    let mut scope = Scope { values: names.to_vec(), root: Some(""), ..Scope::default() };
    if subject == Subject::Values || subject == Subject::Chart {
        let mut text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n");
        for (key, expression) in [
            ("yaml", ".Values | toYaml"),
            ("json", ".Values | toJson"),
            ("chart", ".Chart | toJson"),
            ("files", ".Files | toJson"),
            ("sub", ".Subcharts | keys | sortAlpha | toJson"),
        ] {
            let random = &mut *templates.expressions.random;
            if random.chance(60) {
                let _ = writeln!(text, "  {key}: |\n    {{{{- {expression} | nindent 4 }}}}");
            }
        }
        if templates.expressions.random.chance(25) {
            let _ = write!(text, "  extra:{}", templates.yaml_value(&scope));
        }
        add(case, prefix, "templates/map.yaml", text);
        return;
    }
    let mut helpers = String::new();
    for helper in ["a", "b"] {
        let helper = format!("{name}.{helper}");
        let (text, defined) = templates.definition(&helper, &scope);
        helpers.push_str(&text);
        scope.templates.push(defined);
    }
    add(case, prefix, "templates/_helpers.tpl", helpers);
    if subject == Subject::Language {
        let files = templates.expressions.random.between(1, 2);
        for index in 0..files {
            let text = templates.file(&mut scope);
            add(case, prefix, &format!("templates/t{index}.yaml"), text);
        }
        return;
    }
    let files = templates.expressions.random.between(1, 3);
    for index in 0..files {
        let text = manifests(&mut templates, &scope);
        let file = templates.expressions.random.pick(&[
            "x.yaml",
            "y.yml",
            "z/deep.yaml",
            "tests/t.yaml",
            "n.txt",
            "_p.yaml",
            "j.json",
        ]);
        add(case, prefix, &format!("templates/{index}{file}"), text);
    }
    if templates.expressions.random.chance(30) {
        let text = templates.output(&scope, Kind::Text);
        add(case, prefix, "templates/NOTES.txt", text);
    }
    if templates.expressions.random.chance(15) {
        add(
            case,
            prefix,
            "crds/crd.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n".to_owned(),
        );
    }
}

/// A template file with several documents.
fn manifests(templates: &mut Templates<'_>, scope: &Scope) -> String {
    let mut text = String::new();
    for index in 0..templates.expressions.random.between(1, 4) {
        let random = &mut *templates.expressions.random;
        if index > 0 || random.chance(30) {
            text.push_str(random.pick(&[
                "---\n",
                "---\n",
                "\n---\n",
                "--- # comment\n",
                "---   \n",
                "--- \n\n",
                "---\r\n",
                "  ---\n",
                "---{{ \"\" }}\n",
                "----\n",
                "---\n---\n",
                "---\n# only\n",
                "...\n---\n",
            ]));
        }
        if random.chance(10) {
            text.push_str(random.pick(&[
                "# comment\n",
                "\n\n",
                "{{- /* c */ -}}\n",
                "   \n",
                "{{ if false }}\nx: 1\n{{ end }}\n",
                "{{- if true }}\n",
            ]));
            if text.ends_with("true }}\n") {
                text.push_str("{{- end }}\n");
            }
        }
        let (version, kind) = RESOURCES[random.below(RESOURCES.len())];
        match random.weighted([85, 5, 4, 3, 3]) {
            0 => {}
            1 => {
                let _ = writeln!(
                    text,
                    "{}",
                    if random.chance(25) {
                        random.pick(&[
                            "[1, 2]",
                            "text",
                            "- a",
                            "a: [",
                            "a: b: c",
                            "\tx: 1",
                            "kind: 1",
                            "metadata: x",
                            "apiVersion: [v1]",
                            "metadata: {name: 5}",
                            "metadata: {annotations: {a: 1}}",
                        ])
                    } else {
                        random.pick(&["a: 1", "null", "{}", "kind: A", "metadata: {name: x}", "apiVersion: v1", "# c"])
                    }
                );
                continue;
            }
            2 => text.push_str("status: {}\n"),
            3 => text.push_str("KIND: Other\n"),
            _ => text.push_str("{{ .Values.s0 | toYaml | nindent 0 }}: x\n"),
        }
        let _ = writeln!(text, "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: n{}", random.below(4));
        if random.chance(35) {
            text.push_str("  annotations:\n");
            let hooks = [
                "pre-install",
                "post-install",
                "test",
                "test-success",
                "pre-install,post-upgrade",
                "crd-install",
                "unknown",
                "pre-install, test",
                "post-delete",
                "\"\"",
                "{{ .Values.s0 | quote }}",
                "PRE-INSTALL",
                "1",
                "test-failure",
            ];
            let _ = writeln!(text, "    helm.sh/hook: {}", random.pick(&hooks));
            if random.chance(50) {
                let _ = writeln!(
                    text,
                    "    helm.sh/hook-weight: {}",
                    random.pick(&["\"1\"", "\"-5\"", "\"x\"", "\"\"", "5", "\"10\"", "\"1.5\"", "\" 1\""])
                );
            }
            if random.chance(20) {
                let _ = writeln!(
                    text,
                    "    helm.sh/hook-delete-policy: {}",
                    random.pick(&["before-hook-creation", "hook-succeeded,hook-failed", "x"])
                );
            }
            if random.chance(10) {
                text.push_str("    helm.sh/resource-policy: keep\n");
            }
        }
        if random.chance(30) {
            let _ = writeln!(text, "  labels: {{{{ {} | quote }}}}", templates.expressions.write(Kind::Text, scope, 3));
        }
        text.push_str("data:\n");
        for key in 0..templates.expressions.random.below(3) {
            let _ = write!(text, "  k{key}:{}", templates.yaml_value(scope));
        }
    }
    text
}

fn arguments(case: &mut Case, random: &mut Random, subject: Subject) {
    if random.chance(25) && !case.only_files && subject != Subject::Chart {
        let names = ["rel", "my-release", "a", "r.1", "1"];
        let refused = ["Upper", "x_y", "-a", "a-", "very-long-name-that-is-more-than-fifty-three-characters-x"];
        let names: &[&str] = if random.chance(4) { &refused } else { &names };
        random.pick(names).clone_into(&mut case.release);
    }
    if random.chance(20) {
        case.namespace = String::from(random.pick(&["ns", "kube-system", "with space", "1"]));
    }
    if random.chance(15) {
        let versions = ["1.29.3", "v1.30.0", "1.29.3-gke.1", "v1.25", "1.33.1+k3s1"];
        case.kube_version = String::from(random.pick(&versions));
    }
    if random.chance(10) {
        case.api_versions = vec!["example.com/v1".to_owned(), "monitoring.coreos.com/v1/ServiceMonitor".to_owned()];
    }
    case.is_upgrade = random.chance(10);
    let often = if subject == Subject::Values { 60 } else { 15 };
    for _ in 0..2 {
        if random.chance(often) {
            let mut tree = override_of(values::map(random, 2), random, subject);
            if subject == Subject::Values {
                globals(&mut tree, random);
                if let Tree::Map(members) = &mut tree {
                    for child in ["sub0", "sub1", "alias0", "sub2"] {
                        if random.chance(30) {
                            let own = if random.chance(85) {
                                override_of(values::map(random, 2), random, subject)
                            } else {
                                Tree::Plain("null".to_owned())
                            };
                            members.push((child.to_owned(), own));
                        }
                    }
                }
            }
            case.values.push(values::write(&tree, random));
        }
    }
    let flags = [
        "s0=x",
        "i0=5",
        "m0.a=1,m0.b=true",
        "l0[0]=x",
        "l0[1].a=b",
        "l0={a,b}",
        "n0=null",
        "m0=null",
        "m1.x=0755",
        "s0=a\\,b",
        "a.b\\.c=d",
        "sub0.s0=y",
        "sub0.m0=null",
        "global.x=1",
        "tags.front=false",
        "sub0.enabled=false",
        "i0=1e3",
        "i0=9007199254740993",
        "x=",
        "m0.nested.deep.er=1",
        "l0[5]=z",
        "b0=false,b1=true",
        "i1=007",
        "i1=-5",
        "i1=+5",
        "f0=1.5",
        "x=\u{e4}",
        "a[0][1]=x",
        "ls={}",
        "ls[0]=",
        "a=b=c",
        "m0.a=",
        "l0[0].name=x,l0[0].x=y",
        "sub0=null",
        "i0=18446744073709551616",
        "b0=True",
        "b0=TRUE",
        "n0=~",
        "n0=Null",
        "x={1,null,true}",
    ];
    let refused =
        ["=x", "x", "a[=1", "a[x]=1", "a[-1]=1", "s0.x=1", "a={", "a={x", "[0]=1", "a.=1", "a..b=1", "sub0=1"];
    for (list, often) in [(&mut case.set, 15), (&mut case.set_string, 6)] {
        for _ in 0..2 {
            if random.chance(if subject == Subject::Values { often * 2 } else { often }) {
                let flag = if random.chance(2) { random.pick(&refused) } else { random.pick(&flags) };
                list.push(flag.to_owned());
            }
        }
    }
    let json = [
        "m0={\"a\": 1}",
        "{\"s0\": \"x\", \"m0\": {\"b\": null}}",
        "i0=1e2",
        "l0=[1,\"x\"]",
        "x=",
        "s0=\"a\",i0=2",
        "m0.a=null",
        "i0=1.0",
        "i0=9007199254740993",
        "a.b=true",
        "l0[0]={\"a\":1}",
        "sub0={\"s0\":\"z\"}",
    ];
    if random.chance(8) {
        let json: &[&str] = if random.chance(6) { &["x={", "{\"a\": ", "[1]", "x"] } else { &json };
        case.set_json.push(random.pick(json).to_owned());
    }
    if random.chance(4) {
        case.set_literal.push(
            random.pick(&["s0=a,b", "s0={x}", "m0.a=[1]", "x", "s0=", "s0=a=b", "l0[0]=y", "s0=null"]).to_owned(),
        );
    }
    if random.below(300) == 0 && !case.only_files {
        // Alone: of several wrong arguments, Helm tells one.
        for list in [&mut case.values, &mut case.set, &mut case.set_string, &mut case.set_json, &mut case.set_literal] {
            list.clear();
        }
        case.kube_version = String::from(random.pick(&["1", "x", "1.x", "v", "1.2.3.4"]));
    }
    if !case.only_files {
        case.include_crds = random.chance(15);
        case.no_hooks = random.chance(8);
        case.skip_tests = random.chance(8);
        if random.chance(8) {
            let patterns = [
                "templates/*.yaml",
                "templates/0x.yaml",
                "templates/map.yaml",
                "templates/missing.yaml",
                "charts/*/templates/*",
                "crds/crd.yaml",
                "templates/[",
                "*",
            ];
            case.show_only.push(random.pick(&patterns).to_owned());
        }
    }
}

/// Changes a few characters of one file.
fn damage(case: &mut Case, random: &mut Random) {
    let names: Vec<String> = case.files.keys().cloned().collect();
    let name = &names[random.below(names.len())];
    let Some(text) = case.files.get_mut(name) else { return };
    for _ in 0..random.between(1, 3) {
        let mut characters: Vec<char> = text.chars().collect();
        let place = random.below(characters.len());
        match random.below(5) {
            0 if !characters.is_empty() => {
                characters.remove(place);
            }
            1 => characters.insert(
                place,
                random
                    .pick(&[
                        "{", "}", "\"", " ", "\n", ":", "-", "|", ".", "$", "(", ")", "\t", "'", "`", "[", "]", ",",
                        "*", "&", "#", "%", "!", "\u{e4}",
                    ])
                    .chars()
                    .next()
                    .unwrap_or(' '),
            ),
            2 => characters.truncate(place),
            3 => {
                let end = (place + random.between(1, 8)).min(characters.len());
                characters.drain(place..end);
            }
            _ => {
                let end = (place + random.between(1, 12)).min(characters.len());
                let again = characters[place..end].to_vec();
                let at = random.below(characters.len());
                characters.splice(at..at, again);
            }
        }
        *text = characters.into_iter().collect();
    }
}
