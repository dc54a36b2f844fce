# Compiles Java sources and packs them into one archive, the same bits each time.
#   source               a directory
#   sourceCopy           functions for copies of sources
#   release              version of Java that the classes are for
#   sourceDirectories    lines: directories with .java files, relative to the sources
#   resourceDirectories  lines: directories whose content goes into the archive
#   classPath            lines: archives to compile against
#   mainClass            class to start, or empty
#   command, result      a command instead of all this, and the file that it makes; or empty
#   out                  the archive

export LC_ALL=C.UTF-8 JAVA_TOOL_OPTIONS=-XX:-UsePerfData
. "$sourceCopy"
enterSourceCopy

# Paths with blanks, for files of arguments of javac and jar.
quoted() {
  sed 's/[\\"]/\\&/g; s/.*/"&"/'
}

# repack ARCHIVE: to $out, the manifest first, as readers of streams want it, and the rest sorted, with one time for
# all. jar itself takes the time of the clock and the order of the file system.
repack() {
  mkdir "$TMPDIR/unpacked"
  cd "$TMPDIR/unpacked"
  jar --extract --file "$1"
  {
    if [ -f META-INF/MANIFEST.MF ]; then echo META-INF/MANIFEST.MF; fi
    find . -type f -printf '%P\n' | sort | grep -vxF META-INF/MANIFEST.MF || true
  } | quoted > "$TMPDIR/entries"
  jar --create --no-manifest --date=1980-01-01T00:00:02Z --file "$out" "@$TMPDIR/entries"
}

if [ -n "$command" ]; then
  eval "$command"
  requireResult file "$result"
  case "$result" in
    *.jar | *.war) repack "$PWD/$result" ;;
    *) cp -T "$result" "$out" ;;
  esac
  exit 0
fi

printf '%s' "$sourceDirectories" | while read -r directory; do
  find "$directory" -type f -name '*.java'
done | sort -u > "$TMPDIR/java-files"
if [ ! -s "$TMPDIR/java-files" ]; then
  echo "error: there are no .java files in: $(printf '%s' "$sourceDirectories" | tr '\n' ' ')" >&2
  exit 1
fi
path=$(printf '%s' "$classPath" | paste -sd :)
quoted < "$TMPDIR/java-files" > "$TMPDIR/arguments"
javac --release "$release" -encoding UTF-8 -proc:none -g:source,lines -Xlint:-options ${path:+-classpath "$path"} \
  -d "$TMPDIR/classes" "@$TMPDIR/arguments"
printf '%s' "$resourceDirectories" | while read -r directory; do
  cp -r --no-preserve=mode "$directory/." "$TMPDIR/classes"
done
manifest=$TMPDIR/classes/META-INF/MANIFEST.MF
if [ -f "$manifest" ]; then
  mv "$manifest" "$TMPDIR/manifest"
fi
jar --create --file "$TMPDIR/made.jar" ${mainClass:+--main-class "$mainClass"} \
  $([ ! -f "$TMPDIR/manifest" ] || echo "--manifest $TMPDIR/manifest") -C "$TMPDIR/classes" .
repack "$TMPDIR/made.jar"
