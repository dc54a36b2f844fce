# Runs a command in a copy of sources, to judge them.
#   source   a directory
#   command  the command and its arguments, quoted for the shell
#   policy   required: a failure fails the build; warn: the user is told
#   out      "passed" or "failed": what depends on a check is built again only if this changes

cp -r --no-preserve=mode,ownership "$source" sources
(cd "$source" && find . -type f -perm /111 -print0) | (cd sources && xargs -0 -r chmod +x)
cd sources
export CARGO_HOME=$TMPDIR/cargo CARGO_TARGET_DIR=$TMPDIR/target CARGO_NET_OFFLINE=true
mkdir -p "$CARGO_HOME"
if [ -f Cargo.lock ] && [ -d vendor ]; then
  printf '[source.crates-io]\nreplace-with = "vendored-sources"\n[source.vendored-sources]\ndirectory = "%s/vendor"\n' "$PWD" > "$CARGO_HOME/config.toml"
fi

status=0
eval "$command" || status=$?
if [ "$status" = 0 ]; then
  echo passed > "$out"
elif [ "$policy" = warn ]; then
  # Nix's form of a message that is for the user, and not only for the log.
  echo "@nix {\"action\":\"msg\",\"level\":1,\"msg\":\"the check '$check' failed with exit code $status, which the policy 'warn' lets pass\"}" >&2
  echo failed > "$out"
else
  echo "error: the check '$check' failed with exit code $status" >&2
  exit 1
fi
