# Runs a command in a copy of sources, to judge them.
#   source       a directory
#   sourceCopy   functions for copies of sources
#   command      the command and its arguments, quoted for the shell
#   policy       required: a failure fails the build; warn: the user is told
#   out          "passed" or "failed": what depends on a check is built again only if this changes

. "$sourceCopy"
enterSourceCopy
useVendoredCrates
export CARGO_TARGET_DIR=$TMPDIR/target

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
