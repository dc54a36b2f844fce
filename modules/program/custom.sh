# Runs a command in a copy of sources and keeps what it makes.
#   source   a directory
#   command  the command and its arguments, quoted for the shell
#   result   what to keep, relative to the sources
#   kind     file or dir
#   nodeModules  packages of the npm registry that the command finds as node_modules, or not set
#   out      the file or directory

cp -r --no-preserve=mode,ownership "$source" sources
(cd "$source" && find . -type f -perm /111 -print0) | (cd sources && xargs -0 -r chmod +x)
cd sources
export CARGO_HOME=$TMPDIR/cargo CARGO_NET_OFFLINE=true
if [ -f Cargo.lock ] && [ -d vendor ]; then
  mkdir -p "$CARGO_HOME"
  printf '[source.crates-io]\nreplace-with = "vendored-sources"\n[source.vendored-sources]\ndirectory = "%s/vendor"\n' "$PWD" > "$CARGO_HOME/config.toml"
fi
if [ -n "${nodeModules-}" ]; then
  # In a workspace of ones own they may lie about, for another platform.
  rm -rf node_modules
  ln -s "$nodeModules" node_modules
  export PATH="$PWD/node_modules/.bin:$PATH"
fi
eval "$command"
case "$kind" in
  file) made() { [ -f "$result" ]; } ;;
  dir) made() { [ -d "$result" ]; } ;;
esac
if ! made; then
  echo "error: the command did not make the $kind '$result'. There is: $(ls -A "$(dirname "$result")" 2> /dev/null | tr '\n' ' ')" >&2
  exit 1
fi
cp -rT "$result" "$out"
