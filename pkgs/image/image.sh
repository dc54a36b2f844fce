# Makes an SD card image: MBR, a FAT boot partition, an ext4 root partition.
#   bootSourcesPath, bootTextsPath   JSON objects: path on the boot partition → store path, or text
#   bootLabel, bootSize, bootSerial  size in MiB
#   rootArchive                      tar
#   rootLabel, rootSize, rootFree, rootUuid   size in MiB, or empty: as much as the files need and rootFree MiB
#   diskSignature                    8 hexadecimal digits
#   fileName                         of the image
#   rootManifest                     JSON lines, one for each path of the root
#   packagesPath                     JSON array of the packages
#   imageName                        of the system
#   out                              a directory: the image, manifest.json, image-report.json

mebibyte=1048576
fail() {
  echo "error: $1" >&2
  exit 1
}
phase() {
  echo "@nix {\"action\":\"setPhase\",\"phase\":\"$1\"}" >&2
  echo "$1"
}

phase "root file system"
mkdir input
# Files and links, rounded up to blocks, a block for the extended attributes of one, and for each path an inode and a
# share of a directory.
read -r paths content < <(jq -rn 'reduce inputs as $entry ([0, 0]; [.[0] + 1, .[1] + (((($entry.size // 0) + 4095) / 4096 | floor) + if $entry.xattrs then 1 else 0 end) * 4096]) | "\(.[0]) \(.[1])"' "$rootManifest")
if [ -n "$rootSize" ]; then
  rootBytes=$((rootSize * mebibyte))
  if [ "$content" -gt "$rootBytes" ]; then
    fail "the files of the root file system take $((content / mebibyte)) MiB, but the partition is only $rootSize MiB. Make it larger, or leave the size out."
  fi
else
  # 4 % for metadata and the reserve, 32 MiB for the journal.
  rootBytes=$((content + paths * 512 + content / 25 + (32 + rootFree) * mebibyte))
  rootBytes=$(((rootBytes + 4 * mebibyte - 1) / (4 * mebibyte) * 4 * mebibyte))
fi
truncate -s "$rootBytes" input/root.ext4
# Identifiers and the hash seed are given, the times come from SOURCE_DATE_EPOCH: nothing is left to chance.
mke2fs -q -F -t ext4 -b 4096 -m 1 -L "$rootLabel" -U "$rootUuid" -O ^metadata_csum_seed \
  -E "hash_seed=$rootUuid,root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,no_copy_xattrs" \
  -d "$rootArchive" input/root.ext4 ||
  fail "the root file system does not fit into $((rootBytes / mebibyte)) MiB. Make the partition larger, or leave its size out."
# Of a tar's extended attributes mke2fs takes only file capabilities, so all are set afterwards. No process for each.
# A command of debugfs is a line, so not all names can be in one.
jq -r 'select(.xattrs != null) | .path as $path | .xattrs | to_entries[] |
  if [.key, $path] | any(test("[\\x00-\\x1f\\x7f]")) then
    "error: the extended attribute \(.key | @json) of \($path | @json) cannot be set, as a control character is in one of these names. Rename it, or leave the attribute out.\n" | halt_error(1)
  else [.key, $path, (.value | gsub("(?<byte>..)"; "\\x\(.byte)"))] | join("\t") end' "$rootManifest" > attributes
if [ -s attributes ]; then
  mkdir values
  number=0
  while IFS=$'\t' read -r name path value; do
    number=$((number + 1))
    printf '%b' "$value" > "values/$number"
    # In its commands a quote within quotes is doubled.
    printf 'ea_set -f values/%s "%s" "%s"\n' "$number" "${path//\"/\"\"}" "${name//\"/\"\"}"
  done < attributes > commands
  # It ends well even if a command does not, and prints each before what it says of it.
  debugfs -w -f commands input/root.ext4 2>&1 | awk -F '\t' '
    FILENAME == ARGV[1] { attribute[FNR] = "\"" $1 "\" of \"" $2 "\""; next }
    sub(/^debugfs: ea_set -f values\//, "") { number = $0 + 0; next }
    number in attribute && NF {
      sub(/^ea_set: /, "")
      sub(/ while setting extended attribute$/, "")
      print "  " attribute[number] ": " $0
    }
  ' attributes - > messages
  if grep -q 'Could not allocate block' messages; then
    fail "the extended attributes of the root file system do not fit into $((rootBytes / mebibyte)) MiB. Make the partition larger, or leave its size out."
  fi
  [ ! -s messages ] || fail "extended attributes of the root file system cannot be set. All of a file have to fit into 4 KiB, and access control lists have to be well-formed. Shorten or mend them, or leave them out:
$(awk 'NR <= 8 { print } END { if (NR > 8) print "  and " NR - 8 " more" }' messages)"
fi

phase "boot partition"
mkdir boot
jq -r 'to_entries[] | "\(.value)\t\(.key)"' "$bootSourcesPath" > sources
while IFS=$'\t' read -r from to; do
  [ -f "$from" ] || fail "'$to' of the boot partition is to be '$from', which is not there"
  mkdir -p "boot/$(dirname "$to")"
  cp --no-preserve=mode "$from" "boot/$to"
done < sources
jq -r 'keys[]' "$bootTextsPath" > texts
while read -r to; do
  mkdir -p "boot/$(dirname "$to")"
  jq -j --arg to "$to" '.[$to]' "$bootTextsPath" > "boot/$to"
done < texts
bootContent=$(find boot -type f -printf '%s\n' | awk '{ sum += $1 + 4096 } END { print sum }')
# 1 MiB for the two allocation tables of the usual sizes.
if [ "$bootContent" -gt $(((bootSize - 1) * mebibyte)) ]; then
  fail "the files of the boot partition take $((bootContent / mebibyte)) MiB, but the partition is only $bootSize MiB. Make it larger."
fi
# genimage finds its inputs by flat names.
files=
number=0
while read -r path; do
  number=$((number + 1))
  ln "boot/$path" "input/boot-$number"
  files+="    file \"$path\" { image = \"boot-$number\" }"$'\n'
done < <(cd boot && find . -type f -printf '%P\n' | sort)

phase "disk"
cat > genimage.cfg <<END
image boot.vfat {
  vfat {
    label = "$bootLabel"
    extraargs = "-F 32 -s 1 --invariant -i $bootSerial"
$files  }
  size = ${bootSize}M
}
image $fileName {
  hdimage {
    partition-table-type = "mbr"
    disk-signature = 0x$diskSignature
  }
  partition boot {
    partition-type = 0xC
    bootable = true
    image = "boot.vfat"
    offset = 4M
  }
  partition root {
    partition-type = 0x83
    image = "root.ext4"
  }
}
END
mkdir empty temporary output
# FAT cannot say a time before 1980.
if ! SOURCE_DATE_EPOCH=315532800 genimage --config genimage.cfg --rootpath empty --inputpath input \
  --outputpath output --tmppath temporary > genimage.log 2>&1; then
  cat genimage.log >&2
  fail "genimage failed"
fi
mkdir "$out"
mv "output/$fileName" "$out/$fileName"

phase "manifest"
image=$out/$fileName
imageBytes=$(stat -c %s "$image")
imageHash=$(sha256sum < "$image" | cut -d' ' -f1)
# start and size of each partition, in sectors
sfdisk --json "$image" > table.json
(cd boot && find . -type f -printf '%P\t%s\n' | sort | while IFS=$'\t' read -r path size; do
  printf '%s\t%s\t%s\n' "$path" "$size" "$(sha256sum < "$path" | cut -d' ' -f1)"
done) > boot-files
jq -n --slurpfile table table.json --slurpfile packages "$packagesPath" --slurpfile root "$rootManifest" \
  --rawfile bootFiles boot-files --arg name "$imageName" --arg file "$fileName" --argjson bytes "$imageBytes" --arg hash "$imageHash" \
  --arg bootLabel "$bootLabel" --arg rootLabel "$rootLabel" --arg rootUuid "$rootUuid" --arg bootSerial "$bootSerial" '
  ($table[0].partitiontable) as $disk |
  {
    name: $name,
    image: { file: $file, size: $bytes, sha256: $hash },
    disk: {
      label: $disk.label,
      signature: $disk.id,
      partitions: [
        { label: $bootLabel, fileSystem: "vfat", volumeId: $bootSerial },
        { label: $rootLabel, fileSystem: "ext4", uuid: $rootUuid }
      ] | to_entries | map(.value + {
        type: $disk.partitions[.key].type,
        start: ($disk.partitions[.key].start * 512),
        size: ($disk.partitions[.key].size * 512)
      })
    },
    packages: $packages[0],
    boot: ($bootFiles | split("\n") | map(select(. != "") | split("\t") | { path: .[0], size: (.[1] | tonumber), sha256: .[2] })),
    root: $root
  }' > "$out/manifest.json"

# dumpe2fs says what is free after everything is in place.
dumpe2fs -h input/root.ext4 2> /dev/null > superblock
number() { sed -n "s/^$1: *//p" superblock; }
jq --argjson blocks "$(number 'Block count')" --argjson free "$(number 'Free blocks')" \
  --argjson inodes "$(number 'Inode count')" --argjson freeInodes "$(number 'Free inodes')" '
  def total: map(.size // 0) | add // 0;
  {
    name, image,
    partitions: .disk.partitions,
    boot: { files: (.boot | length), bytes: (.boot | total) },
    root: {
      paths: (.root | length),
      files: (.root | map(select(.type == "file")) | length),
      bytes: (.root | map(select(.type == "file")) | total),
      blocks: $blocks, freeBlocks: $free, blockSize: 4096, inodes: $inodes, freeInodes: $freeInodes
    },
    layers: (.root | map(select(.type == "file")) | group_by(.layer)
      | map({ layer: .[0].layer, files: length, bytes: total }) | sort_by(-.bytes, .layer)),
    directories: (.root | map(select(.type == "file")) | group_by(.path | split("/")[1:3] | join("/"))
      | map({ path: ("/" + (.[0].path | split("/")[1:3] | join("/"))), files: length, bytes: total }) | sort_by(-.bytes, .path)),
    largestFiles: (.root | map(select(.type == "file")) | sort_by(-.size, .path) | .[:25] | map({ path, bytes: .size, layer })),
    packages: (.packages | length)
  }' "$out/manifest.json" > "$out/image-report.json"
jq -r '"image: \(.image.size / 1048576 | floor) MiB, root: \(.root.files) files, \(.root.bytes / 1048576 | floor) MiB, \(.packages) packages"' "$out/image-report.json"
