#!/bin/sh
# Refuses manifests whose images are not named by digest: a tag may lead to another image tomorrow.
#   kubectl kustomize your-overlay | deploy/check-images.sh
images=$(sed -n 's/^[ -]*image:[[:space:]]*"\{0,1\}\([^"[:space:]]*\)"\{0,1\}[[:space:]]*$/\1/p')
if [ -z "$images" ]; then
  echo 'There is no image in these manifests' >&2
  exit 1
fi
by_tag=$(printf '%s\n' "$images" | grep -Ev '@sha256:[0-9a-f]{64}$')
if [ -n "$by_tag" ]; then
  printf 'This image has no digest: %s\n' $by_tag >&2
  exit 1
fi
