#!/usr/bin/env bash
# One worker of a training on several machines: says in TF_CONFIG who takes part, then becomes the
# command.
#
#   worker.sh INDEX HOST:PORT,HOST:PORT,… COMMAND …
#
# INDEX is this worker's place in the list, from 0; the first one is the chief. Every worker gets the
# same list and the same command.
set -euo pipefail

if [ $# -lt 3 ] || ! [[ "$1" =~ ^[0-9]+$ ]]; then
  echo "usage: worker.sh INDEX HOST:PORT,HOST:PORT,… COMMAND …" >&2
  exit 2
fi
index=$1 addresses=$2
shift 2
TF_CONFIG="{\"cluster\": {\"worker\": [\"${addresses//,/\", \"}\"]}, \"task\": {\"type\": \"worker\", \"index\": $index}}"
export TF_CONFIG
exec "$@" # so that a signal reaches it
