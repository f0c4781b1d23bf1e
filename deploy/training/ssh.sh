#!/usr/bin/env bash
# A training on several machines by plain ssh.
#
#   deploy/training/ssh.sh HOST:PORT,HOST:PORT,… COMMAND …
#   deploy/training/ssh.sh gpu1:12345,gpu2:12345 .venv/bin/python -m seqclf.train --config=configs/mnist.py
#
# Every host must have this project, with its environment and its data, in the folder in which you
# run this script (or in $FOLDER). HOST is a name that ssh accepts and by which the workers reach each
# other; PORT is any free port. Only the first host's --workdir is used. The workers' output is printed
# here, each line after the worker's number. Ctrl-C asks all workers to save and stop; the same command
# continues. When one worker is lost, the others end by themselves. The exit status is that of the first
# worker that failed.
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
  # -tt: when ssh ends, the worker's terminal closes, which asks the worker to save and stop.
  ssh -tt -o BatchMode=yes "${address%:*}" "$remote" < /dev/null > >(sed -u "s/^/[$index] /") 2>&1 &
  pids+=($!)
  index=$((index + 1))
done
trap 'kill -TERM "${pids[@]}" 2> /dev/null || true' INT TERM HUP

status=0
for pid in "${pids[@]}"; do
  code=0
  wait "$pid" || code=$?
  while kill -0 "$pid" 2> /dev/null; do # the trap ended the wait; the worker is still running
    code=0
    wait "$pid" || code=$?
  done
  [ "$status" -ne 0 ] || status=$code
done
exit "$status"
