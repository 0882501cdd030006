//! `.Capabilities`: the versions of Kubernetes, of its APIs and of Helm that templates see.

use std::any::Any;
use std::rc::Rc;

use crate::Profile;
use crate::functions::{Parameter, Signature};
use crate::quote::quote;
use crate::value::{ElementType, List, Map, MethodError, Object, Value};

/// The group versions that client-go 0.37 knows, in its order: what Helm 4.3 offers without a cluster. No kinds.
const API_VERSIONS: [&str; 57] = [
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

/// Go's `common.KubeVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KubeVersion {
    version: String,
    normalized: String,
    major: String,
    minor: String,
}

impl KubeVersion {
    /// Parses loosely: at least major and minor, anything may follow (Helm: `ParseKubeVersion`).
    pub(crate) fn parse(version: &str) -> Result<Self, KubeVersionError> {
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
        let prefix = if version.starts_with('v') { "" } else { "v" };
        Ok(Self {
            version: format!("{prefix}{version}"),
            normalized: format!("v{}", numbers.join(".")),
            major: major.to_owned(),
            minor,
        })
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
        "common.KubeVersion"
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
        format!("{{{} {} {} {}}}", self.version, self.normalized, self.major, self.minor).into_bytes()
    }

    fn to_addressable_text(&self) -> Vec<u8> {
        self.normalized.clone().into_bytes()
    }

    fn to_plain(&self) -> Value {
        plain(&[("Version", &self.version), ("Major", &self.major), ("Minor", &self.minor)])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `common.VersionSet`: a list of group versions with a method `Has`.
#[derive(Clone, Debug)]
struct VersionSet {
    versions: List,
}

impl VersionSet {
    fn new(more: &[String]) -> Self {
        let all = API_VERSIONS.into_iter().chain(more.iter().map(String::as_str));
        Self { versions: List::typed(ElementType::String, all.map(Value::from).collect()) }
    }
}

impl Object for VersionSet {
    fn type_name(&self) -> &'static str {
        "common.VersionSet"
    }

    fn kind_name(&self) -> &'static str {
        "slice"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Has").then_some(Signature::fixed(&[Parameter::String]))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError> {
        match (name, arguments) {
            ("Has", [Value::String(wanted)]) => {
                let found =
                    self.versions.iter().any(|version| matches!(version, Value::String(text) if text == wanted));
                Ok(Value::Bool(found))
            }
            _ => Err(MethodError::Unknown),
        }
    }

    fn to_text(&self) -> Vec<u8> {
        let versions: Vec<String> = self
            .versions
            .iter()
            .map(|version| match version {
                Value::String(text) => text.to_string(),
                _ => String::new(),
            })
            .collect();
        format!("[{}]", versions.join(" ")).into_bytes()
    }

    fn to_plain(&self) -> Value {
        Value::List(self.versions.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `version.BuildInfo`, with what a Helm that was built from the module proxy says of itself.
#[derive(Clone, Copy, Debug)]
struct HelmVersion {
    version: &'static str,
    go_version: &'static str,
    kube_client_version: &'static str,
}

impl HelmVersion {
    fn of(profile: Profile) -> Self {
        match profile {
            Profile::V4 => Self { version: "v4.3", go_version: "go1.26.8", kube_client_version: "v1.37" },
        }
    }
}

impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(self.version.into()),
            "GitCommit" | "GitTreeState" => Some("".into()),
            "GoVersion" => Some(self.go_version.into()),
            "KubeClientVersion" => Some(self.kube_client_version.into()),
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, MethodError> {
        Err(MethodError::Unknown)
    }

    fn to_text(&self) -> Vec<u8> {
        format!("{{{}   {} {}}}", self.version, self.go_version, self.kube_client_version).into_bytes()
    }

    fn to_plain(&self) -> Value {
        plain(&[
            ("version", self.version),
            ("go_version", self.go_version),
            ("kube_client_version", self.kube_client_version),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `*common.Capabilities`.
#[derive(Clone, Debug)]
pub(crate) struct Capabilities {
    kube_version: Rc<KubeVersion>,
    api_versions: Rc<VersionSet>,
    helm_version: Rc<HelmVersion>,
}

impl Capabilities {
    /// Helm's defaults, with another version of Kubernetes and more group versions if given.
    pub(crate) fn new(
        profile: Profile,
        kube_version: Option<&str>,
        api_versions: &[String],
    ) -> Result<Self, KubeVersionError> {
        let default = match profile {
            Profile::V4 => "v1.37.0",
        };
        Ok(Self {
            kube_version: Rc::new(KubeVersion::parse(kube_version.unwrap_or(default))?),
            api_versions: Rc::new(VersionSet::new(api_versions)),
            helm_version: Rc::new(HelmVersion::of(profile)),
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
        "*common.Capabilities"
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

    fn to_text(&self) -> Vec<u8> {
        [b"&{", self.parts().as_slice(), b"}"].concat()
    }

    fn to_addressable_text(&self) -> Vec<u8> {
        [b"{", self.parts().as_slice(), b"}"].concat()
    }

    fn to_plain(&self) -> Value {
        let map = Map::new();
        map.insert("KubeVersion".into(), self.kube_version.to_plain());
        map.insert("APIVersions".into(), self.api_versions.to_plain());
        map.insert("HelmVersion".into(), self.helm_version.to_plain());
        Value::Map(map)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn plain(fields: &[(&str, &str)]) -> Value {
    Value::Map(fields.iter().map(|(name, text)| ((*name).into(), Value::from(*text))).collect())
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
            let parsed = KubeVersion::parse(text).map(|version| String::from_utf8(version.to_text()).unwrap());
            assert_eq!(parsed, Ok(expected.to_owned()), "{text}");
        }
        for (text, expected) in [
            ("abc", "could not parse \"abc\" as version"),
            ("1", "illegal version string \"1\""),
            ("01.2", "illegal zero-prefixed version component \"01\" in \"01.2\""),
        ] {
            assert_eq!(KubeVersion::parse(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn prints_as_go_does() {
        let capabilities = Capabilities::new(Profile::V4, Some("v1.30.1"), &["example.com/v1".to_owned()]).unwrap();
        let text = String::from_utf8(capabilities.to_text()).unwrap();
        assert!(text.starts_with("&{{v1.30.1 v1.30.1 1 30} [v1 admissionregistration.k8s.io/v1 "), "{text}");
        assert!(text.ends_with(" apiextensions.k8s.io/v1 example.com/v1] {v4.3   go1.26.8 v1.37}}"), "{text}");
    }
}
