{{- define "pilotfish.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "pilotfish.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "pilotfish.name" .) -}}
{{- end }}

{{- define "pilotfish.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pilotfish.labels" -}}
{{ include "pilotfish.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "pilotfish.configMap" -}}
{{- .Values.existingConfigMap | default (printf "%s-documents" (include "pilotfish.name" .)) -}}
{{- end }}

{{- /* Rules for the service account: a Role and its binding in `namespace`, or for "" those of the whole cluster. `role` binds a ClusterRole that is there already. */ -}}
{{- define "pilotfish.grant" -}}
{{- $prefix := ternary "Cluster" "" (eq .namespace "") }}
{{- if not .role }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}Role
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "pilotfish.labels" .context | nindent 4 }}
rules: {{- toYaml .rules | nindent 2 }}
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $prefix }}RoleBinding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "pilotfish.labels" .context | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ ternary "ClusterRole" (printf "%sRole" $prefix) (hasKey . "role") }}
  name: {{ .role | default .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "pilotfish.serviceAccount" .context }}
    namespace: {{ .context.Release.Namespace }}
{{ end }}
