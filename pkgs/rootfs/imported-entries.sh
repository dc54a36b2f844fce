# Files and the owners and modes of theirs as entries of a layer: see imported-tree.ts. Set by it: tree, inodes, attributes.
# A link's target, which has no line of its own in the list of inodes.
(cd "$tree" && find . -type l -printf '%P\t%l\n') > links
jq -Rn --arg tree "$tree" --rawfile links links --rawfile attributes "$attributes" '
  ($links | split("\n") | map(split("\t") | select(length == 2) | { key: .[0], value: .[1] }) | from_entries) as $targets |
  (reduce ($attributes | split("\n")[] | split("\t") | select(length == 3)) as [$inode, $name, $value]
    ({}; .[$inode][$name] = $value)) as $xattrs |
  [
    inputs | split("\t") | .[3] as $path | (.[0] | ltrimstr("0")) as $mode |
    if .[5] != "" then { path: "/\($path)", type: "hardlink", target: "/\(.[5])" } else
    { path: "/\($path)", uid: (.[1] | tonumber), gid: (.[2] | tonumber) } +
    ($xattrs[.[4]] | if . == null then {} else { xattrs: . } end) +
    # The last four digits are permissions; those before say what it is.
    (($mode | .[:-4]) as $kind | ($mode | .[-4:]) as $permissions |
      if $kind == "4" then { type: "directory", mode: $permissions }
      elif $kind == "10" then { type: "file", mode: $permissions, source: "\($tree)/\($path)" }
      elif $kind == "12" then { type: "symlink", target: $targets[$path] }
      else empty end) end |
    select(.path != "/lost+found" and (.path | startswith("/lost+found/") | not))
  ]' "$inodes" > "$out"
