#!/usr/bin/env bash
# redis-cli: single commands, --pipe, a session on stdin, --eval, subscribers that run until they are ended.
set -euo pipefail

words=(-h "$TILE38_HOST" -p "$TILE38_PORT" --no-auth-warning)
[ -z "${TILE38_USER:-}" ] || words+=(--user "$TILE38_USER")
[ -z "${TILE38_PASSWORD:-}" ] || words+=(--pass "$TILE38_PASSWORD")
[ -z "${TILE38_CA:-}" ] || words+=(--tls --cacert "$TILE38_CA")
cli() { redis-cli "${words[@]}" "$@"; }

work=$(mktemp -d)
running=()
finish() {
  [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
  rm -r "$work"
}
trap finish EXIT

expect() { # found expected
  [ "$1" = "$2" ] || { printf '%s\ninstead of\n%s\n' "$1" "$2" >&2; exit 1; }
}
lines() { printf '%s\n' "$@"; }

expect "$(cli PING)" PONG
echo ok connect

expect "$(cli SET fleet truck POINT 33.5 -112.2)" OK
expect "$(cli GET fleet truck POINT)" "$(lines 33.5 -112.2)"
echo ok set

expect "$(cli NEARBY fleet LIMIT 5 IDS POINT 33.5 -112)" "$(lines 0 truck)"
echo ok nearby

for number in {0..99}; do printf 'SET many %s POINT %s 2\r\n' "$number" $((number % 90)); done |
  cli --pipe | grep -q 'errors: 0, replies: 100'
echo ok pipeline

transaction=$(lines MULTI 'SET fleet bus POINT 1 2' 'SCAN fleet COUNT' EXEC | cli)
expect "$transaction" "$(lines OK QUEUED QUEUED OK 2)"
echo ok transaction

echo "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')" >"$work/place.lua"
for _ in 1 2; do expect "$(cli --eval "$work/place.lua" fleet , bus)" "$(lines 1 2)"; done
echo ok script

# A subscriber reads nothing more from its stdin, so it can't ping or unsubscribe.
for number in 1 2; do
  mkfifo "$work/$number"
  cli SUBSCRIBE news >"$work/$number" &
  running+=($!)
  exec {reader}<"$work/$number"
  readers[number]=$reader
  for expected in subscribe news 1; do
    read -r -t 10 -u "$reader" found
    expect "$found" "$expected"
  done
done
expect "$(cli PUBLISH news hello)" 2
for number in 1 2; do
  for expected in message news hello; do
    read -r -t 10 -u "${readers[number]}" found
    expect "$found" "$expected"
  done
done
echo ok subscribe

# A session that lasts over the restart connects again by itself, after an error for the command that
# met the lost connection.
coproc session { cli; }
ask() { # command, lines of its reply
  echo "$1" >&"${session[1]}"
  for expected in "${@:2}"; do
    read -r -t 10 -u "${session[0]}" found
    expect "$found" "$expected"
  done
}
ask PING PONG
echo restart
read -r _
ask PING
ask 'GET fleet bus POINT' 1 2
echo ok restart
