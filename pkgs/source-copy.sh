# For scripts that build in a copy of their sources: . "$sourceCopy"

# A writable copy of $source, where the script then is. What was executable stays so; other modes are the store's.
enterSourceCopy() {
  cp -r --no-preserve=mode,ownership "$source" sources
  (cd "$source" && find . -type f -perm /111 -print0) | (cd sources && xargs -0 -r chmod +x)
  cd sources
}

# Cargo without network: crates only from the `vendor` folder of the workspace, which is here.
useVendoredCrates() {
  export CARGO_HOME=$TMPDIR/cargo CARGO_NET_OFFLINE=true
  mkdir -p "$CARGO_HOME"
  if [ -f Cargo.lock ] && [ -d vendor ]; then
    printf '[source.crates-io]\nreplace-with = "vendored-sources"\n[source.vendored-sources]\ndirectory = "%s/vendor"\n' "$PWD" > "$CARGO_HOME/config.toml"
  fi
}

# requireResult FILE|DIR PATH: what a command should have made.
requireResult() {
  case "$1" in
    file) [ -f "$2" ] && return ;;
    dir) [ -d "$2" ] && return ;;
  esac
  echo "error: the command did not make the $1 '$2'. There is: $(ls -A "$(dirname "$2")" 2> /dev/null | tr '\n' ' ')" >&2
  exit 1
}
