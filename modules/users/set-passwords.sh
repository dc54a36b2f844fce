#!/bin/bash
# Gives accounts the passwords whose hashes are credentials of this service, by the names of the accounts.
set -eu
shopt -s nullglob
for file in "${CREDENTIALS_DIRECTORY:-/nonexistent}"/*; do
  if [ -s "$file" ]; then
    printf '%s:%s\n' "${file##*/}" "$(cat "$file")"
  fi
done | chpasswd --encrypted
