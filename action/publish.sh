#!/usr/bin/env bash
# Tells the outcome beside the lines of the pull request, and on the page of the run.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cat "$REPORT_MARKDOWN" >>"$GITHUB_STEP_SUMMARY"
if [[ -n $REPORT_JSON ]]; then
  # GitHub wants paths from the root of the repository, the report has them from the folder of the app.
  below=${INPUT_WORKING_DIRECTORY#./}
  below=${below%/}
  below=${below//'%'/%25} below=${below//:/%3A} below=${below//,/%2C}
  "$REHEARSAL_BINARY" report "$REPORT_JSON" --format github | while IFS= read -r line; do
    [[ $below == . || $line == *' file=/'* ]] || line=${line/ file=/ file=$below/}
    printf '%s\n' "$line"
  done
else
  annotate error "$(<"$ERROR_FILE")"
fi
