//! `.Files`: the files of a chart that are neither templates nor read by Helm itself (Helm: `pkg/engine/files.go`).

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::budget::{Budget, Limits};
use crate::chart::File;
use crate::functions::{Parameter, Signature};
use crate::glob::{FilesPattern, PatternTooDeep};
use crate::value::{ElementType, GoString, List, Map, MethodError, Object, Value};
use crate::yaml;

/// Go's `engine.files`: a map from path to content that also has methods.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    entries: BTreeMap<GoString, Arc<[u8]>>,
    /// Bytes of all paths and contents.
    size: usize,
}

/// What an entry takes besides path and content.
const ENTRY: usize = 128;

impl Files {
    /// The files of one chart.
    pub(crate) fn new(files: &[File]) -> Self {
        Self::of(files.iter().map(|file| (file.name.as_str().into(), Arc::clone(&file.data))).collect())
    }

    fn of(entries: BTreeMap<GoString, Arc<[u8]>>) -> Self {
        let size = entries.iter().map(|(path, content)| path.len() + content.len() + ENTRY).sum();
        Self { entries, size }
    }

    fn bytes(&self, path: &[u8]) -> Arc<[u8]> {
        self.entries.get(path).map_or_else(|| Arc::from([]), Arc::clone)
    }

    fn glob(&self, pattern: &str) -> Result<Self, PatternTooDeep> {
        let pattern = FilesPattern::new(pattern)?;
        let matching = self.entries.iter().filter(|(path, _)| pattern.matches(&path.to_str_lossy()));
        Ok(Self::of(matching.map(|(path, content)| (path.clone(), Arc::clone(content))).collect()))
    }

    /// A YAML map from the last segments of the paths to the contents in some text form; empty if that cannot be
    /// written.
    fn to_yaml(&self, text: impl Fn(Arc<[u8]>) -> GoString) -> GoString {
        let map = Map::new();
        for (path, content) in &self.entries {
            let base = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            map.insert(base.into(), Value::String(text(Arc::clone(content))));
        }
        let encoded = yaml::encode(&Value::Map(map), &Budget::new(Limits::default())).unwrap_or_default();
        encoded.strip_suffix('\n').unwrap_or(&encoded).into()
    }

    fn lines(&self, path: &[u8]) -> Value {
        let bytes = self.bytes(path);
        let items = if bytes.is_empty() {
            Vec::new()
        } else {
            let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            text.split(|byte| *byte == b'\n').map(Value::string).collect()
        };
        Value::List(List::typed(ElementType::String, items))
    }
}

impl Object for Files {
    fn type_name(&self) -> &'static str {
        "engine.files"
    }

    fn kind_name(&self) -> &'static str {
        "map"
    }

    fn size(&self) -> usize {
        // Contents print as decimal numbers.
        self.size.saturating_mul(4)
    }

    fn entries_size(&self) -> usize {
        self.entries.len().saturating_mul(ENTRY)
    }

    fn cost(&self, name: &str, arguments: &[Value]) -> usize {
        let Some(Value::String(argument)) = arguments.first() else {
            // `AsConfig` and `AsSecrets` encode everything and write it as YAML, where a byte may become four.
            return self.size.saturating_mul(12);
        };
        match name {
            "Glob" => {
                let paths: usize = self.entries.keys().map(|path| path.len() + ENTRY).sum();
                FilesPattern::cost(argument, paths)
            }
            "Lines" => {
                let length = self.entries.get(argument.as_bytes()).map_or(0, |content| content.len());
                // A line may be a byte and takes an item and a text.
                length.saturating_mul(64)
            }
            _ => self.entries.get(argument.as_bytes()).map_or(ENTRY, |content| content.len()),
        }
    }

    fn is_true(&self) -> bool {
        !self.entries.is_empty()
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::Bytes(self.bytes(name.as_bytes())))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => Some(Signature::fixed(&[Parameter::String])),
            "AsConfig" | "AsSecrets" => Some(Signature::fixed(&[])),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError> {
        let argument = match arguments.first() {
            Some(Value::String(text)) => text.as_bytes(),
            _ => &[],
        };
        match name {
            "Get" => Ok(Value::String(self.bytes(argument).into())),
            "GetBytes" => Ok(Value::Bytes(self.bytes(argument))),
            "Glob" => match self.glob(&String::from_utf8_lossy(argument)) {
                Ok(files) => Ok(Value::Object(Rc::new(files))),
                Err(error) => Err(MethodError::Failed(error.to_string())),
            },
            "Lines" => Ok(self.lines(argument)),
            "AsConfig" => Ok(Value::String(self.to_yaml(GoString::from))),
            "AsSecrets" => Ok(Value::String(self.to_yaml(|bytes| STANDARD.encode(bytes).into()))),
            _ => Err(MethodError::Unknown),
        }
    }

    fn to_text(&self) -> Vec<u8> {
        // Charts print their whole context by mistake, and files can be large: no allocation for each byte.
        let decimals: Vec<String> = (0..=u8::MAX).map(|byte| format!("{byte} ")).collect();
        let mut text = b"map[".to_vec();
        for (path, content) in &self.entries {
            text.extend_from_slice(path);
            text.extend_from_slice(b":[");
            for byte in &**content {
                text.extend_from_slice(decimals[usize::from(*byte)].as_bytes());
            }
            if !content.is_empty() {
                text.pop();
            }
            text.extend_from_slice(b"] ");
        }
        if !self.entries.is_empty() {
            text.pop();
        }
        text.push(b']');
        text
    }

    fn to_plain(&self) -> Value {
        let map = Map::new();
        for (path, content) in &self.entries {
            map.insert(path.clone(), Value::Bytes(Arc::clone(content)));
        }
        Value::Map(map)
    }

    fn entries(&self) -> Option<Vec<(GoString, Value)>> {
        Some(self.entries.iter().map(|(path, content)| (path.clone(), Value::Bytes(Arc::clone(content)))).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let file = |(name, text): (&str, &[u8])| File { name: name.to_owned(), data: Arc::from(text) };
        let all: [(&str, &[u8]); 4] =
            [("a.txt", b"l1\nl2\n"), ("conf/b.yaml", b"x: 1\n"), ("conf/sub/c", b"z"), ("empty", b"")];
        Files::new(&all.map(file))
    }

    fn text(value: Result<Value, MethodError>) -> String {
        match value {
            Ok(Value::String(text)) => text.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn gives_contents() {
        let files = files();
        assert_eq!(text(files.call("Get", &["conf/b.yaml".into()])), "x: 1\n");
        assert_eq!(text(files.call("Get", &["missing".into()])), "");
        let lines = |path: &str| match files.call("Lines", &[path.into()]) {
            Ok(Value::List(list)) => list.iter().map(|line| text(Ok(line.clone()))).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(lines("a.txt"), ["l1", "l2"]);
        assert!(lines("empty").is_empty() && lines("missing").is_empty());
        assert_eq!(files.glob("conf/*").unwrap().to_text(), b"map[conf/b.yaml:[120 58 32 49 10]]");
        assert_eq!(files.glob("{empty,conf/sub/*}").unwrap().to_text(), b"map[conf/sub/c:[122] empty:[]]");
        assert_eq!(files.glob("none").unwrap().to_text(), b"map[]");
        assert!(matches!(files.field("missing"), Some(Value::Bytes(bytes)) if bytes.is_empty()));
    }

    #[test]
    fn writes_config_maps_and_secrets() {
        let conf = files().glob("conf/**").unwrap();
        assert_eq!(text(conf.call("AsConfig", &[])), "b.yaml: |\n  x: 1\nc: z");
        assert_eq!(text(conf.call("AsSecrets", &[])), "b.yaml: eDogMQo=\nc: eg==");
        assert_eq!(text(conf.glob("none").unwrap().call("AsConfig", &[])), "{}");
    }
}
