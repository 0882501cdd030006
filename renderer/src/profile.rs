//! The behaviours in which Helm releases differ.

use crate::value::MapType;

/// Which Helm release's output is reproduced: one switch for everything in which supported releases differ.
///
/// Take [`Profile::V4`] or [`Profile::V3`]; the switches can also be combined for a release in between, as their
/// variants say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Profile {
    /// How rendered files are cut into documents.
    pub document_splitter: DocumentSplitter,
    /// What becomes of nulls when values are coalesced.
    pub coalescing: Coalescing,
    /// Whether the install order knows webhook configurations, as since 4.0.0: after all other kinds. Else they are
    /// unknown kinds, sorted by name.
    pub orders_webhook_configurations: bool,
    /// What `.Chart` is.
    pub chart_object: ChartObject,
    /// How sub-charts that are rendered more than once share what they contain.
    pub alias_copies: AliasCopies,
    /// Whether charts of another `apiVersion` than `v1` and `v2` are refused, as since 4.1.0.
    pub detects_api_version: bool,
    /// Which documents of a values file count.
    pub values_documents: ValuesDocuments,
    /// Whether `--set-json` takes an object too, as since 4.0.0, and not only pairs of path and value.
    pub merges_json_objects: bool,
    /// Whether a list index of `--set` without its `]` is an error, as before 4.0.0; since then it sets nothing.
    pub refuses_open_indexes: bool,
    /// How failed executions are told.
    pub exec_errors: ExecErrorText,
    /// The words of other errors.
    pub error_words: ErrorWords,
    /// How warnings are written.
    pub log_format: LogFormat,
    /// The functions that templates can call.
    pub functions: FunctionSet,
    /// `.Capabilities.KubeVersion` unless told otherwise: version 1 and the minor version of Helm's client-go.
    pub kube_version: &'static str,
    /// `.Capabilities.APIVersions`: the group versions that Helm's client-go knows, in its order. No kinds.
    pub api_versions: &'static [&'static str],
    /// Whether `.Capabilities.KubeVersion.Version` keeps what follows the numbers of a version such as
    /// `v1.33.4-gke.1`, as since 4.1.0.
    pub keeps_kube_version_suffix: bool,
    /// `.Capabilities.HelmVersion`.
    pub helm_version: HelmVersion,
    /// The largest file of a chart in bytes; there was such a limit from 3.17.3 on, and there is none in 4.3.
    pub max_file_bytes: Option<u64>,
    /// Go's names of Helm's types, as errors and `typeOf` show them.
    pub(crate) types: &'static TypeNames,
}

/// How rendered files are cut into documents (Helm: `SplitManifests`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentSplitter {
    /// 3.x, 4.0.x and 4.1.x: at `---` after a line break, with all white space around it; documents are trimmed at both
    /// ends.
    Trimmed,
    /// 4.2.0 to 4.2.3: as [`DocumentSplitter::Trimmed`], but the white space at the end of a file stays.
    TrimmedAtStart,
    /// Since 4.2.4: at every line that starts with `---`; the white space at the end of each document stays.
    LineStarts,
}

/// What becomes of nulls when values are coalesced (Helm: `coalesceTablesFullKey`, `coalesceValues`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coalescing {
    /// To 3.19.4: a null deletes the default below it; one without a default stays.
    Deleting,
    /// 3.19.5, 3.20.0 and 4.0.0 to 4.1.2: a nested null is deleted even if there is no default.
    DeletingNested,
    /// 3.20.1 to 3.22 and 4.1.3 to 4.1.4: a null stays unless there is a default that it deletes.
    Keeping,
    /// Since 4.2.0: as [`Coalescing::Keeping`], and nulls in the defaults of charts count as absent.
    WithoutNullDefaults,
}

/// What `.Chart` is in templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartObject {
    /// 3.x: a struct. An unknown field is an error, encoders write the names of `Chart.yaml`.
    Struct,
    /// Since 4.0.0: a map. An unknown key is nothing, encoders write Go's names of the fields.
    Map,
}

/// What happens when a sub-chart is copied to be rendered under a name (Helm: `getAliasDependency`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasCopies {
    /// 3.x: the copies share their sub-charts and declared dependencies, so that the last one decides where undeclared
    /// sub-charts are.
    Shared,
    /// Since 4.0.0: each copy has its own, one level deep.
    Separate,
}

/// Which documents of a values file count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValuesDocuments {
    /// 3.x: the first one.
    First,
    /// Since 4.0.0: all, merged in order.
    All,
}

/// How failed executions are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecErrorText {
    /// 3.x: Go's own text, in one line.
    SingleLine,
    /// Since 4.0.0: a line for each place, where Helm can take Go's text apart (`reformatExecErrorMsg`).
    MultiLine,
}

/// The words of errors that are neither failed executions nor made of Go's names of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorWords {
    /// 3.x.
    V3,
    /// Since 4.0.0.
    V4,
}

/// How warnings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// 3.x: the text alone (Go: `log`). Helm puts the file and line of its own source in front.
    Plain,
    /// Since 4.0.0: level, text and attributes (Go: `log/slog`).
    Structured,
}

/// The functions that templates can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionSet {
    /// 3.x: Go's, sprig's and Helm's.
    V3,
    /// 4.3: also `mustToYaml`, `mustToToml` and the functions for durations.
    V4,
}

/// `.Capabilities.HelmVersion` (Helm: `version.BuildInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelmVersion {
    /// `Version`, with `v`.
    pub version: &'static str,
    /// `GitCommit`; empty for a Helm that was built from the module proxy.
    pub git_commit: &'static str,
    /// `GitTreeState`.
    pub git_tree_state: &'static str,
    /// `GoVersion`: the Go that built Helm.
    pub go_version: &'static str,
    /// `KubeClientVersion`; Helm 3 has no such field.
    pub kube_client_version: Option<&'static str>,
}

/// Go's names of Helm's types.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TypeNames {
    /// The type of `.Values` and of the root context.
    pub(crate) values: MapType,
    pub(crate) capabilities: &'static str,
    pub(crate) kube_version: &'static str,
    pub(crate) version_set: &'static str,
    /// What the head of a rendered document is decoded into.
    pub(crate) head: &'static str,
    /// What `Chart.yaml` and lock files are decoded into.
    pub(crate) metadata: &'static str,
    pub(crate) lock: &'static str,
    pub(crate) maintainer: &'static str,
    pub(crate) maintainers: &'static str,
    pub(crate) dependency: &'static str,
    pub(crate) dependencies: &'static str,
}

impl Profile {
    /// Helm 4.3.1.
    pub const V4: Self = Self {
        document_splitter: DocumentSplitter::LineStarts,
        coalescing: Coalescing::WithoutNullDefaults,
        orders_webhook_configurations: true,
        chart_object: ChartObject::Map,
        alias_copies: AliasCopies::Separate,
        detects_api_version: true,
        values_documents: ValuesDocuments::All,
        merges_json_objects: true,
        refuses_open_indexes: false,
        exec_errors: ExecErrorText::MultiLine,
        error_words: ErrorWords::V4,
        log_format: LogFormat::Structured,
        functions: FunctionSet::V4,
        kube_version: "v1.37.0",
        api_versions: &API_VERSIONS_1_37,
        keeps_kube_version_suffix: true,
        helm_version: HelmVersion {
            version: "v4.3.1",
            git_commit: "",
            git_tree_state: "clean",
            go_version: "go1.26.8",
            kube_client_version: Some("v1.37"),
        },
        max_file_bytes: None,
        types: &TypeNames {
            values: MapType::Values,
            capabilities: "*common.Capabilities",
            kube_version: "common.KubeVersion",
            version_set: "common.VersionSet",
            head: "util.SimpleHead",
            metadata: "v2.Metadata",
            lock: "v2.Lock",
            maintainer: "v2.Maintainer",
            maintainers: "[]*v2.Maintainer",
            dependency: "v2.Dependency",
            dependencies: "[]*v2.Dependency",
        },
    };

    /// Helm 3.22.0.
    pub const V3: Self = Self {
        document_splitter: DocumentSplitter::Trimmed,
        coalescing: Coalescing::Keeping,
        orders_webhook_configurations: false,
        chart_object: ChartObject::Struct,
        alias_copies: AliasCopies::Shared,
        detects_api_version: false,
        values_documents: ValuesDocuments::First,
        merges_json_objects: false,
        refuses_open_indexes: true,
        exec_errors: ExecErrorText::SingleLine,
        error_words: ErrorWords::V3,
        log_format: LogFormat::Plain,
        functions: FunctionSet::V3,
        kube_version: "v1.37.0",
        api_versions: &API_VERSIONS_1_37,
        keeps_kube_version_suffix: false,
        helm_version: HelmVersion {
            version: "v3.22.0",
            git_commit: "",
            git_tree_state: "clean",
            go_version: "go1.26.8",
            kube_client_version: None,
        },
        max_file_bytes: Some(5 << 20),
        types: &TypeNames {
            values: MapType::ChartutilValues,
            capabilities: "*chartutil.Capabilities",
            kube_version: "chartutil.KubeVersion",
            version_set: "chartutil.VersionSet",
            head: "releaseutil.SimpleHead",
            metadata: "chart.Metadata",
            lock: "chart.Lock",
            maintainer: "chart.Maintainer",
            maintainers: "[]*chart.Maintainer",
            dependency: "chart.Dependency",
            dependencies: "[]*chart.Dependency",
        },
    };
}

impl Default for Profile {
    fn default() -> Self {
        Self::V4
    }
}

/// The group versions of client-go 0.37.
const API_VERSIONS_1_37: [&str; 57] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];
