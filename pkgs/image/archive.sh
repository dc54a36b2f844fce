# Packs an image: see archive.ts. Set by it: image, fileName, content, compression, archive.
unpacked() {
  case $content in
    image) cat "$image/$fileName" ;;
    tar-of-image) pack "$fileName" ;;
    tar-of-all) pack . ;;
  esac
}
# Neither order nor owners nor times of this store.
pack() {
  tar -c --format=gnu --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$image" "$1"
}
# With several threads, blocks are cut at places that do not depend on how many there are.
threads=${NIX_BUILD_CORES:-1}
if [ "$threads" -le 1 ]; then
  threads=+1
fi
compressed() {
  case $compression in
    none) cat ;;
    gzip) gzip -n ;;
    # A better ratio would take as long as all the rest.
    xz) xz -2 -T"$threads" ;;
    zstd) zstd -q -T"${NIX_BUILD_CORES:-1}" ;;
  esac
}

mkdir "$out"
unpacked | compressed > "$out/$archive"
(cd "$out" && sha256sum "$archive" > "$archive.sha256")
stat -c "%n: %s bytes" "$out/$archive"
