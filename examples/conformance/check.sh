#!/bin/sh
# Starts a server on a free port, checks it, ends it. Put the command of your own server in place of `serve`.
# PATH has to have dimedove-sandbox; options of `conform` may follow: sh check.sh --quick --junit conform.xml
set -eu

log=$(mktemp)
dimedove-sandbox serve --port 0 --quiet >"$log" &
server=$!
trap 'kill "$server"; rm -f "$log"' EXIT

url=
for _ in $(seq 100); do
  url=$(grep -o 'http://[^ ]*' "$log" | head -n 1)
  if [ -n "$url" ]; then break; fi
  sleep 0.1
done

dimedove-sandbox conform "$url" "$@"
