# Makes an initial RAM disk.
#   kernel, modules    the kernel's directory and its modules as a tar
#   busybox            .deb file of the static busybox
#   init               the program that the kernel starts
#   required           modules that must exist; their dependencies come along
#   optional           modules that are taken when this kernel has them
#   out                a gzip-compressed cpio archive

version=$(cat "$kernel/version")
mkdir -p kernel disk/{bin,dev,modules,proc,root,sys}
tar -x --no-same-owner -f "$modules" -C kernel
ln -s usr/lib kernel/lib

dpkg-deb --fsys-tarfile "$busybox" | tar -xO ./usr/bin/busybox > disk/bin/busybox
chmod 0755 disk/bin/busybox
ln -s busybox disk/bin/sh
cp "$init" disk/init
chmod 0755 disk/init

wanted=()
for module in $required; do
  wanted+=("$module")
done
for module in $optional; do
  if modprobe -d kernel -S "$version" --show-depends "$module" > /dev/null 2>&1; then
    wanted+=("$module")
  else
    echo "kernel $version has no module '$module'"
  fi
done

# Dependencies before what needs them, each once; `builtin` lines need no file.
: > disk/modules/order
declare -A seen
for module in "${wanted[@]}"; do
  if ! lines=$(modprobe -d kernel -S "$version" --show-depends "$module" 2>&1); then
    echo "error: kernel $version has no module '$module', which the initial RAM disk needs ($lines)" >&2
    exit 1
  fi
  while read -r kind file _; do
    if [ "$kind" != insmod ] || [ -n "${seen[$file]:-}" ]; then continue; fi
    seen[$file]=1
    base=${file##*/}
    # busybox's insmod reads no compressed modules; the whole disk is compressed anyway.
    case $base in
      *.ko.xz) base=${base%.xz}; xz -dc "$file" > "disk/modules/$base" ;;
      *.ko) cp "$file" "disk/modules/$base" ;;
      *) echo "error: cannot unpack module $file: only xz is known" >&2; exit 1 ;;
    esac
    echo "$base" >> disk/modules/order
  done <<< "$lines"
done
echo "modules: $(tr '\n' ' ' < disk/modules/order)"

find disk -exec touch -h -d @1 {} +
cd disk
find . -print0 | sort -z | cpio --quiet --null -o -H newc --reproducible -R 0:0 | gzip -9n > "$out"
