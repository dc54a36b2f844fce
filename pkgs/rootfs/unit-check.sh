# Checks what a root file system tells systemd, with systemd's own programs, which read it as the target will.
#   archive   the root file system, a plain tar
#   units     names of the units to check
#   out       what was checked
# Also checked: all of /etc/sysusers.d and /etc/tmpfiles.d.

# Names of units may have backslashes, and are no patterns.
set -f

mkdir tree
tar -x --no-same-owner --no-same-permissions -f "$archive" -C tree \
  --exclude=usr/lib/modules --exclude=./usr/lib/modules --exclude=usr/share --exclude=./usr/share

refuse() {
  echo "systemd refuses $1 of this system:"
  sed 's,/build/tree,,' messages
  exit 1
}

# An unknown directive is only a warning there: systemd would start the unit without it. Here it is an error.
if [ -n "$units" ]; then
  status=0
  systemd-analyze verify --root=tree --man=no --recursive-errors=no $units 2> messages || status=$?
  own=$(grep -F 'tree/etc/systemd/' messages || true)
  if [ "$status" -ne 0 ] || [ -n "$own" ]; then
    refuse units
  fi
fi

# The configuration files of a kind, one a line; none where there is no such directory.
configuration() {
  if [ -d "tree/etc/$1" ]; then
    find "/build/tree/etc/$1" -name '*.conf' | sort
  fi
}

# Accounts are made in this copy, as at the first boot: tmpfiles.d may name them.
files=$(configuration sysusers.d)
if [ -n "$files" ]; then
  systemd-sysusers --root=/build/tree $files > messages 2>&1 || refuse "accounts in /etc/sysusers.d"
fi
files=$(configuration tmpfiles.d)
if [ -n "$files" ]; then
  systemd-tmpfiles --dry-run --create --remove --clean --boot --root=/build/tree $files > messages 2>&1 ||
    refuse "lines of /etc/tmpfiles.d"
fi
printf '%s\n' $units > "$out"
