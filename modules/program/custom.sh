# Runs a command in a copy of sources and keeps what it makes.
#   source       a directory
#   sourceCopy   functions for copies of sources
#   command      the command and its arguments, quoted for the shell
#   result       what to keep, relative to the sources
#   kind         file or dir
#   nodeModules  packages of the npm registry that the command finds as node_modules, or not set
#   out          the file or directory

. "$sourceCopy"
enterSourceCopy
useVendoredCrates
if [ -n "${nodeModules-}" ]; then
  # In a workspace of ones own they may lie about, for another platform.
  rm -rf node_modules
  ln -s "$nodeModules" node_modules
  export PATH="$PWD/node_modules/.bin:$PATH"
fi
eval "$command"
requireResult "$kind" "$result"
cp -rT "$result" "$out"
