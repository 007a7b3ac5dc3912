#!/bin/sh
# Starts coturn with the secret in a file that its user alone can read: the arguments of a process, every user of the machine
# can read. Needs TURN_SECRET; DOMAIN is the realm.
set -eu
: "${TURN_SECRET:?is not set: put the secret that the coordinator shares with coturn into .env (openssl rand -hex 16)}"
if [ "${#TURN_SECRET}" -lt 16 ]; then
  echo 'TURN_SECRET is too short: expected 16 characters or more (openssl rand -hex 16)' >&2
  exit 1
fi
umask 077
folder=${TURN_FOLDER:-/run/turn}
{
  cat "$(dirname "$0")/turnserver.conf"
  echo "realm=${DOMAIN:-localhost}"
  echo "static-auth-secret=$TURN_SECRET"
  # With the machine's own address, nothing is passed on but between its relays: workers who both ask for one.
  if [ -n "${TURN_ADDRESS:-}" ]; then
    echo "allowed-peer-ip=$TURN_ADDRESS"
    echo 'denied-peer-ip=0.0.0.0-255.255.255.255'
    echo 'denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
  fi
} > "$folder/turnserver.conf"
unset TURN_SECRET
exec turnserver -c "$folder/turnserver.conf"
