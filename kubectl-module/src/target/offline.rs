//! A Module in a file, with templates from folders of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use module::Template;
use module::api::Module;
use module::expansion::{self, Expansion, ExpansionError, ExpansionOptions, WellKnownScopes};
use module::plan::{Plan, PlanState};
use module::policy::{EffectivePolicy, ModulePolicy, Policies};
use module::preview::{LockAnswer, PreviewAnswer, Want};
use module::requester::Requester;
use module::verdict::{self, Cause, Controllers, Operation, Question, Refusal, Verdict, decide};
use renderer::template::RENDER_STACK_BYTES;
use renderer::{Chart, Limits, values};
use serde_json::{Map, Value};
use template_source::{LocalTemplates, SourceError, TemplateLocation};

use crate::check::files::kustomized_namespace;
use crate::config::{Config, FILE_NAME};
use crate::failure::{CODE_ERROR, Failure};
use crate::global::GlobalArguments;
use crate::identity::{self, git_ops_writer};
use crate::target::FileArguments;
use crate::values_read;

/// The namespace of a Module whose file names none.
const DEFAULT_NAMESPACE: &str = "default";

/// A Module in a file, with its policy.
pub(crate) struct FileModule {
    path: PathBuf,
    flags: BTreeMap<String, PathBuf>,
    name: String,
    namespace: String,
    object: Value,
    templates: LocalTemplates,
    config: Config,
    policy: EffectivePolicy,
    /// For whom is judged; without one, for somebody whom no policy names.
    requester: Option<Requester>,
}

impl FileModule {
    /// Reads the file that arguments name, and the nearest configuration above it.
    pub(crate) fn of(arguments: &FileArguments, globals: &GlobalArguments) -> Result<Self, Failure> {
        let path = arguments.filename.as_deref().unwrap_or(Path::new("-"));
        let roots = arguments.template_root.iter().cloned().collect();
        Self::read(path, roots, globals.namespace.as_deref(), identity::of_flags(globals)?)
    }

    fn read(
        path: &Path,
        flags: BTreeMap<String, PathBuf>,
        namespace: Option<&str>,
        requester: Option<Requester>,
    ) -> Result<Self, Failure> {
        let object = read_module_file(path)?;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let name = text("/metadata/name").unwrap_or_default();
        let namespace = namespace
            .map(str::to_owned)
            .or_else(|| text("/metadata/namespace"))
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        let config = if is_standard_input(path) { Config::find(Path::new("./-"))? } else { Config::find(path)? };
        let mut roots = config.templates.clone();
        roots.extend(flags.clone());
        let policies = config.policy.as_deref().map(read_policies).transpose()?.unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            flags,
            name,
            policy: Policies::new(policies).effective(&namespace),
            namespace,
            object,
            templates: LocalTemplates::new(roots),
            config,
            requester,
        })
    }

    /// The Module's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The Module's namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The Module as the file has it.
    pub(crate) fn object(&self) -> &Value {
        &self.object
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The Module as the file has it by now.
    pub(crate) fn refreshed(&self) -> Result<Self, Failure> {
        Self::read(&self.path, self.flags.clone(), Some(&self.namespace), self.requester.clone())
    }

    /// What lets through what only a GitOps writer may do; none if somebody is named already, or there is no writer.
    pub(crate) fn writer_hint(&self) -> Option<String> {
        let writer = git_ops_writer(&self.policy).filter(|writer| !writer.username.is_empty())?;
        self.requester.is_none().then(|| {
            format!(
                "this is judged for somebody whom no policy names; for the GitOps writer add --as {}",
                writer.username
            )
        })
    }

    /// Answers what the server would answer to the requester.
    pub(crate) fn ask(&self, spec: Option<&Value>, want: &[Want]) -> Result<PreviewAnswer, Failure> {
        on_render_stack(|| self.answer(spec, want))?
    }

    /// The resources of the Module as the file has it.
    pub(crate) fn expand(&self) -> Result<Expansion, Failure> {
        on_render_stack(|| {
            let template = self.template(self.object.get("spec"))?;
            self.expansion(&template, &self.object)
        })?
    }

    fn answer(&self, spec: Option<&Value>, want: &[Want]) -> Result<PreviewAnswer, Failure> {
        let template_now = self.template(self.object.get("spec"))?;
        let mut then = self.object.clone();
        if let Some(spec) = spec {
            then["spec"] = spec.clone();
        }
        let moved = then.pointer("/spec/template") != self.object.pointer("/spec/template");
        let moved_to = if moved { Some(self.template(then.get("spec"))?) } else { None };
        let template_then = moved_to.as_ref().unwrap_or(&template_now);

        let values_now = effective(template_now.chart(), &self.object)?;
        let values_then = effective(template_then.chart(), &then)?;
        let mut answer = PreviewAnswer {
            writers: verdict::writers(&self.policy),
            template_digest: Some(template_then.digest().to_owned()),
            ..PreviewAnswer::default()
        };
        if want.contains(&Want::Schema) {
            answer.defaults = Some(Value::Object(effective(template_then.chart(), &Value::Null)?));
            answer.schema = schema(template_then.chart())?;
            sub_chart_schemas(template_then.chart(), "", &mut answer.sub_chart_schemas)?;
            answer.locks = template_then.locks().locks().map(LockAnswer::from).collect();
        }
        if want.contains(&Want::Verdict) {
            let nobody = Requester::default();
            let question = Question {
                operation: Operation::Update,
                old: Some(&self.object),
                new: Some(&then),
                requester: self.requester.as_ref().unwrap_or(&nobody),
                policy: &self.policy,
                old_template: Some(&template_now),
                new_template: moved_to.as_ref(),
                controllers: &Controllers::default(),
            };
            match decide(&question) {
                Verdict::Allowed(allowance) => answer.warnings.extend(allowance.warnings),
                Verdict::Refused(refusal) => answer.refusal = Some(refusal),
            }
        }
        if want.contains(&Want::Plan) {
            let before = match self.expansion(&template_now, &self.object) {
                Ok(before) => Some(before),
                // A preview has to work for the change that mends it.
                Err(failure) => {
                    answer.warnings.push(format!("the Module as it is now cannot be rendered: {failure}"));
                    None
                }
            };
            let old = before.as_ref().map(|expansion| PlanState { values: &values_now, expansion });
            match expand(template_then, &self.module(&then)?, &self.policy, 1) {
                Ok(after) => {
                    answer.warnings.extend(after.warnings.iter().cloned());
                    let new = PlanState { values: &values_then, expansion: &after };
                    answer.plan = Some(Plan::between(template_then.locks(), old, new));
                }
                // As the server does; that it may not be made comes first.
                Err(error) => {
                    let values = then.pointer("/spec/values").unwrap_or(&Value::Null);
                    let refusal = Refusal::for_expansion(&error, template_then.locks(), values);
                    answer.refusal.get_or_insert(refusal);
                }
            }
        }
        answer.values_now = Some(Value::Object(values_now));
        answer.values_then = Some(Value::Object(values_then));
        Ok(answer)
    }

    fn template(&self, spec: Option<&Value>) -> Result<Template, Failure> {
        let location = location(spec.and_then(|spec| spec.get("template")));
        if location.repo.is_empty() {
            return Err(Failure::message(
                CODE_ERROR,
                format!("{}: spec.template.repo names no repository of templates", self.path.display()),
            ));
        }
        load(&self.templates, &location).map_err(|error| self.source_failure(error))
    }

    fn source_failure(&self, error: anyhow::Error) -> Failure {
        let not_mapped = matches!(error.downcast_ref(), Some(SourceError::NotMapped { .. }));
        let failure = Failure::new(CODE_ERROR, error);
        if !not_mapped {
            return failure;
        }
        match &self.config.file {
            Some(file) => failure.hint(format!("map it to a folder in {}", file.display())),
            None => failure.hint(format!("{FILE_NAME} is looked for beside the Module's file and above")),
        }
    }

    fn module(&self, object: &Value) -> Result<Module, Failure> {
        let module = serde_json::from_value(object.clone());
        Ok(module.with_context(|| format!("{} holds no valid Module", self.path.display()))?)
    }

    fn expansion(&self, template: &Template, object: &Value) -> Result<Expansion, Failure> {
        expand(template, &self.module(object)?, &self.policy, 1).map_err(|error| {
            let error = anyhow::Error::new(error);
            let cause = Cause { field: "spec.values".to_owned(), message: format!("{error:#}") };
            let error = error.context(format!("module {} cannot be rendered", self.name));
            Failure::new(CODE_ERROR, error).causes([cause])
        })
    }
}

/// The template that a reference names.
pub(crate) fn location(reference: Option<&Value>) -> TemplateLocation {
    let text = |key: &str| reference.and_then(|reference| reference.get(key)).and_then(Value::as_str);
    TemplateLocation {
        repo: text("repo").unwrap_or_default().to_owned(),
        path: text("path").unwrap_or_default().to_owned(),
        version: text("version").unwrap_or_default().to_owned(),
    }
}

/// Reads a template from folders of this machine.
pub(crate) fn load(templates: &LocalTemplates, location: &TemplateLocation) -> Result<Template, anyhow::Error> {
    let fetched = templates.fetch(location)?;
    let chart = Chart::load(fetched.files).with_context(|| format!("the template at {location} is not valid"))?;
    Ok(Template::new(chart, fetched.digest)?)
}

/// The resources of a Module, as far as can be told without a cluster.
pub(crate) fn expand(
    template: &Template,
    module: &Module,
    policy: &EffectivePolicy,
    revision: i64,
) -> Result<Expansion, ExpansionError> {
    let options = ExpansionOptions {
        policy: Some(policy),
        scopes: &WellKnownScopes,
        host: &renderer::functions::FixedHost::default(),
        kube_version: None,
        api_versions: std::sync::Arc::default(),
        revision,
        limits: Limits::default(),
    };
    expansion::expand(template.chart(), module, &options)
}

/// Runs work that renders. The template engine calls itself for nested templates and wants more stack than a thread
/// usually has.
pub(crate) fn on_render_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(RENDER_STACK_BYTES).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| Failure::message(CODE_ERROR, "the renderer stopped unexpectedly"))
    })
}

/// Whether a path stands for standard input.
pub(crate) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The text of a file, or of standard input.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    if is_standard_input(path) {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    Ok(fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)
}

/// The bytes of a file, or of standard input.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if is_standard_input(path) {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    Ok(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
}

/// Reads a file that holds one Module. Its namespace is that of a kustomization beside it, else its own.
pub(crate) fn read_module_file(path: &Path) -> Result<Value, Failure> {
    let documents = renderer::yaml::parse_all(read_text(path)?.as_bytes())
        .with_context(|| format!("{} is no valid YAML", path.display()))?;
    let mut modules = Vec::new();
    for document in documents {
        let object = values_read::to_json(document).with_context(|| format!("{} is not valid", path.display()))?;
        let api_version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        if object.get("kind").and_then(Value::as_str) == Some("Module") && api_version.starts_with("cyclops-ui.com/") {
            modules.push(object);
        }
    }
    let complain = |problem: &str| Failure::message(CODE_ERROR, format!("{} {problem}", path.display()));
    if modules.len() > 1 {
        return Err(complain("holds more than one Module; give each one its own file"));
    }
    let mut object =
        modules.pop().ok_or_else(|| complain("holds no Module (apiVersion: cyclops-ui.com/v1alpha1, kind: Module)"))?;
    if object.pointer("/metadata/name").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(complain("holds a Module without metadata.name"));
    }
    if !object.get("spec").is_some_and(Value::is_object) {
        return Err(complain("holds a Module without spec: name a template and values"));
    }
    if let Some(namespace) = path.parent().filter(|_| !is_standard_input(path)).and_then(kustomized_namespace) {
        object["metadata"]["namespace"] = namespace.into();
    }
    Ok(object)
}

/// Reads the policies of a file; other objects in it are not looked at.
fn read_policies(path: &Path) -> Result<Vec<ModulePolicy>, Failure> {
    let documents = renderer::yaml::parse_all(read_text(path)?.as_bytes())
        .with_context(|| format!("{} is no valid YAML", path.display()))?;
    let mut policies = Vec::new();
    for document in documents {
        let object = values_read::to_json(document)?;
        if object.get("kind").and_then(Value::as_str) == Some("ModulePolicy") {
            let policy = serde_json::from_value(object)
                .with_context(|| format!("{} holds no valid ModulePolicy", path.display()))?;
            policies.push(policy);
        }
    }
    Ok(policies)
}

/// What templates see at the root of the values.
fn effective(chart: &Chart, object: &Value) -> Result<Map<String, Value>, Failure> {
    let own = object.pointer("/spec/values").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    let own = values::from_json(&own).context("spec.values is not valid")?;
    let effective = values::effective(chart, &own).context("spec.values does not fit the template")?;
    Ok(effective.into_iter().map(|(key, value)| (key, values_read::with_integers(value))).collect())
}

fn schema(chart: &Chart) -> Result<Option<Value>, Failure> {
    let Some(schema) = chart.schema() else { return Ok(None) };
    let name = chart.name();
    Ok(Some(serde_json::from_slice(schema).with_context(|| format!("values.schema.json of {name} is not valid"))?))
}

/// The schemas of sub-charts under the paths of their values.
fn sub_chart_schemas(chart: &Chart, prefix: &str, found: &mut BTreeMap<String, Value>) -> Result<(), Failure> {
    for (name, child) in chart.dependency_names() {
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        sub_chart_schemas(child, &path, found)?;
        if let Some(schema) = schema(child)? {
            found.insert(path, schema);
        }
    }
    Ok(())
}
