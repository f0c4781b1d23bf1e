#!/bin/bash
# Succeeds if a server has a version of a model ready: bash healthcheck.sh [PORT [MODEL]]
#
# The status page answers 200 also while a model loads and after it has failed, so this reads its
# text. It opens the connection with bash, because the image of TensorFlow Serving has no curl.
port=${1:-8501}
model=${2:-seqclf}

exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
printf 'GET /v1/models/%s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$model" >&3
while IFS= read -r -t 2 line <&3 || [[ $line ]]; do
  [[ $line =~ \"state\":\ *\"AVAILABLE\" ]] && exit 0
done
exit 1
