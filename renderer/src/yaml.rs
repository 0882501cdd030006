//! Go-flavoured YAML: reading with YAML 1.1 rules (`go.yaml.in/yaml` v2 through `sigs.k8s.io/yaml`) and writing.
