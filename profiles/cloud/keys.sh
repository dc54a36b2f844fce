#!/bin/bash
# Puts the keys that are credentials of this service where the ssh server looks for them, by the names of the accounts.
set -eu
shopt -s nullglob
directory=/run/ssh/authorized_keys.d
rm -rf "$directory"
mkdir -p "$directory"
for file in "${CREDENTIALS_DIRECTORY:-/nonexistent}"/ssh.authorized_keys.*; do
  name=${file##*/ssh.authorized_keys.}
  # Only of accounts that there are, and never outside of the directory.
  if getent passwd -- "$name" > /dev/null; then
    install -m 0644 "$file" "$directory/$name"
  fi
done
