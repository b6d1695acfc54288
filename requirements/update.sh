#!/bin/sh
# Pins the newest versions again, hashes included and no registry's address. Needs uv.
set -eu
cd "$(dirname "$0")/.."
lock() {
    uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
        --no-emit-find-links --no-annotate --custom-compile-command requirements/update.sh "$@"
}
lock pyproject.toml requirements/build.in --output-file requirements/serve.txt
lock pyproject.toml requirements/build.in --extra test --output-file requirements/test.txt
