#!/bin/sh
# Sets up the servers of compose.yaml: their names, whom they follow, and the password.
#   compose-setup.sh LEADER FOLLOWER...
# A server that has its name was set up before and is left alone: by now the sentinels may have
# chosen another leader. Ends with 0 unless this is the first time and a server failed.
# Environment: PASSWORD (optional), PORT, SECONDS_MAX to wait for each server.
set -u
leader=$1
PORT=${PORT:-9851} SECONDS_MAX=${SECONDS_MAX:-60} PASSWORD=${PASSWORD:-}
# Without a password, redis-cli must not send AUTH.
[ -z "$PASSWORD" ] || export REDISCLI_AUTH="$PASSWORD"

ask() {
  name=$1
  shift
  redis-cli --no-auth-warning -e -h "$name" -p "$PORT" "$@" 2>&1
}

# Waits until the server answers; an error other than "not up yet" ends it.
wait_until_up() {
  waited=0
  until reply=$(ask "$1" config get replica_announce_ip); do
    case $reply in
      *"Could not connect"* | *"Connection re"* | *"closed the connection"* | *LOADING*) ;;
      *) return 1 ;;
    esac
    [ "$waited" -lt "$SECONDS_MAX" ] || return 1
    waited=$((waited + 1))
    sleep 1
  done
}

# The name comes before FOLLOW, which tells it to the leader.
set_up() {
  reply=$(ask "$1" config set replica_announce_ip "$1") || return 1
  if [ -n "$PASSWORD" ]; then
    reply=$(ask "$1" config set leaderauth "$PASSWORD") || return 1
  fi
  if [ "$1" != "$leader" ]; then
    reply=$(ask "$1" follow "$leader" "$PORT") || return 1
  fi
  if [ -n "$PASSWORD" ]; then
    reply=$(ask "$1" config set requirepass "$PASSWORD") || return 1
  fi
  reply=$(ask "$1" config rewrite) || return 1
}

failed=no
known=no
for server in "$@"; do
  if ! wait_until_up "$server"; then
    failed=yes
    echo "$server: $reply" >&2
  elif [ "$(printf '%s\n' "$reply" | tail -n 1)" = "$server" ]; then
    known=yes
  elif ! set_up "$server"; then
    failed=yes
    echo "$server: $reply" >&2
    # Without its name, it is set up anew the next time.
    ask "$server" config set replica_announce_ip "" >&2
  else
    echo "$server: set up"
  fi
done
[ "$failed" = no ] || [ "$known" = yes ]
