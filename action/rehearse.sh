#!/usr/bin/env bash
# Rehearses once, writes every report, and hands on the exit code instead of failing with it.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ -d $INPUT_WORKING_DIRECTORY ]] || fail "\`working-directory\` is no folder: $INPUT_WORKING_DIRECTORY"
cd -- "$INPUT_WORKING_DIRECTORY"
reports=$(mktemp -d "${RUNNER_TEMP:?}/rehearsal.XXXXXX")

arguments=()
option() {
  [[ -z $2 ]] || arguments+=("--$1=$2")
}
option snapshot "$INPUT_SNAPSHOT"
option snapshot-command "$INPUT_SNAPSHOT_COMMAND"
option migrations "$INPUT_MIGRATIONS"
option tool "$INPUT_TOOL"
option driver "$INPUT_DRIVER"
option fail-on "$INPUT_FAIL_ON"
option config "$INPUT_CONFIG"
option samples "$INPUT_SAMPLES"
while IFS= read -r line; do
  line=${line%$'\r'}
  [[ -z $line ]] || arguments+=("$line")
done <<<"$INPUT_ARGS"

# place FILE DEFAULT: where a report goes, as an absolute path.
place() {
  case $1 in
    '') printf '%s' "$reports/$2" ;;
    /*) printf '%s' "$1" ;;
    *) printf '%s' "$PWD/$1" ;;
  esac
}
html=$(place "$INPUT_REPORT_HTML" rehearsal.html)
sarif=$(place "$INPUT_SARIF_FILE" rehearsal.sarif)
junit=$(place "$INPUT_JUNIT_FILE" rehearsal.xml)
markdown=$reports/rehearsal.md
outcome=$reports/outcome.env
json=$reports/rehearsal.json
mkdir -p -- "$(dirname -- "$html")" "$(dirname -- "$sarif")" "$(dirname -- "$junit")"
# They are written in this order: where there is the last one, there are all.
arguments+=("--report=html=$html" "--report=sarif=$sarif" "--report=junit=$junit")
arguments+=("--report=markdown=$markdown" "--report=dotenv=$outcome" "--report=json=$json")

# The log of a job shows colours.
export CLICOLOR_FORCE=${CLICOLOR_FORCE-1}
exit_code=0
{ "$REHEARSAL_BINARY" "${arguments[@]}" 2>&1 >&3 | tee "$reports/stderr" >&2 || exit_code=${PIPESTATUS[0]}; } 3>&1

output exit-code "$exit_code"
output report-markdown "$markdown"
if [[ -s $json ]]; then
  cat "$outcome" >>"$GITHUB_OUTPUT"
  output report-json "$json"
  output report-html "$html"
  output sarif-file "$sarif"
  output junit-file "$junit"
else
  # Without colours, and without what was told of the progress before the error.
  error=$(sed "s/"$'\e'"\[[0-9;]*m//g" "$reports/stderr" | sed -n '/^error/,$p')
  error=${error:-"error: rehearse ended with exit code $exit_code"}
  printf '%s\n' "${error:0:8000}" >"$reports/error"
  { printf '**No rehearsal was possible** (exit code %s)\n\n' "$exit_code"; sed 's/^/    /' "$reports/error"; } >"$markdown"
  output REHEARSAL_VERDICT error
  output error-file "$reports/error"
fi
