# Unpacks npm packages into a tree as npm would, without running anything of theirs.
#   packagesPath   lines: tarball, place in the tree
#   programsPath   lines: name, file in the tree
#   out            a directory with node_modules

mkdir -p "$out/node_modules"
while IFS=$'\t' read -r tarball place; do
  mkdir -p "$out/$place"
  # The directory in a tarball is called package, mostly.
  tar -xzf "$tarball" --strip-components=1 --no-same-owner --mode=u+w -C "$out/$place"
done < "$packagesPath"
while IFS=$'\t' read -r name file; do
  # A package may name a file that it does not ship; npm passes over it.
  [ -f "$out/$file" ] || continue
  mkdir -p "$out/node_modules/.bin"
  chmod +x "$out/$file"
  ln -s "../${file#node_modules/}" "$out/node_modules/.bin/$name"
done < "$programsPath"
