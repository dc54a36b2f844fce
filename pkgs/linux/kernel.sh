# Takes a Debian kernel apart.
#   packages       .deb files of one kernel version
#   deviceTrees    vendors whose device trees are kept
#   out            Image, config, version, dtbs/<vendor>/*.dtb
#   modules        a tar of usr/lib/modules/<version>, with the metadata that modprobe and udev need

for package in $packages; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --no-same-owner
done

versions=(usr/lib/modules/*/)
if [ "${#versions[@]}" != 1 ] || [ ! -d "${versions[0]}" ]; then
  echo "error: expected the modules of exactly one kernel in usr/lib/modules, found: ${versions[*]}" >&2
  exit 1
fi
tree=${versions[0]%/}
version=${tree##*/}

# Two layouts: up to 6.x the kernel is in /boot and the device trees are beside the modules' directory;
# from 7.x on all of it is in the modules' directory.
if [ -e "boot/vmlinuz-$version" ]; then
  image=boot/vmlinuz-$version config=boot/config-$version trees=usr/lib/linux-image-$version
elif [ -e "$tree/vmlinuz" ]; then
  image=$tree/vmlinuz config=$tree/config trees=$tree/dtb
else
  echo "error: no kernel in /boot or $tree. Is this package layout newer than the recipe?" >&2
  exit 1
fi

mkdir -p "$out/dtbs"
# The firmware and EFI take a plain image; a compressed one would not be seen as a kernel.
if [ "$(od -An -tx1 -j56 -N4 "$image" | tr -d ' ')" != 41524d64 ]; then
  echo "error: $image is not a plain arm64 kernel image" >&2
  exit 1
fi
cp "$image" "$out/Image"
cp "$config" "$out/config"
echo "$version" > "$out/version"
for vendor in $deviceTrees; do
  if [ ! -d "$trees/$vendor" ]; then
    echo "error: kernel $version has no device trees of '$vendor'. It has: $(ls "$trees" | tr '\n' ' ')" >&2
    exit 1
  fi
  cp -r "$trees/$vendor" "$out/dtbs/$vendor"
done

rm -rf "$tree"/{vmlinuz,config,dtb,System.map,build,source}
ln -s usr/lib lib
depmod -b . "$version"
tar -c --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --format=gnu -f "$modules" "$tree"
