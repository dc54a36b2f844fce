# The directory that ./result leads to: see result.ts. Set by it: linked, resolvedPath, artifactsPath.
mkdir -p "$out/artifacts"
# Relative, so that the links hold wherever the store lies.
for directory in $linked; do
  for file in "$directory"/*; do
    ln -s "../${directory##*/}/${file##*/}" "$out/${file##*/}"
  done
done
cp "$resolvedPath" "$out/resolved.toml"

jq -r '.[] | [.id, .path] | @tsv' "$artifactsPath" > paths
while IFS=$'\t' read -r id path; do
  if [ -d "$path" ]; then
    printf '%s\tdir\n' "$id"
  elif [ -f "$path" ]; then
    printf '%s\tfile\t%s\t%s\n' "$id" "$(stat -Lc %s "$path")" "$(sha256sum < "$path" | cut -d' ' -f1)"
  else
    echo "error: the artifact '$id' is to be $path, which is not there" >&2
    exit 1
  fi
done < paths > facts

# A record of each, and of what was built here also the hash of what it was built from: in this order.
jq -r '.[] | "\(.id).json", (select(.fingerprint != null) | "\(.id).state.json")' "$artifactsPath" > names
jq --rawfile facts facts '
  ($facts | split("\n") | map(split("\t") | select(length > 1) | { key: .[0], value: .[1:] }) | from_entries) as $facts |
  .[] | $facts[.id] as $fact |
  { id, producer, kind: $fact[0], path }
    + (if $fact[0] == "file" then { size: ($fact[1] | tonumber), sha256: $fact[2] } else {} end)
    + { installed },
  (select(.fingerprint != null) | { id, producer, fingerprint, output: .path })
' "$artifactsPath" > documents
# Each document starts with a brace of its own line.
awk -v directory="$out/artifacts" '
  NR == FNR { name[NR] = $0; next }
  /^\{/ { file = directory "/" name[++count] }
  { print > file }
  /^\}/ { close(file) }
' names documents
