# Checks that the programs and libraries of a root file system find their libraries in it.
#   archives     tars, plain
#   programs     lines "store path<TAB>path in the root" of further files and trees
#   links        lines "path in the root<TAB>target" of links to libraries
#   out          the number of files checked, the libraries they need, and what packages leave optional

mkdir tree
for archive in $archives; do
  # Modules, firmware and data hold no programs. --no-same-permissions: every directory must stay writable.
  tar -x --no-same-owner --no-same-permissions -f "$archive" -C tree \
    --exclude=./usr/lib/modules --exclude=./usr/lib/firmware --exclude=./usr/share
done
while IFS=$'\t' read -r from to; do
  [ -n "$from" ] || continue
  mkdir -p "tree/$(dirname "$to")"
  cp -r --no-preserve=mode -T "$from" "tree/$to"
done < "$programsPath"
cut -f2 "$programsPath" > programs
while IFS=$'\t' read -r link target; do
  mkdir -p "tree/$(dirname "$link")"
  ln -sfn "$target" "tree/$link"
done < "$linksPath"

# One line for each fact: file, kind, value. readelf complains about files that are no ELF files and goes on;
# it prints the names of files only if there are several, hence /dev/null.
cd tree
find . -type f -size +63c -print0 |
  { xargs -0 aarch64-linux-gnu-readelf --wide --file-header --dynamic /dev/null 2> /dev/null || true; } |
  awk '
    /^File: / { file = substr($0, 9); next }
    /^  Machine: / { sub(/^ *Machine: */, ""); print file "\tmachine\t" $0; next }
    / \(NEEDED\) / { gsub(/.*\[|\].*/, ""); print file "\tneeded\t" $0; next }
    / \((RUNPATH|RPATH)\) / { gsub(/.*\[|\].*/, ""); print file "\tpath\t" $0; next }
  ' > ../facts
find . \( -type f -o -type l \) \( -name '*.so' -o -name '*.so.*' \) -printf '%P\n' > ../libraries
cd ..

awk -F'\t' '
  function directory(path) { return match(path, /\/[^\/]*$/) ? substr(path, 1, RSTART - 1) : "" }
  # Whether a directory of programs has a library of this name anywhere below: its launcher loads it first, as java does.
  function below(name, top,    i, count, list) {
    if (top == "usr/lib/aarch64-linux-gnu" || top == "usr/lib" || top == "usr/local/lib") return 0
    count = split(places[name], list, "\n")
    for (i = 1; i <= count; i++) if (index(list[i], top "/") == 1) return 1
    return 0
  }
  function resolves(name, from,    list, count, i, place) {
    if (("usr/lib/aarch64-linux-gnu/" name) in library || ("usr/lib/" name) in library || ("usr/local/lib/" name) in library) return 1
    count = split(path[from], list, ":")
    for (i = 1; i <= count; i++) {
      place = list[i]
      gsub(/\$\{ORIGIN\}|\$ORIGIN/, "/" directory(from), place)
      # Segments like x/../y, which $ORIGIN makes.
      while (sub(/\/[^\/]+\/\.\./, "", place));
      sub(/^\/+/, "", place); sub(/\/+$/, "", place); sub(/^lib\//, "usr/lib/", place)
      if ((place "/" name) in library) return 1
    }
    # A plugin beside the library, or one whose loader has already loaded it from a directory of its own.
    return (directory(from) "/" name) in library || below(name, directory(from))
  }
  function stem(path) { sub(/.*\//, "", path); sub(/\.so.*/, "", path); return path }
  # A plugin that a package may leave without its library, which the package only recommends: nothing needs the plugin,
  # and nothing finds it but what loads it by itself, if it can. Modules of PAM must load, and so must what is ours.
  function optional(from,    top, i) {
    top = directory(from)
    if (from !~ /\.so(\.|$)/ || stem(from) in wanted || top ~ /\/security$/) return 0
    if (top == "usr/lib/aarch64-linux-gnu" || top == "usr/lib" || top == "usr/local/lib") return 0
    for (i in ours) if (from == i || index(from, i "/") == 1) return 0
    return 1
  }
  FILENAME == ARGV[1] { library[$1] = 1; base = $1; sub(/.*\//, "", base); places[base] = places[base] $1 "\n"; next }
  FILENAME == ARGV[2] { ours[$1] = 1; next }
  $2 == "machine" { checked++; if ($3 != "AArch64") wrong[$1] = $3 }
  $2 == "path" { path[$1] = $3 }
  $2 == "needed" { needs[++n] = $1; name[n] = $3; wanted[stem($3)] = 1 }
  END {
    for (file in wrong) { print "error: /" file " is made for " wrong[file] ", not for AArch64" > "/dev/stderr"; failed = 1 }
    for (i = 1; i <= n; i++) {
      if (needs[i] in wrong || resolves(name[i], needs[i])) { if (!(name[i] in seen)) { seen[name[i]] = 1; distinct++ } continue }
      if (optional(needs[i])) {
        print "left out: /" needs[i] ", which nothing needs, would need the library " name[i]
        continue
      }
      print "error: /" needs[i] " needs the library " name[i] ", which no package, program or file provides" > "/dev/stderr"
      failed = 1
    }
    if (failed) {
      print "Add the package that ships the library to the starting point, or remove what needs it." > "/dev/stderr"
      exit 1
    }
    print checked " programs and libraries need " distinct + 0 " libraries; all are there"
  }
' libraries programs facts > report
cat report
cp report "$out"
