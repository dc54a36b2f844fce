# Takes the root file system out of a disk image: see imported-tree.ts. Set by it: image, partition.
#   out          its files
#   inodes       a line for each: mode in octal, uid, gid, path, number, and of further names the first one of a file;
#                the root directory's path is empty
#   attributes   a line for each extended attribute: number of the inode, name, value in hexadecimal
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
  NF < 7 || $2 == 0 || $6 == ".." { next }
  $6 == "." { if (directory == "") print $3, $4, $5, "", $2; next }
  { print $3, $4, $5, (directory == "" ? "" : directory "/") $6, $2 }
' | sort -t "$(printf '\t')" -k4,4 | awk -F'\t' -v OFS='\t' '
  $1 !~ /^0?10....$/ { print $0, ""; next }
  { print $0, first[$5]; if (!($5 in first) || first[$5] == "") first[$5] = $4 }
' > "$inodes"
[ -s "$inodes" ] || fail "the file system is empty"
# What has no owner would not be in the result: names with tabs or line breaks, which these lists cannot hold.
cut -f4 "$inodes" | sort > listed
(cd "$out" && find . -mindepth 1 -printf '%P\n') | sort | comm -23 - listed > lost
[ ! -s lost ] || fail "these files cannot be taken over, for their names or because debugfs does not list them: $(head -n 5 lost | tr '\n' ' ')"

# Of a file with several names, debugfs made as many files.
awk -F'\t' '$6 != "" { print $4 }' "$inodes" > further
(cd "$out" && xargs -r -d '\n' rm --) < further
# debugfs leaves extended attributes behind, file capabilities such as ping's among them. system.data is the content of
# small files on file systems that keep it there.
cut -f5 "$inodes" | sort -un | sed 's/.*/ea_list <&>/' > commands
# It prints a name that is mostly ASCII with escapes, and any other one as bytes in hexadecimal.
debugfs -f commands "$disk" 2> /dev/null | LC_ALL=C awk -v OFS='\t' '
  function escaped(bytes,   name, i, byte) {
    for (i = 1; i < length(bytes); i += 3) {
      byte = strtonum("0x" substr(bytes, i, 2))
      name = name (byte == 34 || byte == 92 ? "\\" : "") sprintf(byte >= 32 && byte <= 126 ? "%c" : "\\%03o", byte)
    }
    return name
  }
  function unescaped(text,   name) {
    while (match(text, /\\([0-7][0-7][0-7]|.)/)) {
      name = name substr(text, 1, RSTART - 1) \
        (RLENGTH == 2 ? substr(text, RSTART + 1, 1) : sprintf("%c", strtonum("0" substr(text, RSTART + 1, 3))))
      text = substr(text, RSTART + RLENGTH)
    }
    return name text
  }
  sub(/^debugfs: ea_list </, "") { inode = $0 + 0; next }
  # Then come the length and the value, in quotes or in hexadecimal; quotes within either have a backslash before them.
  sub(/^  /, "") && match($0, / \([0-9]+\)( = "| = ([0-9a-f][0-9a-f] )+$|$)/) {
    text = substr($0, 1, RSTART - 1)
    if (text ~ /^([0-9a-f][0-9a-f] )+$/) text = escaped(text)
    name = unescaped(text)
    # Neither a command of debugfs nor the JSON of layers can hold others: control characters, and what is no UTF-8.
    usual = name ~ /^([ -~]|[\302-\337][\200-\277]|[\340-\357][\200-\277][\200-\277]|[\360-\364][\200-\277][\200-\277][\200-\277])+$/
    if (name != "system.data") print (usual ? "usual" : "unusual"), inode, (usual ? name : text)
  }
' > names
awk -F'\t' '
  NR == FNR { if ($1 == "unusual") names[$2] = names[$2] " " $3; next }
  $5 in names { print "extended attributes with such names are not taken over: /" $4 ":" names[$5] }
' names "$inodes"
grep '^usual' names | cut -f2,3 > usual || true
# The answers come in the order of the questions.
awk -F'\t' '{ gsub(/"/, "\"\"", $2); print "ea_get -x <" $1 "> \"" $2 "\"" }' usual > commands
debugfs -f commands "$disk" 2> /dev/null | awk '
  /^debugfs: ea_get -x </ { asked = 1; number++; next }
  asked && match($0, / \([0-9]+\)( = [0-9a-f ]+)?$/) {
    value = substr($0, RSTART)
    if (!sub(/.* = /, "", value)) value = ""
    gsub(/ /, "", value)
    print number "\t" value
    asked = 0
  }
' > values
awk -F'\t' -v OFS='\t' 'FILENAME == ARGV[1] { value[$1] = $2; next } FNR in value { print $0, value[FNR] }' values usual > "$attributes"
[ "$(wc -l < "$attributes")" -eq "$(wc -l < commands)" ] || fail "debugfs lists extended attributes that it does not give: $(head -n 5 commands | tr '\n' ',')"
echo "$(wc -l < further) further names of files, $(wc -l < "$attributes") extended attributes"
# Nothing on the machine needs them: /dev and /run are made at boot.
awk -F'\t' '$1 !~ /^0?(4|10|12)....$/ { print $4 }' "$inodes" > special
[ ! -s special ] || echo "devices, pipes and sockets are not taken over: $(head -n 20 special | tr '\n' ' ')"
