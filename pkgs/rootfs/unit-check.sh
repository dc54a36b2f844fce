# Checks what a root file system tells systemd, with systemd's own programs, which read it as the target will.
#   archive   the root file system, a plain tar
#   units     names of the units to check
#   out       what was checked
# Also checked: all of /etc/sysusers.d, /etc/tmpfiles.d, /etc/udev/rules.d, /etc/modprobe.d, and of /etc/systemd/network
# the .network and .netdev files.

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

# configuration DIRECTORY SUFFIX: its files, one a line; none where there is no such directory.
configuration() {
  if [ -d "tree/etc/$1" ]; then
    find "/build/tree/etc/$1" -type f -name "*.$2" | sort
  fi
}

# Accounts are made in this copy, as at the first boot: tmpfiles.d may name them.
files=$(configuration sysusers.d conf)
if [ -n "$files" ]; then
  systemd-sysusers --root=/build/tree $files > messages 2>&1 || refuse "accounts in /etc/sysusers.d"
fi
files=$(configuration tmpfiles.d conf)
if [ -n "$files" ]; then
  systemd-tmpfiles --dry-run --create --remove --clean --boot --root=/build/tree $files > messages 2>&1 ||
    refuse "lines of /etc/tmpfiles.d"
fi
# Warnings too: udev would ignore a part of the rule. Names of owners are those of this tree, not of this machine.
files=$(configuration udev/rules.d rules)
if [ -n "$files" ]; then
  udevadm verify --resolve-names=never --no-style $files > messages 2>&1 || refuse "rules of /etc/udev/rules.d"
  if grep -E '^/build/tree/etc/.*:[0-9]+ ' messages; then
    refuse "rules of /etc/udev/rules.d"
  fi
fi
# kmod passes over a line that it does not understand, and says so.
if [ -d tree/etc/modprobe.d ]; then
  modprobe --config tree/etc/modprobe.d --showconfig > /dev/null 2> messages || refuse "lines of /etc/modprobe.d"
  if grep -q . messages; then
    refuse "lines of /etc/modprobe.d"
  fi
fi
# systemd-networkd cannot only check, so it is started, in the sandbox's network of nothing but a loopback interface,
# until it has read its files. What it warns of is what it passes over on the target.
if [ -n "$(configuration systemd/network network)$(configuration systemd/network netdev)" ]; then
  mkdir -p /run/systemd/netif
  : > networkd.log
  cp -r tree/etc/systemd/network /run/systemd/network
  SYSTEMD_LOG_TARGET=console-prefixed SYSTEMD_LOG_LEVEL=debug /usr/lib/systemd/systemd-networkd 2> networkd.log &
  networkd=$!
  tenths=3000
  until grep -q '^<7>Loaded[.]$\|^<31>Loaded[.]$' networkd.log; do
    tenths=$((tenths - 1))
    if [ "$tenths" -eq 0 ] || ! kill -0 "$networkd" 2> /dev/null; then
      echo "systemd-networkd, which was to check /etc/systemd/network, did not start, or not within five minutes:"
      tail -n 20 networkd.log
      exit 1
    fi
    sleep 0.1
  done
  kill "$networkd"
  wait "$networkd" || true
  # Here /run is a link to /tmp.
  sed 's,/\(run\|tmp\)/systemd/network/,/etc/systemd/network/,g' networkd.log > messages
  for file in $(configuration systemd/network network); do
    if ! grep -q -F "/etc/systemd/network/${file##*/}" messages; then
      echo "systemd-networkd, which was to check ${file#/build/tree}, did not read it."
      exit 1
    fi
  done
  # Keys are on the target alone.
  grep -E '^<(2[4-8]|[0-4])>.*/etc/systemd/network/' messages | grep -v 'Failed to read .* key' |
    sed 's,^<[0-9]*>,,' > warnings || true
  if [ -s warnings ]; then
    mv warnings messages
    refuse "files of /etc/systemd/network"
  fi
fi
printf '%s\n' $units > "$out"
