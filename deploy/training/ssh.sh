#!/usr/bin/env bash
# A training on several machines by plain ssh.
#
#   deploy/training/ssh.sh HOST:PORT,HOST:PORT,… COMMAND …
#   deploy/training/ssh.sh gpu1:12345,gpu2:12345 .venv/bin/python -m seqclf.train --config=configs/mnist.py
#
# On every host this project lies in the folder in which you are here (or in $FOLDER), with its
# environment and its data; HOST is what ssh takes and what the workers find each other by, PORT any
# free one. Only the first host's --workdir is used. What the workers print comes here, the worker's
# number before it. Ctrl-C asks all of them to save and stop; the same command goes on. When one is
# lost the others end by themselves. Ends with the status of the first that failed.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n 's/^# \{0,1\}//; 2,5p' "$0" >&2
  exit 2
fi
addresses=$1
shift
folder=${FOLDER:-$PWD}
printf -v command ' %q' "$@"

pids=()
index=0
for address in ${addresses//,/ }; do
  printf -v remote 'cd %q && exec deploy/training/worker.sh %q %q%s' \
    "$folder" "$index" "$addresses" "$command"
  # -tt: when ssh ends, the worker's terminal closes, which asks it to save and stop.
  ssh -tt -o BatchMode=yes "${address%:*}" "$remote" < /dev/null > >(sed -u "s/^/[$index] /") 2>&1 &
  pids+=($!)
  index=$((index + 1))
done
trap 'kill -TERM "${pids[@]}" 2> /dev/null || true' INT TERM HUP

status=0
for pid in "${pids[@]}"; do
  code=0
  wait "$pid" || code=$?
  while kill -0 "$pid" 2> /dev/null; do # the trap has ended the wait, not the worker
    code=0
    wait "$pid" || code=$?
  done
  [ "$status" -ne 0 ] || status=$code
done
exit "$status"
