#!/usr/bin/env bash
# Writes the report as a comment on the pull request: over the one that this token's user wrote before, or a new one. That it cannot is
# told and is no failure: the verdict does not hang on a comment.
set -euo pipefail
# shellcheck source=action/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case $GITHUB_EVENT_NAME in
  pull_request) ;;
  pull_request_target)
    annotate warning 'no comment on pull_request_target, which runs the code of strangers with the rights of this repository'
    exit ;;
  *) exit ;;
esac
for command in curl jq; do
  command -v "$command" >/dev/null || { annotate warning "no comment: \`$command\` is not on this runner"; exit; }
done

folder=$(mktemp -d "${RUNNER_TEMP:?}/comment.XXXXXX")
answer=$folder/answer.json

# request URL [OPTION…]: the status goes to stdout, what was answered to $answer. The token stands in no argument, which others could read.
request() {
  curl --silent --show-error --max-time 60 --output "$answer" --write-out '%{http_code}' \
    --header @<(printf 'Authorization: Bearer %s\n' "$GITHUB_TOKEN") \
    --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' "${@:2}" "$1" || true
}

give_up() {
  case $1 in
    401 | 403 | 404)
      annotate notice "no comment was written: the token may not (HTTP $1). That of a pull request from a fork can only read; else the job \
needs \`permissions: pull-requests: write\`" ;;
    *) annotate warning "no comment was written: GitHub answered with HTTP $1" ;;
  esac
  exit
}

key=${INPUT_COMMENT_KEY:-$GITHUB_WORKFLOW/$GITHUB_JOB/$INPUT_WORKING_DIRECTORY}
# Nothing that ends an HTML comment.
key=$(printf '%s' "$key" | LC_ALL=C tr -cs 'A-Za-z0-9._/' '-')
marker="<!-- rehearse:$key -->"
run=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
jq --null-input --rawfile report "$REPORT_MARKDOWN" --arg marker "$marker" --arg run "$run" --arg commit "${COMMIT:0:7}" \
  '{body: "\($marker)\n\($report)\n\n<sub>[This run](\($run)), of \($commit)</sub>\n"}' >"$folder/comment.json"

# The REST API does not tell a workflow's token who it is; GraphQL does.
status=$(request "$GITHUB_GRAPHQL_URL" --data '{"query": "{ viewer { login } }"}')
user=
[[ $status != 200 ]] || user=$(jq --raw-output '.data.viewer.login // empty' "$answer")
user=${user:-github-actions[bot]}

comments=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues
id=
page=1
while [[ -z $id ]]; do
  status=$(request "$comments/$PULL_REQUEST/comments?per_page=100&page=$page" --retry 3)
  [[ $status == 200 ]] || give_up "$status"
  # A comment of somebody else with the same marker, and one that quotes it, stay as they are.
  id=$(jq --arg marker "$marker" --arg user "$user" \
    'map(select(.user.login == $user and ((.body // "") | startswith($marker))))[0].id // empty' "$answer")
  [[ $(jq length "$answer") == 100 ]] || break
  page=$((page + 1))
done

if [[ -n $id ]]; then
  status=$(request "$comments/comments/$id" --request PATCH --data-binary "@$folder/comment.json")
else
  status=$(request "$comments/$PULL_REQUEST/comments" --request POST --data-binary "@$folder/comment.json")
fi
case $status in
  200 | 201) printf 'the comment is %s\n' "$(jq --raw-output .html_url "$answer")" ;;
  *) give_up "$status" ;;
esac
