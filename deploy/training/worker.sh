#!/usr/bin/env bash
# Starts one worker of a training on several machines: sets TF_CONFIG, then runs the command in its own
# place.
#
#   worker.sh INDEX HOST:PORT,HOST:PORT,… COMMAND …
#
# INDEX is this worker's place in the list, from 0; worker 0 is the chief. Every worker gets the same
# list and the same command.
set -euo pipefail

if [ $# -lt 3 ] || ! [[ "$1" =~ ^[0-9]+$ ]]; then
  echo "usage: worker.sh INDEX HOST:PORT,HOST:PORT,… COMMAND …" >&2
  exit 2
fi
index=$1 addresses=$2
shift 2
TF_CONFIG="{\"cluster\": {\"worker\": [\"${addresses//,/\", \"}\"]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
export TF_CONFIG
exec "$@" # so that signals reach the command
