# Takes the root file system out of a disk image: see imported-tree.ts. Set by it: image, partition.
#   out      its files
#   inodes   a line for each: mode in octal, uid, gid, path
fail() {
  echo "error: $1" >&2
  exit 1
}
# bytes OFFSET COUNT: hexadecimal.
bytes() { od -An -tx1 -j"$1" -N"$2" "$image" | tr -d ' \n'; }
# The magic number of the ext family is in its superblock, which starts at 1024.
isExt() { [ "$(bytes $(($1 + 1080)) 2)" = 53ef ]; }
contents() {
  if isExt "$1"; then
    echo ext
  elif [ "$(bytes "$1" 4)" = 68737173 ]; then
    echo squashfs
  else
    echo "no ext file system"
  fi
}

[ -f "$image" ] || fail "$image is not a file"
if isExt 0; then
  offset=0
else
  sfdisk --json "$image" > table.json 2> messages || fail "the image is neither an ext file system nor a disk with a partition table"
  # number, start and size in bytes, largest first
  jq -r '.partitiontable | (.sectorsize // 512) as $sector | .partitions | to_entries
    | map([.key + 1, .value.start * $sector, .value.size * $sector]) | sort_by(-.[2])[] | @tsv' table.json > partitions
  offset=
  while IFS=$'\t' read -r number start _; do
    found=$(contents "$start")
    echo "partition $number: $found"
    if [ -n "$partition" ] && [ "$partition" != "$number" ]; then
      continue
    fi
    if [ "$found" = ext ]; then
      offset=$start
      echo "taken: partition $number"
      break
    fi
  done < partitions
  if [ -z "$offset" ]; then
    fail "only file systems of the ext family can be taken out of an image, and ${partition:+partition $partition of }this one has none. Unpack it yourself, and give rootfs_tar"
  fi
fi

disk="$image?offset=$offset"
mkdir "$out"
# It cannot give files to others here, and says so of each: owners are read below.
debugfs -R "rdump / $out" "$disk" > /dev/null 2> messages || { cat messages >&2; fail "debugfs cannot read the file system"; }
rm -rf "$out/lost+found"
# In its commands a quote within quotes is doubled.
(cd "$out" && find . -type d -printf '%P\n') | sort | sed 's/"/""/g; s,.*,ls -p "/&",' > commands
# Prints each command, and then a line for each entry: /inode/mode/uid/gid/name/size/
debugfs -f commands "$disk" 2> /dev/null | awk -F/ -v OFS='\t' '
  sub(/^debugfs: +ls -p "\//, "") { directory = substr($0, 1, length($0) - 1); gsub(/""/, "\"", directory); next }
  NF >= 7 && $6 != "." && $6 != ".." && $2 != 0 { print $3, $4, $5, (directory == "" ? "" : directory "/") $6 }
' | sort -t "$(printf '\t')" -k4 > "$inodes"
[ -s "$inodes" ] || fail "the file system is empty"
# What has no owner would not be in the result: names with tabs or line breaks, which these lists cannot hold.
cut -f4 "$inodes" | sort > listed
(cd "$out" && find . -mindepth 1 -printf '%P\n') | sort | comm -23 - listed > lost
[ ! -s lost ] || fail "these files cannot be taken over, for their names or because debugfs does not list them: $(head -n 5 lost | tr '\n' ' ')"
