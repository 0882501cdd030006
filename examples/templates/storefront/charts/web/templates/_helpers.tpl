{{/* The chart can be used more than once: its name is the alias under which it is used. */}}
{{- define "web.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "web.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: {{ .Release.Name }}
{{- with (.Values.global).team }}
example.com/team: {{ . }}
{{- end }}
{{- end }}
