//! A chart that renders to a hundred objects, for measurements: what large charts do, many times over.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Components of the chart; each renders to four objects.
const COMPONENTS: usize = 25;

/// How much each component holds.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Environment variables.
    variables: usize,
    /// Settings, each a line of its `ConfigMap`.
    settings: usize,
}

/// About one MiB of output.
pub const LARGE: Size = Size { variables: 60, settings: 180 };
/// About 100 KiB of output: objects of the size that they have in most charts.
pub const ORDINARY: Size = Size { variables: 4, settings: 6 };

const CHART: &str = "apiVersion: v2\nname: large\nversion: 1.0.0\nappVersion: 1.4.2\n";

const HELPERS: &str = r#"{{- define "large.name" -}}
{{- default .root.Chart.Name .root.Values.nameOverride | trunc 40 | trimSuffix "-" }}-{{ .component.name }}
{{- end }}

{{- define "large.selectorLabels" -}}
app.kubernetes.io/name: {{ include "large.name" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "large.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "large.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .component.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "large.image" -}}
{{- $registry := .root.Values.global.registry | default "registry.example.com" -}}
{{- printf "%s/%s:%s" $registry .component.image.repository (.component.image.tag | default .root.Chart.AppVersion) -}}
{{- end }}
"#;

const DEPLOYMENTS: &str = r#"{{- range $index, $component := .Values.components }}
{{- $context := dict "root" $ "component" $component }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "large.name" $context }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "large.labels" $context | nindent 4 }}
  annotations:
    checksum/settings: {{ $component.settings | toJson | sha256sum }}
spec:
  replicas: {{ int $component.replicas }}
  selector:
    matchLabels:
      {{- include "large.selectorLabels" $context | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "large.labels" $context | nindent 8 }}
    spec:
      serviceAccountName: {{ include "large.name" $context }}
      {{- if and $.Values.security $.Values.security.enabled (not $component.privileged) }}
      securityContext:
        {{- omit $.Values.security "enabled" | toYaml | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $component.name | quote }}
          image: {{ include "large.image" $context | quote }}
          ports:
            {{- range $component.ports }}
            - name: {{ .name }}
              containerPort: {{ .port }}
              protocol: {{ .protocol | default "TCP" }}
            {{- end }}
          env:
            {{- range $name, $value := $component.env }}
            - name: {{ $name | upper | replace "-" "_" }}
              {{- if kindIs "map" $value }}
              valueFrom:
                {{- toYaml $value | nindent 16 }}
              {{- else }}
              value: {{ tpl (toString $value) $ | quote }}
              {{- end }}
            {{- end }}
          {{- with $component.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- if semverCompare ">=1.20-0" $.Capabilities.KubeVersion.Version }}
          startupProbe:
            httpGet:
              path: {{ $component.probe.path }}
              port: {{ (index $component.ports 0).name }}
            periodSeconds: {{ add $component.probe.period $index }}
          {{- end }}
          volumeMounts:
            - name: settings
              mountPath: /etc/{{ $component.name }}
      volumes:
        - name: settings
          configMap:
            name: {{ include "large.name" $context }}
{{- end }}
"#;

const SERVICES: &str = r#"{{- range $component := .Values.components }}
{{- $context := dict "root" $ "component" $component }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "large.name" $context }}
  labels:
    {{- include "large.labels" $context | nindent 4 }}
spec:
  type: {{ $component.service.type | default "ClusterIP" }}
  ports:
    {{- range $component.ports }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .name }}
    {{- end }}
  selector:
    {{- include "large.selectorLabels" $context | nindent 4 }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "large.name" $context }}
  labels:
    {{- include "large.labels" $context | nindent 4 }}
automountServiceAccountToken: {{ ternary "true" "false" (eq $component.name "component-0") }}
{{- end }}
"#;

const CONFIG_MAPS: &str = r#"{{- range $component := .Values.components }}
{{- $context := dict "root" $ "component" $component }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "large.name" $context }}
  labels:
    {{- include "large.labels" $context | nindent 4 }}
data:
  settings.ini: |
    {{- range $key := keys $component.settings | sortAlpha }}
    {{ $key }} = {{ get $component.settings $key | trim | quote }}
    {{- end }}
  settings.yaml: |
    {{- toYaml $component.settings | nindent 4 }}
  summary: {{ join "," (keys $component.env | sortAlpha) | quote }}
{{- end }}
"#;

/// Writes the chart into an empty folder.
pub fn write(folder: &Path, size: Size) -> Result<()> {
    let files = [
        ("Chart.yaml", CHART),
        ("values.yaml", &values(size)?),
        ("templates/_helpers.tpl", HELPERS),
        ("templates/deployments.yaml", DEPLOYMENTS),
        ("templates/services.yaml", SERVICES),
        ("templates/settings.yaml", CONFIG_MAPS),
    ];
    fs::create_dir_all(folder.join("templates"))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

fn values(size: Size) -> Result<String> {
    let mut text = String::from(
        "global: {registry: registry.example.com}\nnameOverride: \"\"\n\
         security: {enabled: true, runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532}\ncomponents:\n",
    );
    for component in 0..COMPONENTS {
        write!(
            text,
            "  - name: component-{component}\n    replicas: {}\n    privileged: {}\n    \
             labels: {{team: team-{}, tier: backend}}\n    image: {{repository: shop/component-{component}, tag: \"\"}}\n    \
             service: {{type: \"\"}}\n    probe: {{path: /healthz, period: 10}}\n    \
             ports: [{{name: http, port: 8080}}, {{name: metrics, port: 9090, protocol: TCP}}]\n    \
             resources: {{limits: {{cpu: 500m, memory: 256Mi}}, requests: {{cpu: 100m, memory: 128Mi}}}}\n    env:\n",
            1 + component % 4,
            component % 7 == 3,
            component % 5,
        )?;
        for variable in 0..size.variables {
            match variable % 6 {
                0 => writeln!(
                    text,
                    "      endpoint-{variable}: \"https://{{{{ .Release.Name }}}}-{variable}.example.com\""
                )?,
                1 => writeln!(
                    text,
                    "      secret-{variable}: {{secretKeyRef: {{name: secret-{component}, key: key-{variable}}}}}"
                )?,
                2 => writeln!(text, "      number-{variable}: {}", variable * 1000)?,
                3 => writeln!(text, "      flag-{variable}: {}", variable % 2 == 0)?,
                _ => writeln!(text, "      variable-{variable}: value {variable} of component {component}")?,
            }
        }
        text.push_str("    settings:\n");
        for setting in 0..size.settings {
            writeln!(
                text,
                "      setting-{setting}.section-{}: \"a value of some length, number {setting} of component {component}, with \
                 words in it\"",
                setting % 9,
            )?;
        }
    }
    Ok(text)
}
