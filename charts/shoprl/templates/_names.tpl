{{- define "shoprl.operator" -}}
{{ .Release.Name }}-operator
{{- end -}}

{{- /* Labels that select the operator's pods. */ -}}
{{- define "shoprl.selector" -}}
{app.kubernetes.io/name: shoprl, app.kubernetes.io/instance: {{ .Release.Name }}}
{{- end -}}

{{- define "shoprl.labels" -}}
app.kubernetes.io/name: shoprl
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "shoprl.metadata" -}}
name: {{ include "shoprl.operator" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "shoprl.labels" . | nindent 2 }}
{{- end -}}

{{- /* An image named by digest, or an error: (list NAME VALUE). */ -}}
{{- define "shoprl.image" -}}
{{- $name := index . 0 -}}
{{- $image := index . 1 -}}
{{- if not $image -}}
{{- fail (printf "image.%s is missing: name the image with its digest, REPOSITORY@sha256:..." $name) -}}
{{- end -}}
{{- if not (regexMatch "^[^@ ]+@sha256:[0-9a-f]{64}$" $image) -}}
{{- fail (printf "image.%s: %q has no digest: give REPOSITORY@sha256:... A tag may point to another image while a job runs" $name $image) -}}
{{- end -}}
{{- $image -}}
{{- end -}}
