#!/bin/sh
# The namespace, with the retention that the alert receiver needs, and the search attributes.
set -eu
temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d 2>/dev/null ||
  temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention 30d
for name in RotationEnvironment RotationApiUser RotationApplication RotationStage; do
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
done
