# Builds programs and libraries of one Cargo package for the target, without network.
#   source       the workspace, with Cargo.lock; crates only from its own `vendor` folder
#   sourceCopy   functions for copies of sources
#   package      name of the package, or empty for the workspace's only one
#   target       Rust's name of the target
#   profile      Cargo profile
#   cargoFlags   further arguments of cargo build
#   rustFlags    further flags of the compiler
#   binaries     programs to keep, of `out/bin`
#   libraries    dynamic libraries to keep, of `out/lib`
#   out          a directory

. "$sourceCopy"
enterSourceCopy
if [ ! -f Cargo.lock ]; then
  echo "error: the workspace has no Cargo.lock. Run 'cargo generate-lockfile' and keep the file with the sources." >&2
  exit 1
fi
if grep -q '^source = ' Cargo.lock && [ ! -d vendor ]; then
  echo "error: the workspace depends on crates, and there is no network here. Run 'cargo vendor' and keep the 'vendor' folder with the sources." >&2
  exit 1
fi

useVendoredCrates
export CARGO_TARGET_DIR=$TMPDIR/target CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
# No path of this build may end up in a program: neither in debug information nor in messages of panics.
export RUSTFLAGS="--remap-path-prefix=$PWD=/source --remap-path-prefix=$CARGO_HOME=/cargo -C linker=aarch64-linux-gnu-gcc -C link-arg=-Wl,--build-id=none $rustFlags"
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar

cargo build --offline --locked --target "$target" --profile "$profile" ${package:+--package "$package"} $cargoFlags

# The profile called dev goes to a folder called debug.
built=$CARGO_TARGET_DIR/$target/${profile/#dev/debug}
take() {
  if [ ! -f "$built/$1" ]; then
    echo "error: the build made no '$1'. It made: $(cd "$built" && find . -maxdepth 1 -type f ! -name '*.d' ! -name '.*' -printf '%f ')" >&2
    exit 1
  fi
  mkdir -p "$out/$2"
  aarch64-linux-gnu-strip --strip-unneeded -o "$out/$2/$1" "$built/$1"
  chmod "$3" "$out/$2/$1"
}
for name in $binaries; do take "$name" bin 0755; done
for name in $libraries; do
  file=lib${name//-/_}.so
  take "$file" lib 0644
done
