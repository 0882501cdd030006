//! `.Capabilities`: the versions of Kubernetes, of its APIs and of Helm that templates see.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use crate::Profile;
use crate::functions::{Parameter, Signature};
use crate::profile::HelmVersion;
use crate::quote::quote;
use crate::value::{ElementType, List, MethodError, Object, StructField, Value};

/// A text that is no Kubernetes version. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KubeVersionError {
    /// Does not start with a number.
    #[error("could not parse {} as version", quote(.version.as_bytes()))]
    NoVersion {
        /// The text.
        version: String,
    },
    /// Only a major version.
    #[error("illegal version string {}", quote(.version.as_bytes()))]
    TooShort {
        /// The text.
        version: String,
    },
    /// The major version starts with a zero.
    #[error("illegal zero-prefixed version component {} in {}", quote(.component.as_bytes()), quote(.version.as_bytes()))]
    ZeroPrefixed {
        /// The component.
        component: String,
        /// The text.
        version: String,
    },
    /// A number above 2^64 - 1.
    #[error(
        "illegal non-numeric version component {} in {}: strconv.ParseUint: parsing {}: value out of range",
        quote(.component.as_bytes()), quote(.version.as_bytes()), quote(.component.as_bytes())
    )]
    OutOfRange {
        /// The component.
        component: String,
        /// The text.
        version: String,
    },
}

/// Go's `common.KubeVersion` or `chartutil.KubeVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubeVersion {
    version: String,
    /// The numbers only. Helm 3 has no such field: there it is the version.
    normalized: String,
    major: String,
    minor: String,
    profile: Profile,
}

impl KubeVersion {
    /// Parses loosely: at least major and minor, anything may follow (Helm: `ParseKubeVersion`).
    pub(crate) fn parse(version: &str, profile: Profile) -> Result<Self, KubeVersionError> {
        let spaces = |character: char| matches!(character, '\t' | '\n' | '\x0c' | '\r' | ' ');
        let trimmed = version.trim_start_matches(spaces);
        let digits = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let mut end = 0;
        let mut components = Vec::new();
        loop {
            let length = digits[end..].bytes().take_while(u8::is_ascii_digit).count();
            if length == 0 {
                break;
            }
            components.push(&digits[end..end + length]);
            end += length;
            match digits[end..].strip_prefix('.') {
                Some(_) => end += 1,
                None => break,
            }
        }
        // What follows the numbers may be anything but a line break.
        let numbers_end: usize = components.iter().map(|part| part.len() + 1).sum::<usize>().saturating_sub(1);
        if components.is_empty() || digits[numbers_end..].contains('\n') {
            return Err(KubeVersionError::NoVersion { version: version.to_owned() });
        }
        let [major, minor, ..] = components[..] else {
            return Err(KubeVersionError::TooShort { version: version.to_owned() });
        };
        if major.len() > 1 && major.starts_with('0') {
            return Err(KubeVersionError::ZeroPrefixed { component: major.to_owned(), version: version.to_owned() });
        }
        let mut numbers = Vec::new();
        for component in &components {
            let number: u64 = component.parse().map_err(|_| KubeVersionError::OutOfRange {
                component: (*component).to_owned(),
                version: version.to_owned(),
            })?;
            numbers.push(number.to_string());
        }
        let minor = minor.parse::<u64>().unwrap_or_default().to_string();
        let normalized = format!("v{}", numbers.join("."));
        let version = if profile.keeps_kube_version_suffix {
            format!("{}{version}", if version.starts_with('v') { "" } else { "v" })
        } else {
            normalized.clone()
        };
        Ok(Self { version, normalized, major: major.to_owned(), minor, profile })
    }

    /// A deep copy, which lacks the field that is not exported.
    fn without_normalized(&self) -> Self {
        Self { normalized: String::new(), ..self.clone() }
    }

    /// The version as given, with `v`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The numbers only, with `v`: what constraints are checked against.
    pub(crate) fn normalized(&self) -> &str {
        &self.normalized
    }
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        self.profile.types.kube_version
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(self.version.as_str().into()),
            "Major" => Some(self.major.as_str().into()),
            "Minor" => Some(self.minor.as_str().into()),
            _ => None,
        }
    }

    fn method(&self, name: &str) -> Option<Signature> {
        matches!(name, "String" | "GitVersion").then_some(Signature::fixed(&[]))
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, MethodError> {
        match name {
            "String" => Ok(self.normalized.as_str().into()),
            "GitVersion" => Ok(self.version.as_str().into()),
            _ => Err(MethodError::Unknown),
        }
    }

    fn to_text(&self) -> Vec<u8> {
        let Self { version, normalized, major, minor, profile } = self;
        if profile.keeps_kube_version_suffix {
            format!("{{{version} {normalized} {major} {minor}}}").into_bytes()
        } else {
            format!("{{{version} {major} {minor}}}").into_bytes()
        }
    }

    fn to_addressable_text(&self) -> Vec<u8> {
        self.normalized.clone().into_bytes()
    }

    fn is_stringer(&self) -> bool {
        false
    }

    fn struct_fields(&self) -> Option<Vec<StructField>> {
        let mut fields = vec![
            StructField::new("Version", self.version.as_str()),
            StructField::new("Major", self.major.as_str()),
            StructField::new("Minor", self.minor.as_str()),
        ];
        if self.profile.keeps_kube_version_suffix {
            fields.insert(1, StructField::new("normalizedVersion", self.normalized.as_str()));
        }
        Some(fields)
    }

    fn deep_copy(&self) -> Option<Value> {
        self.profile.keeps_kube_version_suffix.then(|| Value::Object(Rc::new(self.without_normalized())))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `common.VersionSet` or `chartutil.VersionSet`: a list of group versions with a method `Has`.
#[derive(Clone, Debug)]
struct VersionSet {
    known: &'static [&'static str],
    more: Arc<[String]>,
    type_name: &'static str,
}

impl VersionSet {
    fn new(more: &Arc<[String]>, profile: Profile) -> Self {
        Self { known: profile.api_versions, more: Arc::clone(more), type_name: profile.types.version_set }
    }

    fn versions(&self) -> impl Iterator<Item = &str> {
        self.known.iter().copied().chain(self.more.iter().map(String::as_str))
    }
}

impl Object for VersionSet {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind_name(&self) -> &'static str {
        "slice"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn size(&self) -> usize {
        /// The longest of a cluster's names of groups, versions and kinds are about this long.
        const LONG: usize = 64;
        (self.known.len() + self.more.len()) * LONG
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Has").then_some(Signature::fixed(&[Parameter::String]))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError> {
        match (name, arguments) {
            ("Has", [Value::String(wanted)]) => {
                Ok(Value::Bool(self.versions().any(|version| version.as_bytes() == wanted.as_bytes())))
            }
            _ => Err(MethodError::Unknown),
        }
    }

    fn to_text(&self) -> Vec<u8> {
        format!("[{}]", self.versions().collect::<Vec<_>>().join(" ")).into_bytes()
    }

    fn to_plain(&self) -> Value {
        Value::List(List::typed(ElementType::String, self.versions().map(Value::from).collect()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `version.BuildInfo`.
impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(self.version.into()),
            "GitCommit" => Some(self.git_commit.into()),
            "GitTreeState" => Some(self.git_tree_state.into()),
            "GoVersion" => Some(self.go_version.into()),
            "KubeClientVersion" => self.kube_client_version.map(Value::from),
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, MethodError> {
        Err(MethodError::Unknown)
    }

    fn to_text(&self) -> Vec<u8> {
        let Self { version, git_commit, git_tree_state, go_version, kube_client_version } = self;
        let client = kube_client_version.map_or_else(String::new, |client| format!(" {client}"));
        format!("{{{version} {git_commit} {git_tree_state} {go_version}{client}}}").into_bytes()
    }

    fn struct_fields(&self) -> Option<Vec<StructField>> {
        let mut fields = vec![
            StructField::omitting_empty("Version", "version", self.version),
            StructField::omitting_empty("GitCommit", "git_commit", self.git_commit),
            StructField::omitting_empty("GitTreeState", "git_tree_state", self.git_tree_state),
            StructField::omitting_empty("GoVersion", "go_version", self.go_version),
        ];
        let client = self.kube_client_version;
        fields.extend(
            client
                .map(|client| StructField::new("KubeClientVersion", client))
                .map(|field| StructField { json: "kube_client_version", ..field }),
        );
        Some(fields)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `*common.Capabilities` or `*chartutil.Capabilities`.
#[derive(Clone, Debug)]
pub(crate) struct Capabilities {
    kube_version: Rc<KubeVersion>,
    api_versions: Rc<VersionSet>,
    helm_version: Rc<HelmVersion>,
    type_name: &'static str,
}

impl Capabilities {
    /// Helm's defaults, with another version of Kubernetes and more group versions if given.
    pub(crate) fn new(
        profile: Profile,
        kube_version: Option<&str>,
        api_versions: &Arc<[String]>,
    ) -> Result<Self, KubeVersionError> {
        Ok(Self {
            kube_version: Rc::new(KubeVersion::parse(kube_version.unwrap_or(profile.kube_version), profile)?),
            api_versions: Rc::new(VersionSet::new(api_versions, profile)),
            helm_version: Rc::new(profile.helm_version),
            type_name: profile.types.capabilities,
        })
    }

    /// The version of Kubernetes.
    pub(crate) fn kube_version(&self) -> &KubeVersion {
        &self.kube_version
    }

    fn parts(&self) -> Vec<u8> {
        let parts: [&dyn Object; 3] = [&*self.kube_version, &*self.api_versions, &*self.helm_version];
        parts.map(Object::to_text).join(&b' ')
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind_name(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::Object(Rc::clone(&self.kube_version) as Rc<dyn Object>)),
            "APIVersions" => Some(Value::Object(Rc::clone(&self.api_versions) as Rc<dyn Object>)),
            "HelmVersion" => Some(Value::Object(Rc::clone(&self.helm_version) as Rc<dyn Object>)),
            _ => None,
        }
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Copy").then_some(Signature::fixed(&[]))
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, MethodError> {
        match name {
            "Copy" => Ok(Value::Object(Rc::new(self.clone()))),
            _ => Err(MethodError::Unknown),
        }
    }

    fn size(&self) -> usize {
        self.api_versions.size().saturating_mul(2)
    }

    fn to_text(&self) -> Vec<u8> {
        [b"&{", self.parts().as_slice(), b"}"].concat()
    }

    fn to_addressable_text(&self) -> Vec<u8> {
        [b"{", self.parts().as_slice(), b"}"].concat()
    }

    fn struct_fields(&self) -> Option<Vec<StructField>> {
        let names = ["KubeVersion", "APIVersions", "HelmVersion"];
        Some(names.into_iter().filter_map(|name| Some(StructField::new(name, self.field(name)?))).collect())
    }

    fn deep_copy(&self) -> Option<Value> {
        let kube_version = match self.kube_version.deep_copy() {
            Some(_) => Rc::new(self.kube_version.without_normalized()),
            None => Rc::clone(&self.kube_version),
        };
        Some(Value::Object(Rc::new(Self { kube_version, ..self.clone() })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_kubernetes_versions() {
        for (text, expected) in [
            ("1.29", "{v1.29 v1.29 1 29}"),
            ("v1.29.3-gke.1", "{v1.29.3-gke.1 v1.29.3 1 29}"),
            ("1.029.0+k3s1", "{v1.029.0+k3s1 v1.29.0 1 29}"),
            ("1.2.3.4.5", "{v1.2.3.4.5 v1.2.3.4.5 1 2}"),
            ("1.30.", "{v1.30. v1.30 1 30}"),
        ] {
            let parsed =
                KubeVersion::parse(text, Profile::V4).map(|version| String::from_utf8(version.to_text()).unwrap());
            assert_eq!(parsed, Ok(expected.to_owned()), "{text}");
        }
        let version = KubeVersion::parse("1.29.3-gke.1", Profile::V3).unwrap();
        assert_eq!(version.to_text(), b"{v1.29.3 1 29}");
        for (text, expected) in [
            ("abc", "could not parse \"abc\" as version"),
            ("1", "illegal version string \"1\""),
            ("01.2", "illegal zero-prefixed version component \"01\" in \"01.2\""),
        ] {
            assert_eq!(KubeVersion::parse(text, Profile::V4).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn prints_as_go_does() {
        let capabilities =
            Capabilities::new(Profile::V4, Some("v1.30.1"), &["example.com/v1".to_owned()].into()).unwrap();
        let text = String::from_utf8(capabilities.to_text()).unwrap();
        assert!(text.starts_with("&{{v1.30.1 v1.30.1 1 30} [v1 admissionregistration.k8s.io/v1 "), "{text}");
        assert!(text.ends_with(" apiextensions.k8s.io/v1 example.com/v1] {v4.3.1  clean go1.26.8 v1.37}}"), "{text}");
        let capabilities = Capabilities::new(Profile::V3, None, &Arc::default()).unwrap();
        let text = String::from_utf8(capabilities.to_text()).unwrap();
        assert!(text.starts_with("&{{v1.37.0 1 37} [v1 ") && text.ends_with("] {v3.22.0  clean go1.26.8}}"), "{text}");
    }
}
