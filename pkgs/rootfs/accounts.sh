# Writes passwd, group, shadow and gshadow.
#   sysusers       directory of the packages' sysusers.d files
#   furtherPath    more lines of sysusers.d(5)
#   usersPath      declared users, name:uid:group:description:home:shell:password
#   groupsPath     declared groups, name:gid
#   membersPath    further memberships, group:user
#   existing       directory of account files to complete, or empty
#   out            a directory with the four files

root=$PWD/root
mkdir -p "$root/etc" "$root/usr/lib/sysusers.d"
# A tree from elsewhere may have none.
find "$sysusers/" -name '*.conf' -exec cp -t "$root/usr/lib/sysusers.d" {} +
cp "$furtherPath" "$root/usr/lib/sysusers.d/zz-maintainer-scripts.conf"

fail() {
  echo "error: $1" >&2
  exit 1
}

# The declared groups first: they are the seed that systemd-sysusers completes. A primary group may be one of the
# packages', so the users' gids are filled in afterwards; until then the uid stands there to keep it from others.
awk -F: '{ print $1 ":x:" $2 ":" }' "$groupsPath" > "$root/etc/group"
awk -F: '{ print $1 ":!*::" }' "$groupsPath" > "$root/etc/gshadow"
awk -F: '{ print $1 ":x:" $2 ":" $2 ":" $4 ":" $5 ":" $6 }' "$usersPath" > "$root/etc/passwd"
# 1 day after the epoch: 0 would ask for a new password at the first login.
awk -F: '{ print $1 ":" $7 ":1:0:99999:7:::" }' "$usersPath" > "$root/etc/shadow"

# What a tree from elsewhere brings, unless it is declared here.
if [ -n "$existing" ]; then
  for file in group passwd; do
    if [ -f "$existing/$file" ]; then
      awk -F: -v file="$file" '
        FILENAME == ARGV[1] { declared[$1] = $3; next }
        $1 in declared && declared[$1] != $3 {
          printf "%s: %s has the id %s now, and had %s in the tree, whose files keep that\n", file, $1, declared[$1], $3
        }' "$root/etc/$file" "$existing/$file"
    fi
  done
  for file in group gshadow passwd shadow; do
    if [ -f "$existing/$file" ]; then
      awk -F: 'FILENAME == ARGV[1] { known[$1] = 1; next } NF > 1 && !($1 in known)' \
        "$root/etc/$file" "$existing/$file" > more
      cat more >> "$root/etc/$file"
    fi
  done
fi

systemd-sysusers --root="$root" > sysusers.log 2>&1 || { cat sysusers.log; exit 1; }
# Where a tree has the id, the package gets another one.
awk -F: -v existing="$existing" '
  FILENAME != "sysusers.log" { declared[$2] = 1; next }
  !/already used|already exists|[Cc]onflict|Failed/ { next }
  { print }
  existing == "" || !match($0, / ID [0-9]+ for .* already used/) { exit 1 }
  { split(substr($0, RSTART + 1), words, " "); if (words[2] in declared) exit 1 }
' "$usersPath" "$groupsPath" sysusers.log ||
  fail "a declared user or group takes a name or an id that a package needs; choose another (1000 or above)"

# Accounts of a tree may share ids among themselves, as toor does root's, and those of the network have none.
for file in passwd group; do
  kind=${file/passwd/user}
  declared=$groupsPath
  [ "$file" = group ] || declared=$usersPath
  awk -F: -v existing="$existing" '
    FILENAME == ARGV[1] { if ($1 != "root") declared[$1] = 1; next }
    { ours = existing == "" || $1 in declared }
    ++lines[$1] == 2 { print (ours ? "ours" : "theirs") "\tname\t" $1 }
    $3 != "" {
      names[$3] = names[$3] (shared[$3]++ ? ", " : "") $1
      if (ours) mine[$3] = 1
    }
    END { for (id in names) if (shared[id] > 1) print (id in mine ? "ours" : "theirs") "\tid\t" id " (" names[id] ")" }
  ' "$declared" "$root/etc/$file" | sort > doubled
  for what in name id; do
    ours=$(sed -n "s/^ours\t$what\t//p" doubled)
    theirs=$(sed -n "s/^theirs\t$what\t//p" doubled)
    [ -z "$theirs" ] || echo "$file: in the tree, several ${kind}s have the $what ${theirs//$'\n'/, }"
    remedy=
    if [ -n "$existing" ] && [ "$what" = id ]; then
      remedy=". What a tree brings keeps its id: declare another one for yours (users.${kind}s.NAME.${kind:0:1}id)"
    fi
    [ -z "$ours" ] || fail "several ${kind}s have the $what ${ours//$'\n'/, }$remedy"
  done
done

# Primary groups.
awk -F: -v OFS=: '
  FILENAME == ARGV[1] { gid[$1] = $3; next }
  FILENAME == ARGV[2] { primary[$1] = $3; next }
  $1 in primary {
    if (!(primary[$1] in gid)) {
      print "error: the primary group of user \x27" $1 "\x27 is \x27" primary[$1] "\x27, which does not exist" > "/dev/stderr"
      exit 1
    }
    $4 = gid[primary[$1]]
  }
  { print }
' "$root/etc/group" "$usersPath" "$root/etc/passwd" > passwd

# Further memberships.
addMembers() {
  awk -F: -v OFS=: -v existing="$root/etc/group" '
    FILENAME == ARGV[1] { members[$1] = members[$1] (members[$1] == "" ? "" : ",") $2; next }
    $1 in members { $NF = $NF ($NF == "" ? "" : ",") members[$1] }
    { print }
  ' "$membersPath" "$1"
}
while IFS=: read -r group user; do
  grep -q "^$group:" "$root/etc/group" || fail "user '$user' is to be in the group '$group', which does not exist"
  grep -q "^$user:" passwd || fail "the group '$group' is to have the member '$user', who does not exist"
done < "$membersPath"

mkdir "$out"
cp passwd "$out/passwd"
addMembers "$root/etc/group" > "$out/group"
cp "$root/etc/shadow" "$out/shadow"
addMembers "$root/etc/gshadow" > "$out/gshadow"
