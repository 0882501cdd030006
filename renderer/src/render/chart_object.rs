//! `.Chart`: what is in `Chart.yaml`, with Go's names of the fields.

use std::any::Any;
use std::rc::Rc;

use crate::chart::{ChartInstance, Dependency, ImportValue, Maintainer};
use crate::profile::ChartObject;
use crate::value::{ElementType, List, Map, MapType, MethodError, Object, StructField, Value};

/// `.Chart` of a chart in its place.
pub(super) fn chart_object(instance: ChartInstance<'_, '_>, object: ChartObject) -> Value {
    match object {
        ChartObject::Map => {
            let map: Map =
                metadata(instance, object).into_iter().map(|field| (field.name.into(), field.value)).collect();
            map.insert("IsRoot".into(), instance.is_root().into());
            Value::Map(map)
        }
        ChartObject::Struct => {
            let metadata = Struct { go_type: "chart.Metadata", kind: "struct", fields: metadata(instance, object) };
            Value::Object(Rc::new(ChartStruct { metadata: Rc::new(metadata), is_root: instance.is_root() }))
        }
    }
}

/// The fields of Go's `Metadata`, in their order.
fn metadata(instance: ChartInstance<'_, '_>, object: ChartObject) -> Vec<StructField> {
    let metadata = instance.metadata();
    let annotations = metadata.annotations.as_ref().map_or_else(
        || Map::nil(MapType::String),
        |annotations| {
            let map = Map::typed(MapType::String);
            for (key, value) in annotations {
                map.insert(key.as_str().into(), value.as_str().into());
            }
            map
        },
    );
    let maintainers = metadata.maintainers.as_deref().map(|maintainers| {
        let fields = maintainers.iter().map(maintainer);
        fields.map(|fields| element("*chart.Maintainer", fields, object)).collect()
    });
    let dependencies: Vec<Value> = instance
        .declared()
        .map(|declared| element("*chart.Dependency", dependency(declared, object), object))
        .collect();
    let dependencies = (!dependencies.is_empty()).then_some(dependencies);
    vec![
        StructField::omitting_empty("Name", "name", instance.name()),
        StructField::omitting_empty("Home", "home", metadata.home.as_str()),
        StructField::omitting_empty("Sources", "sources", strings(metadata.sources.as_deref(), object)),
        StructField::omitting_empty("Version", "version", metadata.version.as_str()),
        StructField::omitting_empty("Description", "description", metadata.description.as_str()),
        StructField::omitting_empty("Keywords", "keywords", strings(metadata.keywords.as_deref(), object)),
        StructField::omitting_empty("Maintainers", "maintainers", list(maintainers, ElementType::Maintainer, object)),
        StructField::omitting_empty("Icon", "icon", metadata.icon.as_str()),
        StructField::omitting_empty("APIVersion", "apiVersion", metadata.api_version.as_str()),
        StructField::omitting_empty("Condition", "condition", metadata.condition.as_str()),
        StructField::omitting_empty("Tags", "tags", metadata.tags.as_str()),
        StructField::omitting_empty("AppVersion", "appVersion", metadata.app_version.as_str()),
        StructField::omitting_empty("Deprecated", "deprecated", metadata.deprecated),
        StructField::omitting_empty("Annotations", "annotations", Value::Map(annotations)),
        StructField::omitting_empty("KubeVersion", "kubeVersion", metadata.kube_version.as_str()),
        StructField::omitting_empty(
            "Dependencies",
            "dependencies",
            list(dependencies, ElementType::Dependency, object),
        ),
        StructField::omitting_empty("Type", "type", metadata.chart_type.as_str()),
    ]
}

fn maintainer(maintainer: &Maintainer) -> Vec<StructField> {
    vec![
        StructField::omitting_empty("Name", "name", maintainer.name.as_str()),
        StructField::omitting_empty("Email", "email", maintainer.email.as_str()),
        StructField::omitting_empty("URL", "url", maintainer.url.as_str()),
    ]
}

fn dependency(dependency: &Dependency, object: ChartObject) -> Vec<StructField> {
    let imports = dependency.import_values.as_deref().map(|imports| {
        let pairs = imports.iter().filter_map(|import| match import {
            ImportValue::Path { child, parent } => {
                let map = Map::typed(MapType::String);
                map.insert("child".into(), child.as_str().into());
                map.insert("parent".into(), parent.as_str().into());
                Some(Value::Map(map))
            }
            ImportValue::Export(_) | ImportValue::Other => None,
        });
        pairs.collect()
    });
    let required = |field: StructField| StructField { omit_empty: false, ..field };
    vec![
        required(StructField::omitting_empty("Name", "name", dependency.name.as_str())),
        StructField::omitting_empty("Version", "version", dependency.version.as_str()),
        required(StructField::omitting_empty("Repository", "repository", dependency.repository.as_str())),
        StructField::omitting_empty("Condition", "condition", dependency.condition.as_str()),
        StructField::omitting_empty("Tags", "tags", strings(dependency.tags.as_deref(), object)),
        StructField::omitting_empty("Enabled", "enabled", dependency.enabled),
        StructField::omitting_empty("ImportValues", "import-values", list(imports, ElementType::Any, object)),
        StructField::omitting_empty("Alias", "alias", dependency.alias.as_str()),
    ]
}

/// What a slice of pointers to structs has as an element.
fn element(go_type: &'static str, fields: Vec<StructField>, object: ChartObject) -> Value {
    match object {
        ChartObject::Map => Value::Map(fields.into_iter().map(|field| (field.name.into(), field.value)).collect()),
        ChartObject::Struct => Value::Object(Rc::new(Struct { go_type, kind: "ptr", fields })),
    }
}

/// Helm 4 copies slices to `[]any` (`structToMap`), so that absent ones are empty there and nil in Helm 3.
fn list(items: Option<Vec<Value>>, element_type: ElementType, object: ChartObject) -> Value {
    match (items, object) {
        (items, ChartObject::Map) => Value::list(items.unwrap_or_default()),
        (None, ChartObject::Struct) => Value::List(List::nil(element_type)),
        (Some(items), ChartObject::Struct) => Value::List(List::typed(element_type, items)),
    }
}

fn strings(texts: Option<&[String]>, object: ChartObject) -> Value {
    let items = texts.map(|texts| texts.iter().map(|text| Value::from(text.as_str())).collect());
    list(items, ElementType::String, object)
}

/// A Go struct or a pointer to one.
#[derive(Debug)]
struct Struct {
    go_type: &'static str,
    kind: &'static str,
    fields: Vec<StructField>,
}

impl Struct {
    /// What Go prints of each field.
    fn values(&self) -> impl Iterator<Item = Vec<u8>> {
        self.fields.iter().map(|field| match &field.value {
            Value::Bool(value) => value.to_string().into_bytes(),
            Value::String(text) => text.to_vec(),
            Value::Map(map) => {
                let pairs = map.entries().into_iter().map(|(key, value)| match value {
                    Value::String(value) => [&*key, b":", &*value].concat(),
                    _ => Vec::new(),
                });
                [b"map[", pairs.collect::<Vec<_>>().join(&b' ').as_slice(), b"]"].concat()
            }
            Value::List(list) => {
                let items = list.iter().map(|item| match item {
                    Value::String(text) => text.to_vec(),
                    // Go prints the addresses of what slices point to.
                    _ => b"0xc000000000".to_vec(),
                });
                [b"[", items.collect::<Vec<_>>().join(&b' ').as_slice(), b"]"].concat()
            }
            _ => Vec::new(),
        })
    }
}

impl Object for Struct {
    fn type_name(&self) -> &'static str {
        self.go_type
    }

    fn kind_name(&self) -> &'static str {
        self.kind
    }

    fn size(&self) -> usize {
        /// What a field takes besides its text.
        const FIELD: usize = 32;
        fn text_length(value: &Value) -> usize {
            FIELD
                + match value {
                    Value::String(text) => text.len(),
                    Value::List(list) => list.iter().map(text_length).sum(),
                    Value::Map(map) => map.entries().iter().map(|(key, value)| key.len() + text_length(value)).sum(),
                    _ => 0,
                }
        }
        self.fields.iter().map(|field| text_length(&field.value)).sum()
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.clone())
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, MethodError> {
        Err(MethodError::Unknown)
    }

    fn to_text(&self) -> Vec<u8> {
        let pointer = if self.kind == "ptr" { b"&".as_slice() } else { b"" };
        [pointer, b"{", self.values().collect::<Vec<_>>().join(&b' ').as_slice(), b"}"].concat()
    }

    fn struct_fields(&self) -> Option<Vec<StructField>> {
        Some(self.fields.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Helm 3's `.Chart`: the metadata and whether the chart is the root (`recAllTpls`).
#[derive(Debug)]
struct ChartStruct {
    metadata: Rc<Struct>,
    is_root: bool,
}

impl Object for ChartStruct {
    fn type_name(&self) -> &'static str {
        "struct { chart.Metadata; IsRoot bool }"
    }

    fn size(&self) -> usize {
        self.metadata.size()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "IsRoot" => Some(self.is_root.into()),
            "Metadata" => Some(Value::Object(Rc::clone(&self.metadata) as Rc<dyn Object>)),
            _ => self.metadata.field(name),
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, MethodError> {
        Err(MethodError::Unknown)
    }

    fn to_text(&self) -> Vec<u8> {
        [b"{", self.metadata.to_text().as_slice(), b" ", self.is_root.to_string().as_bytes(), b"}"].concat()
    }

    fn struct_fields(&self) -> Option<Vec<StructField>> {
        let metadata = StructField::new("Metadata", Value::Object(Rc::clone(&self.metadata) as Rc<dyn Object>));
        Some(vec![StructField { embedded: true, ..metadata }, StructField::new("IsRoot", self.is_root)])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
