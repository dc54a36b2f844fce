# Runs a command in a copy of sources, to judge them.
#   source   a directory
#   command  the command and its arguments, quoted for the shell
#   policy   required: a failure fails the build; warn: it is written to the log
#   out      "passed" or "failed": what depends on a check is built again only if this changes

cp -r --no-preserve=mode,ownership "$source" sources
(cd "$source" && find . -type f -perm /111 -print0) | (cd sources && xargs -0 -r chmod +x)
cd sources
export CARGO_HOME=$TMPDIR/cargo CARGO_TARGET_DIR=$TMPDIR/target CARGO_NET_OFFLINE=true

status=0
eval "$command" || status=$?
if [ "$status" = 0 ]; then
  echo passed > "$out"
elif [ "$policy" = warn ]; then
  echo "warning: the check '$check' failed with exit code $status" >&2
  echo failed > "$out"
else
  echo "error: the check '$check' failed with exit code $status" >&2
  exit 1
fi
