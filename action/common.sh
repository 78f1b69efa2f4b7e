# What the steps of the action share. Bash 3.2 runs it, which is the one of macOS.
# shellcheck shell=bash

# Text as the data of a workflow command: one line, in which nothing is a command.
data() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

# annotate error|warning|notice TEXT
annotate() {
  printf '::%s title=rehearse::%s\n' "$1" "$(data "$2")"
}

fail() {
  annotate error "$1"
  exit 4
}

# output NAME VALUE: the end mark cannot be guessed, so no value can end early and set another output.
output() {
  local mark
  mark=end-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s<<%s\n%s\n%s\n' "$1" "$mark" "$2" "$mark" >>"$GITHUB_OUTPUT"
}
