# Splits a Cargo workspace: for each package a tree with the crates that its build needs, and nothing else.
#   source     the workspace
#   packages   names of packages, one for each output
#   extra      files and directories of the workspace that go into every tree
#   crate_*    outputs, named after the packages with `_` for `-`
#
# Cargo wants to see every member of a workspace. Members that a package does not need are there as their manifest
# with empty source files, so what they contain does not matter.

export CARGO_HOME=$TMPDIR/cargo CARGO_TERM_COLOR=never
cargo metadata --no-deps --offline --format-version 1 --manifest-path "$source/Cargo.toml" > metadata.json

# Lines: package, what to do, path relative to the workspace, path relative to that one.
jq -r --arg root "$source" --arg wanted "$packages" '
  def relative: if . == $root then "." else ltrimstr($root + "/") end;
  def inside($outer): . != $outer and ($outer == "." or startswith($outer + "/"));
  [.packages[] | {
    name,
    directory: (.manifest_path | rtrimstr("/Cargo.toml") | relative),
    files: [.targets[].src_path | relative],
    needs: [.dependencies[] | select(.path != null and .kind != "dev") | .path | relative]
  }] as $members
  | ($members | map({key: .directory, value: .}) | from_entries) as $byDirectory
  | def closure: . as $found
      | ($found + [$found[] | $byDirectory[.].needs // [] | .[]] | unique) as $more
      | if $more == $found then $found else $more | closure end;
  ($wanted | split(" ")[]) as $name
  | [$members[] | select(.name == $name) | .directory] as $own
  | if $own == [] then error("the workspace has no package \($name). It has: \([$members[].name] | join(", "))") else . end
  | ($own | closure) as $needed
  | ($needed[] as $directory
      | ([$name, "copy", $directory, "."] | join("\t")),
        # A member inside of another one is a crate of its own.
        ($members[].directory | select(inside($directory))
          | [$name, "except", $directory, (if $directory == "." then . else ltrimstr($directory + "/") end)] | join("\t"))),
    ($members[] | select(.directory as $directory | $needed | index([$directory]) | not)
      | ([$name, "manifest", .directory, "."] | join("\t")), (.files[] | [$name, "empty", ., "."] | join("\t")))
' metadata.json > plan

# planned PACKAGE WHAT [DIRECTORY]: the paths
planned() {
  awk -F '\t' -v package="$1" -v what="$2" -v directory="${3-}" \
    '$1 == package && $2 == what && (directory == "" || $3 == directory) { print directory == "" ? $3 : "./" $4 }' plan
}
# copy FROM TO [ARGUMENT OF TAR...]: a directory's content
copy() {
  mkdir -p "$2"
  tar -C "$1" --anchored --no-wildcards --exclude=./target --exclude=./.git "${@:3}" --mode=u+w -c . | tar -C "$2" -x
}

for package in $packages; do
  output=crate_${package//-/_}
  tree=${!output}
  mkdir "$tree"
  planned "$package" copy > directories
  while read -r directory; do
    planned "$package" except "$directory" > inner
    copy "$source/$directory" "$tree/$directory" --exclude-from=inner
  done < directories
  for path in Cargo.toml Cargo.lock .cargo vendor rust-toolchain rust-toolchain.toml $extra; do
    if [ -d "$source/$path" ]; then
      copy "$source/$path" "$tree/$path"
    elif [ -e "$source/$path" ]; then
      mkdir -p "$tree/$(dirname "$path")"
      cp --no-preserve=mode "$source/$path" "$tree/$path"
    fi
  done
  planned "$package" manifest > directories
  while read -r directory; do
    mkdir -p "$tree/$directory"
    cp --no-preserve=mode "$source/$directory/Cargo.toml" "$tree/$directory/Cargo.toml"
  done < directories
  planned "$package" empty > files
  while read -r file; do
    mkdir -p "$tree/$(dirname "$file")"
    : > "$tree/$file"
  done < files
done
