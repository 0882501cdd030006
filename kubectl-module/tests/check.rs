//! `check`: the gate of a pull request, on a real git repository.

use std::process::Command;

use serde_json::Value;

use crate::run::{Outcome, Place};

const SHOP: &str = "examples/modules/storefront.yaml";
const DEMO: &str = "examples/modules/demo.yaml";
const WRITERS: &str = "the service account argocd/argocd-application-controller and the service account \
                       flux-system/kustomize-controller";

fn git(place: &Place, arguments: &[&str]) {
    let output = Command::new("git")
        .arg("-C")
        .arg(place.path(""))
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgSign=false"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The examples in a repository, on a branch beside `main`.
fn repository() -> Place {
    let place = Place::new();
    place.write(".gitignore", "/home\n");
    git(&place, &["init", "--quiet", "--initial-branch=main"]);
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--message", "Begin"]);
    git(&place, &["checkout", "--quiet", "-b", "change"]);
    place
}

fn edit(place: &Place, file: &str, from: &str, to: &str) {
    let text = place.read(file);
    assert!(text.contains(from), "{file} has no {from}");
    place.write(file, &text.replace(from, to));
}

/// The output with the commit's name taken out.
fn check(place: &Place, arguments: &[&str]) -> Outcome {
    let mut outcome = place.run(&[&["check"], arguments].concat());
    if let Some((start, rest)) = outcome.stdout.split_once("main (")
        && let Some((commit, end)) = rest.split_once(')')
    {
        assert_eq!(commit.len(), 12, "{commit}");
        outcome.stdout = format!("{start}main{end}");
    }
    outcome
}

#[track_caller]
fn assert_outcome(outcome: &Outcome, code: i32, stdout: &str) {
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (code, stdout, ""));
}

#[test]
fn the_examples_pass() {
    let expected = "\
Checked 6 Modules in 15 files
Left out, being charts: examples/templates/app, examples/templates/demo, examples/templates/storefront
0 errors, 0 warnings, 0 notes
";
    assert_outcome(&check(&Place::new(), &["examples"]), 0, expected);
}

#[test]
fn what_is_merged_already_is_not_judged_again() {
    let place = repository();
    let expected = "Checked 3 Modules in 3 files, compared with main: 3 unchanged\n0 errors, 0 warnings, 0 notes\n";
    assert_outcome(&check(&place, &["examples/modules", "--base", "main"]), 0, expected);
    // Main goes on; what came after the branch is none of its changes.
    edit(&place, SHOP, "title: Garden tools", "title: Garden furniture");
    git(&place, &["commit", "--quiet", "--all", "--message", "Change"]);
    git(&place, &["checkout", "--quiet", "main"]);
    edit(&place, DEMO, "replicas: 2", "replicas: many");
    git(&place, &["commit", "--quiet", "--all", "--message", "Break"]);
    git(&place, &["checkout", "--quiet", "change"]);
    let expected = "\
Checked 3 Modules in 3 files, compared with main: 1 changed (team-a/storefront), 2 unchanged
0 errors, 0 warnings, 0 notes
";
    assert_outcome(&check(&place, &["examples/modules", "--base", "main"]), 0, expected);
}

#[test]
fn free_values_change_and_files_are_renamed() {
    let place = repository();
    edit(&place, DEMO, "replicas: 2", "replicas: 3");
    git(&place, &["mv", DEMO, "examples/modules/renamed.yaml"]);
    let expected = "\
Checked 3 Modules in 3 files, compared with main: 1 changed (team-a/demo), 2 unchanged
0 errors, 0 warnings, 0 notes
";
    for identity in [&[][..], &["--as", "alice"]] {
        let outcome = check(&place, &[&["examples/modules", "--base", "main"], identity].concat());
        assert_outcome(&outcome, 0, expected);
    }
}

#[test]
fn locked_changes_are_notes_for_git_and_errors_for_people() {
    let place = repository();
    edit(&place, SHOP, "version: \"8.2\"", "version: \"8.0\"");
    let why = format!(
        "locked by the template's sub-chart cache: it is \"8.2\" and must not become \"8.0\". Only {WRITERS} may \
         change it. Change it in Git, from where it is applied. [lock]"
    );
    let summary = "Checked 1 Module in 1 file, compared with main: 1 changed (team-a/storefront)";
    let note = format!(
        "{SHOP}:21:7: note: spec.values.cache.version: passes here and is refused to others: {why}\n\n{summary}\n\
         0 errors, 0 warnings, 1 note\n"
    );
    assert_outcome(&check(&place, &[SHOP, "--base", "main"]), 0, &note);
    let flux = "system:serviceaccount:flux-system:kustomize-controller";
    assert_outcome(&check(&place, &[SHOP, "--base", "main", "--as", flux]), 0, &note);

    let error =
        format!("{SHOP}:21:7: error: spec.values.cache.version: {why}\n\n{summary}\n1 error, 0 warnings, 0 notes\n");
    let alice = ["--as", "alice", "--as-group", "team-a"];
    assert_outcome(&check(&place, &[&[SHOP, "--base", "main"], &alice[..]].concat()), 3, &error);
    // As if it were new, nothing is locked.
    assert_eq!(check(&place, &[&[SHOP], &alice[..]].concat()).code, 0);
}

#[test]
fn deleted_modules_are_judged_too() {
    let place = repository();
    git(&place, &["rm", "--quiet", SHOP, DEMO]);
    let note = format!(
        "{SHOP}: note: Module team-a/storefront: passes here and is refused to others: the Module storefront is kept \
         in Git and has locked values, which deleting and creating it anew would get round. Only {WRITERS} may delete \
         it. [refused]\n\n\
         Checked 2 Modules in 0 files, compared with main: 2 deleted (team-a/demo, team-a/storefront)\n\
         0 errors, 0 warnings, 1 note\n"
    );
    // A file that is named, and one in a folder that is named.
    assert_outcome(&check(&place, &[SHOP, DEMO, "--base", "main"]), 0, &note);
    let outcome = check(&place, &["examples/modules", "--base", "main", "--as", "alice"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.stdout.starts_with(&format!("{SHOP}: error: Module team-a/storefront: the Module")), "{outcome:?}");
    assert!(outcome.stdout.ends_with(", 1 unchanged\n1 error, 0 warnings, 0 notes\n"), "{outcome:?}");
}

#[test]
fn what_nobody_may_do_fails_for_git_too() {
    let place = repository();
    edit(&place, SHOP, "theme: light", "theme: 7");
    edit(&place, DEMO, "  values:\n", "  vaules: {}\n  values:\n");
    edit(&place, "examples/policy.yaml", "  breakGlass:", "  breakGlas:");
    place.write("examples/modules/broken.yaml", "a: b\nc: d: e\n");
    place.write("examples/modules/twice.yaml", &place.read("examples/modules/app.yaml"));
    let expected = "\
examples/modules/broken.yaml:2:5: error: no valid YAML: yaml: line 2: mapping values are not allowed in this context \
                    [read]
examples/modules/demo.yaml:13:3: error: spec.vaules: unknown field [invalid]
examples/modules/storefront.yaml:18:7: error: spec.values.shop.theme: got number, want string [schema]
examples/modules/twice.yaml:4:3: error: metadata.name: is described in examples/modules/app.yaml:4 too [duplicate]
examples/policy.yaml:15:3: error: spec.breakGlas: unknown field [policy]

Checked 3 Modules in 5 files, compared with main: 2 changed (team-a/demo, team-a/storefront), 1 unchanged
5 errors, 0 warnings, 0 notes
";
    assert_outcome(&check(&place, &["examples/modules", "--base", "main"]), 1, expected);
}

#[test]
fn templates_that_cannot_be_had_or_are_too_much_fail() {
    let place = Place::new();
    place.write("examples/templates/role/Chart.yaml", "apiVersion: v2\nname: role\nversion: 0.1.0\n");
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\n";
    place.write("examples/templates/role/templates/a.yaml", role);
    place.write("examples/templates/fails/Chart.yaml", "apiVersion: v2\nname: fails\nversion: 0.1.0\n");
    place.write("examples/templates/fails/templates/a.yaml", "a: {{ fail \"one\\n::error::two\" }}\n");
    for (name, from) in [("one", "path: role"), ("two", "path: nowhere"), ("three", "path: fails")] {
        let text = place.read(DEMO).replace("path: demo", from).replace("name: demo", &format!("name: {name}"));
        place.write(&format!("examples/modules/{name}.yaml"), &text);
    }
    let outcome = check(&place, &["examples/modules"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    for expected in [
        "examples/modules/one.yaml:6:1: error: spec: role/templates/a.yaml",
        "a Module may not create the cluster-scoped kind ClusterRole; a ModulePolicy can allow it in \
         spec.expansion.clusterScoped [confinement]\n",
        "examples/modules/two.yaml:8:3: error: spec.template: the repository https://git.example.com/platform/templates \
         has no folder \"nowhere\" at PLACE/examples/templates [template]\n",
        "\n    | ::error::two [render]\n",
    ] {
        assert!(outcome.stdout.contains(expected), "{expected}\n{}", outcome.stdout);
    }
}

#[test]
fn a_change_does_not_allow_itself_what_it_does() {
    let place = repository();
    let alice = ["examples", "--base", "main", "--as", "alice"];
    edit(&place, SHOP, "version: \"8.2\"", "version: \"8.0\"");
    edit(&place, "examples/policy.yaml", "  gitOpsWriters:\n", "  gitOpsWriters:\n    - user: alice\n");
    let cache = "examples/templates/storefront/charts/cache/values.schema.json";
    edit(&place, cache, "\"immutable\": true", "\"immutable\": false");
    let outcome = check(&place, &alice);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.stdout.starts_with(&format!("{SHOP}:21:7: error: spec.values.cache.version: ")), "{outcome:?}");
    // A policy that is named counts instead.
    let policy = "apiVersion: policy.cyclops-ui.com/v1alpha1\nkind: ModulePolicy\nmetadata: {name: default}\n\
                  spec: {gitOpsWriters: [{user: alice}]}\n";
    place.write("other.yaml", policy);
    let named = check(&place, &[&alice[..], &["--policy", "other.yaml"]].concat());
    assert_eq!(named.code, 0, "{named:?}");
}

#[test]
fn a_policy_that_a_change_brings_counts_for_the_next_one() {
    let place = repository();
    let roots = ["--template-root", "https://git.example.com/platform/templates=examples/templates", "--as", "alice"];
    let policy = "apiVersion: policy.cyclops-ui.com/v1alpha1\nkind: ModulePolicy\nmetadata: {name: default}\n\
                  spec: {gitOpsWriters: [{user: alice}]}\n";
    git(&place, &["rm", "--quiet", "examples/kubectl-module.yaml", "examples/policy.yaml"]);
    git(&place, &["commit", "--quiet", "--message", "Without a policy"]);
    git(&place, &["checkout", "--quiet", "-b", "later"]);
    edit(&place, SHOP, "version: \"8.2\"", "version: \"8.0\"");
    place.write("examples/modules/policy.yaml", policy);
    let first = check(&place, &[&["examples/modules", "--base", "change"], &roots[..]].concat());
    assert_eq!(first.code, 3, "{first:?}");
    // Nor does one that is named like one that counts, in a file that only the change names.
    place.write("examples/modules/policy.yaml", &policy.replace("alice", "robot"));
    git(&place, &["add", "examples/modules/policy.yaml"]);
    git(&place, &["commit", "--quiet", "--message", "With a policy"]);
    git(&place, &["checkout", "--quiet", "-b", "latest"]);
    place.write("examples/modules/kubectl-module.yaml", "policy: ../mine.yaml\n");
    place.write("examples/mine.yaml", policy);
    let named = check(&place, &[&["examples/modules", "--base", "later"], &roots[..]].concat());
    assert_eq!(named.code, 3, "{named:?}");
    assert!(named.stdout.contains("Only the user robot may change it."), "{named:?}");
}

/// git takes any folder with `HEAD`, `objects` and `refs` in it for a repository, and those are names for files like any
/// others.
#[test]
fn a_repository_that_a_branch_brings_is_none() {
    let place = repository();
    edit(&place, SHOP, "version: \"8.2\"", "version: \"8.0\"");
    let brought = ["-C", "examples/modules"];
    git(&place, &[&brought[..], &["init", "--quiet", "--initial-branch=main"]].concat());
    git(&place, &[&brought[..], &["add", "--all"]].concat());
    git(&place, &[&brought[..], &["commit", "--quiet", "--message", "The same"]].concat());
    for name in ["HEAD", "config", "objects", "refs"] {
        let modules = place.path("examples/modules");
        std::fs::rename(modules.join(".git").join(name), modules.join(name)).unwrap();
    }
    std::fs::remove_dir_all(place.path("examples/modules/.git")).unwrap();
    git(&place, &["config", "--file", "examples/modules/config", "core.worktree", "."]);
    let outcome = check(&place, &["examples/modules", "--base", "main", "--as", "alice"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.stdout.starts_with(&format!("{SHOP}:21:7: error: spec.values.cache.version: ")), "{outcome:?}");
}

#[test]
fn a_submodule_in_a_folders_place_has_no_say() {
    let place = repository();
    let other = Place::new();
    git(&other, &["init", "--quiet", "--initial-branch=main"]);
    git(&other, &["add", "examples/modules"]);
    git(&other, &["commit", "--quiet", "--message", "Begin"]);
    let address = other.path("").display().to_string();
    git(&place, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &address, "brought"]);
    for path in ["brought/examples/modules", "brought"] {
        let outcome = check(&place, &[path, "--base", "main", "--as", "alice"]);
        let expected =
            "Error: PLACE/brought is a submodule of PLACE\nHint: check it from inside, with a base of its own\n";
        assert_eq!((outcome.code, outcome.stderr.as_str()), (1, expected), "{outcome:?}");
    }
}

#[test]
fn a_template_that_moves_is_rendered_as_it_is_now() {
    let place = repository();
    edit(&place, "examples/templates/demo/values.schema.json", "\"maximum\": 20", "\"maximum\": 1");
    let outcome = check(&place, &[DEMO, "--base", "main"]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let expected = format!(
        "{DEMO}:14:5: error: spec.values.replicas: with the template as it is now: maximum: got 2, want 1 [schema]\n"
    );
    assert!(outcome.stdout.starts_with(&expected), "{outcome:?}");
}

#[test]
fn templates_that_git_does_not_keep_are_as_they_are() {
    let place = repository();
    git(&place, &["rm", "-r", "--quiet", "--cached", "examples/templates"]);
    git(&place, &["commit", "--quiet", "--message", "Keep templates elsewhere"]);
    git(&place, &["branch", "--force", "main"]);
    edit(&place, SHOP, "version: \"8.2\"", "version: \"8.0\"");
    let outcome = check(&place, &[SHOP, "--base", "main", "--as", "alice"]);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.stdout.starts_with(&format!("{SHOP}:21:7: error: spec.values.cache.version: ")), "{outcome:?}");
    // What a branch adds was not there before.
    git(&place, &["add", "examples/templates"]);
    let outcome = check(&place, &[SHOP, "--base", "main", "--as", "alice"]);
    assert!(outcome.stdout.contains("warning: spec.template: nobody can say what was locked before"), "{outcome:?}");
}

#[test]
fn template_stores_are_judged_too() {
    let place = repository();
    let store = |name: &str, path: &str, more: &str| {
        format!(
            "apiVersion: cyclops-ui.com/v1alpha1\nkind: TemplateStore\nmetadata: {{name: {name}, namespace: cyclops}}\n\
             spec:\n  repo: https://git.example.com/platform/templates\n  path: {path}\n  version: main\n{more}"
        )
    };
    let file = "examples/stores/demo.yaml";
    place.write(file, &store("demo", "demo", "  enforceGitOpsWrite: {repo: r, path: p, version: v}\n"));
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--message", "Offer"]);
    git(&place, &["checkout", "--quiet", "-b", "later"]);
    assert_eq!(check(&place, &["examples/stores", "--as", "alice"]).code, 0);

    place.write(file, &store("demo", "demo", ""));
    let refused = check(&place, &["examples/stores", "--base", "change", "--as", "alice"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    let expected = format!("{file}:1:1: error: TemplateStore cyclops/demo: the TemplateStore demo says that Modules");
    assert!(refused.stdout.starts_with(&expected), "{refused:?}");
    let noted = check(&place, &["examples/stores", "--base", "change"]);
    assert_eq!(noted.code, 0, "{noted:?}");
    assert!(
        noted.stdout.starts_with(&format!("{file}:1:1: note: TemplateStore cyclops/demo: passes here")),
        "{noted:?}"
    );

    place.write("examples/stores/a.yaml", &store("a", "nowhere", ""));
    place.write("examples/stores/b.yaml", &store("b", "demo", "").replace("platform", "elsewhere"));
    place.write("examples/stores/c.yaml", &store("c", "demo", "  sourceType: svn\n"));
    let wrong = check(&place, &["examples/stores"]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    for expected in [
        "examples/stores/a.yaml:4:1: error: spec: the repository https://git.example.com/platform/templates has no folder",
        "examples/stores/b.yaml:4:1: warning: spec: no local folder is known for the repository",
        "examples/stores/c.yaml:8:3: error: spec.sourceType: \"svn\" is none of: git, helm, oci [invalid]",
    ] {
        assert!(wrong.stdout.contains(expected), "{expected}\n{}", wrong.stdout);
    }
}

#[test]
fn what_only_a_cluster_knows_is_told() {
    let place = repository();
    edit(&place, "examples/policy.yaml", "spec:\n", "spec:\n  ownership: Enforce\n");
    git(&place, &["commit", "--quiet", "--all", "--message", "Own"]);
    edit(&place, DEMO, "replicas: 2", "replicas: 3");
    let alice = check(&place, &[DEMO, "--base", "change", "--as", "alice"]);
    assert_eq!(alice.code, 0, "{alice:?}");
    assert!(alice.stdout.contains(": warning: spec.values: a ModulePolicy locks what Git owns"), "{alice:?}");
    let git = check(&place, &[DEMO, "--base", "change"]);
    assert!(git.stdout.ends_with("0 errors, 0 warnings, 0 notes\n"), "{git:?}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_they_were() {
    let place = repository();
    git(&place, &["mv", SHOP, "shop.yaml"]);
    std::os::unix::fs::symlink("../../shop.yaml", place.path(SHOP)).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", place.path("examples/modules/outside.txt")).unwrap();
    git(&place, &["add", "--all"]);
    git(&place, &["commit", "--quiet", "--message", "Link"]);
    git(&place, &["checkout", "--quiet", "-b", "later"]);
    edit(&place, "shop.yaml", "version: \"8.2\"", "version: \"8.0\"");
    for named in ["examples/modules", SHOP] {
        let outcome = check(&place, &[named, "--base", "change", "--as", "alice"]);
        assert_eq!(outcome.code, 3, "{outcome:?}");
        assert!(outcome.stdout.contains(&format!("{SHOP}:21:7: error: spec.values.cache.version")), "{outcome:?}");
    }
}

#[test]
fn kustomizations_name_the_namespace_and_files_may_stand_alone() {
    let place = repository();
    let shop = "examples/gitops/apps/team-a/shop.yaml";
    edit(&place, shop, "version: \"8.2\"", "version: \"8.0\"");
    let outcome = check(&place, &[shop, "--base", "main", "-o", "json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(document["modules"][0]["module"], "team-a/shop");
    assert_eq!(document["modules"][0]["change"], "changed");
    assert_eq!(document["findings"][0]["line"], 17);
}

#[test]
fn formats_for_programs() {
    let place = repository();
    edit(&place, SHOP, "version: \"8.2\"", "version: \"8.0\"");
    edit(&place, SHOP, "theme: light", "theme: 7");
    let run = |format: &str| check(&place, &[SHOP, "--base", "main", "-o", format]);
    let github = run("github");
    assert_eq!(github.code, 1);
    let title = "title=Module team-a/storefront";
    let lines: Vec<&str> = github.stdout.lines().collect();
    assert_eq!(
        lines[0],
        format!("::error file={SHOP},line=18,col=7,{title} schema::spec.values.shop.theme: got number, want string")
    );
    assert!(lines[1].starts_with(&format!("::notice file={SHOP},line=21,col=7,{title} lock::spec.values.cache.")));
    let sarif: Value = serde_json::from_str(&run("sarif").stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"schema".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&SHOP.into(), &18.into()));
}

#[test]
fn wrong_usage_and_missing_commits_are_told() {
    let place = repository();
    for (arguments, code, expected) in [
        (&["-", "--base", "main"][..], 2, "Error: --base compares files of a repository, not standard input\n"),
        (&[DEMO, "--as-group", "a"], 2, "Error: --as-group needs --as: a group alone writes nothing\n"),
        (
            &[DEMO, "--base", "nowhere"],
            1,
            "Error: the repository PLACE has no commit \"nowhere\"\nHint: fetch it first; branches of a remote are named \
             like origin/main\n",
        ),
        (&[DEMO, "--policy", DEMO], 1, "Error: examples/modules/demo.yaml holds no ModulePolicy\n"),
        (&[DEMO, "--policy", "nowhere"], 1, "Error: nowhere: cannot be read: No such file or directory (os error 2)\n"),
    ] {
        let outcome = check(&place, arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (code, "", expected));
    }
    // A revision is no option of git's.
    assert_eq!(check(&place, &[DEMO, "--base=--help"]).code, 1);
    assert_eq!(check(&place, &[DEMO, "--base", "main", "--live"]).code, 2);
    let outcome = Place::new().run(&["check", DEMO, "--base", "main"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.starts_with("Error: --base needs a git repository"), "{}", outcome.stderr);
}
