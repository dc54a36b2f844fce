# Says what is at the top of a directory, as entries of a layer: see imported-tree.ts. Set by it: tree.
if [ ! -d "$tree" ]; then
  echo "error: $tree is not a directory" >&2
  exit 1
fi
# What was lost on the way to the store is not to be seen any more, but which programs are of no use without it is known.
(cd "$tree/" && find . -regextype posix-extended -type f -regex '.*/(ping|su|sudo|passwd|chsh|chfn|newgrp|gpasswd|mount|umount|pkexec|fusermount3|newuidmap|newgidmap|mtr-packet|arping|dumpcap|unix_chkpwd|dbus-daemon-launch-helper|polkit-agent-helper-1|ssh-keysign)' \
  -perm -100 -printf '%P\n') | sort > privileged
if [ -s privileged ]; then
  echo "of a directory neither set-user-id bits nor file capabilities are kept, which these programs want (rootfs_tar keeps them): $(tr '\n' ' ' < privileged)"
fi
# A line for each: type, name, and of a link its target. Names with line breaks are none that a root file system has.
find "$tree/" -mindepth 1 -maxdepth 1 -printf '%y\t%P\t%l\n' | sort > top
jq -Rn --arg tree "$tree" '[
  inputs | split("\t") |
  { path: "/\(.[1])" } + (
    if .[0] == "d" then { type: "directory", source: "\($tree)/\(.[1])" }
    elif .[0] == "l" then { type: "symlink", target: .[2] }
    else { type: "file", source: "\($tree)/\(.[1])" } end
  )
]' top > "$out"
