{{- define "cache.name" -}}
{{ .Release.Name }}-cache
{{- end }}

{{- define "cache.labels" -}}
app.kubernetes.io/name: cache
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: {{ .Release.Name }}
{{- end }}

{{/* The memory that the cache itself may use: three quarters, the rest is for its own needs. */}}
{{- define "cache.maxmemory" -}}
{{- $number := regexFind "^[0-9]+" .Values.memory | int64 -}}
{{- $megabytes := hasSuffix "Gi" .Values.memory | ternary (mul $number 1024) $number -}}
{{- printf "%dmb" (div (mul $megabytes 3) 4) -}}
{{- end }}
