/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > cross-rust 1`] = `
builtin:unpack-debian
builder=builtin:unpack-debian
builderVersion=1
links={"usr/bin/awk":"gawk"}
name=cross-rust
packages=<bash_2.0-rc1-3_amd64.deb> <coreutils_2.0-rc1-3_amd64.deb> <dash_2.0-rc1-3_amd64.deb> <diffutils_2.0-rc1-3_amd64.deb> <findutils_2.0-rc1-3_amd64.deb> <gawk_2.0-rc1-3_amd64.deb> <grep_2.0-rc1-3_amd64.deb> <gzip_2.0-rc1-3_amd64.deb> <libc-bin_2.0-rc1-3_amd64.deb> <sed_2.0-rc1-3_amd64.deb> <tar_2.0-rc1-3_amd64.deb> <xz-utils_2.0-rc1-3_amd64.deb> <cargo_2.0-rc1-3_amd64.deb> <gcc-aarch64-linux-gnu_2.0-rc1-3_amd64.deb> <jq_2.0-rc1-3_amd64.deb> <libc6-dev-arm64-cross_2.0-rc1-3_amd64.deb> <libstd-rust-1.85_2.0-rc1-3_amd64.deb> <rustc_2.0-rc1-3_amd64.deb> <libstd-rust-dev_2.0-rc1-3_arm64.deb>
system=builtin
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > helios-engine 1`] = `
/bin/bash
-euo
pipefail
<artifact.sh>
PATH=/usr/bin:/usr/sbin
binaries=helios-engine
builder=/bin/bash
cargoFlags=
environment=<cross-rust>
libraries=
name=helios-engine
package=
profile=release
rustFlags=
source=<backend>
sourceCopy=<source-copy.sh>
system=x86_64-linux
target=aarch64-unknown-linux-gnu
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > image-tools 1`] = `
builtin:unpack-debian
builder=builtin:unpack-debian
builderVersion=1
links={"usr/bin/awk":"gawk"}
name=image-tools
packages=<bash_2.0-rc1-3_amd64.deb> <coreutils_2.0-rc1-3_amd64.deb> <dash_2.0-rc1-3_amd64.deb> <diffutils_2.0-rc1-3_amd64.deb> <findutils_2.0-rc1-3_amd64.deb> <gawk_2.0-rc1-3_amd64.deb> <grep_2.0-rc1-3_amd64.deb> <gzip_2.0-rc1-3_amd64.deb> <libc-bin_2.0-rc1-3_amd64.deb> <sed_2.0-rc1-3_amd64.deb> <tar_2.0-rc1-3_amd64.deb> <xz-utils_2.0-rc1-3_amd64.deb> <binutils-aarch64-linux-gnu_2.0-rc1-3_amd64.deb> <cpio_2.0-rc1-3_amd64.deb> <device-tree-compiler_2.0-rc1-3_amd64.deb> <dosfstools_2.0-rc1-3_amd64.deb> <dpkg_2.0-rc1-3_amd64.deb> <e2fsprogs_2.0-rc1-3_amd64.deb> <fdisk_2.0-rc1-3_amd64.deb> <genimage_2.0-rc1-3_amd64.deb> <jq_2.0-rc1-3_amd64.deb> <kmod_2.0-rc1-3_amd64.deb> <libarchive13t64_2.0-rc1-3_amd64.deb> <mtools_2.0-rc1-3_amd64.deb> <squashfs-tools_2.0-rc1-3_amd64.deb> <systemd_2.0-rc1-3_amd64.deb> <udev_2.0-rc1-3_amd64.deb>
system=builtin
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > systemd-bootaa64.efi 1`] = `
/bin/bash
-euo
pipefail
-c
dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/lib/systemd/boot/efi/systemd-bootaa64.efi > "$out"
PATH=/usr/bin:/usr/sbin
builder=/bin/bash
environment=<image-tools>
name=systemd-bootaa64.efi
package=<systemd-boot-efi_2.0-rc1-3_arm64.deb>
system=x86_64-linux
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-base-sysusers 1`] = `
/bin/bash
-euo
pipefail
-c
mkdir "$out"
tar -x --no-same-owner -C "$out" --wildcards --transform='s,.*/,,' -f "$archive" './usr/lib/sysusers.d/*.conf'
PATH=/usr/bin:/usr/sbin
archive=<test-base.tar>
builder=/bin/bash
environment=<image-tools>
name=test-base-sysusers
system=x86_64-linux
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-base.tar 1`] = `
builtin:merge-archives
builder=builtin:merge-archives
builderVersion=2
layers=[{"name":"base-files","kind":"deb","path":"<base-files_2.0-rc1-3_arm64.deb>","exclude":["usr/include","usr/lib/aarch64-linux-gnu/*.a","usr/share/bash-completion","usr/share/bug","usr/share/doc","usr/share/doc-base","usr/share/info","usr/share/lintian","usr/share/locale","usr/share/man","usr/share/zsh","etc/init.d","etc/rc?.d"]},{"name":"gawk","kind":"deb","path":"<gawk_2.0-rc1-3_arm64.deb>","exclude":["usr/include","usr/lib/aarch64-linux-gnu/*.a","usr/share/bash-completion","usr/share/bug","usr/share/doc","usr/share/doc-base","usr/share/info","usr/share/lintian","usr/share/locale","usr/share/man","usr/share/zsh","etc/init.d","etc/rc?.d"]},{"name":"libpam-systemd","kind":"deb","path":"<libpam-systemd_2.0-rc1-3_arm64.deb>","exclude":["usr/include","usr/lib/aarch64-linux-gnu/*.a","usr/share/bash-completion","usr/share/bug","usr/share/doc","usr/share/doc-base","usr/share/info","usr/share/lintian","usr/share/locale","usr/share/man","usr/share/zsh","etc/init.d","etc/rc?.d"]},{"name":"openssh-server","kind":"deb","path":"<openssh-server_2.0-rc1-3_arm64.deb>","exclude":["usr/include","usr/lib/aarch64-linux-gnu/*.a","usr/share/bash-completion","usr/share/bug","usr/share/doc","usr/share/doc-base","usr/share/info","usr/share/lintian","usr/share/locale","usr/share/man","usr/share/zsh","etc/init.d","etc/rc?.d"]},{"name":"systemd","kind":"deb","path":"<systemd_2.0-rc1-3_arm64.deb>","exclude":["usr/include","usr/lib/aarch64-linux-gnu/*.a","usr/share/bash-completion","usr/share/bug","usr/share/doc","usr/share/doc-base","usr/share/info","usr/share/lintian","usr/share/locale","usr/share/man","usr/share/zsh","etc/init.d","etc/rc?.d"]}]
name=test-base.tar
outputs=out manifest
system=builtin
outputs: out manifest
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-image 1`] = `
/bin/bash
-euo
pipefail
<image.sh>
PATH=/usr/bin:/usr/sbin
bootLabel=BOOT
bootSerial=ceced968
bootSize=128
bootSources={"EFI/BOOT/BOOTAA64.EFI":"<systemd-bootaa64.efi>","Image":"<test-linux>/Image","bcm2712-rpi-5-b.dtb":"<test-linux>/dtbs/broadcom/bcm2712-rpi-5-b.dtb","initrd.gz":"<test-initrd>"}
bootTexts={"cmdline.txt":"root=LABEL=ACTIVE rw console=ttyAMA0\\n","config.txt":"arm_64bit=1\\n\\n[all]\\nkernel=Image\\ninitramfs initrd.gz followkernel\\n","extlinux/extlinux.conf":"default helios\\ntimeout 1\\nlabel helios\\n  menu label Test 1\\n  kernel /Image\\n  initrd /initrd.gz\\n  append root=LABEL=ACTIVE rw console=ttyAMA0\\n","loader/entries/helios.conf":"title Test 1\\nlinux /Image\\ninitrd /initrd.gz\\noptions root=LABEL=ACTIVE rw console=ttyAMA0\\n","loader/loader.conf":"default helios.conf\\ntimeout 0\\neditor no\\n"}
builder=/bin/bash
diskSignature=352e38fa
environment=<image-tools>
fileName=test-sdcard.img
imageName=test
libraryCheck=<test-rootfs-library-check>
name=test-image
packages=[{"name":"base-files","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"busybox-static","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"gawk","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"libpam-systemd","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"linux-image-6.12.1-arm64","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"openssh-server","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"systemd-boot-efi","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"},{"name":"systemd","version":"1:2.0~rc1-3","architecture":"arm64","sha256":"abababababababababababababababababababababababababababababababab"}]
passAsFile=bootSources bootTexts packages
rootArchive=<test-rootfs.tar>
rootFree=256
rootLabel=ACTIVE
rootManifest=<test-rootfs.tar!manifest>
rootSize=
rootUuid=438b28e2-9790-85f6-b5f1-c0049752fe03
system=x86_64-linux
unitCheck=<test-rootfs-unit-check>
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-initrd 1`] = `
/bin/bash
-euo
pipefail
<initrd.sh>
PATH=/usr/bin:/usr/sbin
builder=/bin/bash
busybox=<busybox-static_2.0-rc1-3_arm64.deb>
environment=<image-tools>
init=<init>
kernel=<test-linux>
modules=<test-linux!modules>
name=test-initrd
optional=nvme
required=virtio_blk ext4
system=x86_64-linux
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-linux 1`] = `
/bin/bash
-euo
pipefail
<kernel.sh>
PATH=/usr/bin:/usr/sbin
builder=/bin/bash
deviceTrees=broadcom
environment=<image-tools>
name=test-linux
outputs=out modules
packages=<linux-image-6.12.1-arm64_2.0-rc1-3_arm64.deb>
system=x86_64-linux
outputs: out modules
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-rootfs-accounts 1`] = `
/bin/bash
-euo
pipefail
<accounts.sh>
PATH=/usr/bin:/usr/sbin
builder=/bin/bash
environment=<image-tools>
existing=
further=
groups=root:0
ada:1000

members=video:ada

name=test-rootfs-accounts
passAsFile=further users groups members
system=x86_64-linux
sysusers=<test-base-sysusers>
users=root:0:root:root:/root:/bin/bash:!*
ada:1000:ada::/home/ada:/bin/bash:!*

outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-rootfs-library-check 1`] = `
/bin/bash
-euo
pipefail
<library-check.sh>
PATH=/usr/bin:/usr/sbin
archives=<test-base.tar>
builder=/bin/bash
environment=<image-tools>
links=
name=test-rootfs-library-check
passAsFile=programs links
programs=<helios-engine>/bin/helios-engine	usr/bin/helios-engine

system=x86_64-linux
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-rootfs-unit-check 1`] = `
/bin/bash
-euo
pipefail
<unit-check.sh>
PATH=/usr/bin:/usr/sbin
archive=<test-rootfs.tar>
builder=/bin/bash
environment=<image-tools>
name=test-rootfs-unit-check
system=x86_64-linux
units=
outputs: out
`

exports[`tests/pkgs/recipes.test.ts > TAP > the derivations of a system are what they were > test-rootfs.tar 1`] = `
builtin:merge-archives
builder=builtin:merge-archives
builderVersion=2
layers=[{"name":"test-base","kind":"tar","path":"<test-base.tar>","manifest":"<test-base.tar!manifest>"},{"name":"linux-modules","kind":"tar","path":"<test-linux!modules>"},{"name":"accounts","kind":"entries","entries":[{"path":"/etc/passwd","type":"file","mode":"0644","source":"<test-rootfs-accounts>/passwd"},{"path":"/etc/group","type":"file","mode":"0644","source":"<test-rootfs-accounts>/group"},{"path":"/etc/shadow","type":"file","mode":"0640","gid":42,"source":"<test-rootfs-accounts>/shadow"},{"path":"/etc/gshadow","type":"file","mode":"0640","gid":42,"source":"<test-rootfs-accounts>/gshadow"},{"path":"/home/ada","type":"directory","mode":"0700","uid":1000,"gid":1000}]},{"name":"defaults","kind":"entries","entries":[{"path":"/etc/hostname","type":"file","content":"tester\\n","mode":"0644"},{"path":"/etc/hosts","type":"file","content":"127.0.0.1\\tlocalhost\\n127.0.1.1\\ttester\\n::1\\tlocalhost ip6-localhost ip6-loopback\\nff02::1\\tip6-allnodes\\nff02::2\\tip6-allrouters\\n","mode":"0644"},{"path":"/etc/localtime","type":"symlink","target":"../usr/share/zoneinfo/Etc/UTC"},{"path":"/etc/locale.conf","type":"file","content":"LANG=C.UTF-8\\n","mode":"0644"},{"path":"/etc/default/locale","type":"symlink","target":"../locale.conf"},{"path":"/etc/fstab","type":"file","content":"LABEL=ACTIVE\\t/\\text4\\trw,noatime\\t0\\t1\\n","mode":"0644"},{"path":"/etc/nsswitch.conf","type":"file","content":"passwd: files\\ngroup: files\\nshadow: files\\ngshadow: files\\nhosts: files dns\\nnetworks: files\\nprotocols: files\\nservices: files\\nethers: files\\nrpc: files\\n","mode":"0644"},{"path":"/etc/resolv.conf","type":"symlink","target":"../run/resolv.conf"},{"path":"/etc/pam.d/common-account","type":"file","content":"account\\t[success=1 new_authtok_reqd=done default=ignore]\\tpam_unix.so\\naccount\\trequisite\\tpam_deny.so\\naccount\\trequired\\tpam_permit.so\\n","mode":"0644"},{"path":"/etc/pam.d/common-auth","type":"file","content":"auth\\t[success=1 default=ignore]\\tpam_unix.so nullok\\nauth\\trequisite\\tpam_deny.so\\nauth\\trequired\\tpam_permit.so\\n","mode":"0644"},{"path":"/etc/pam.d/common-password","type":"file","content":"password\\t[success=1 default=ignore]\\tpam_unix.so obscure yescrypt\\npassword\\trequisite\\tpam_deny.so\\npassword\\trequired\\tpam_permit.so\\n","mode":"0644"},{"path":"/etc/pam.d/common-session","type":"file","content":"session\\t[default=1]\\tpam_permit.so\\nsession\\trequisite\\tpam_deny.so\\nsession\\trequired\\tpam_permit.so\\nsession\\toptional\\tpam_umask.so\\nsession\\trequired\\tpam_unix.so\\nsession\\toptional\\tpam_systemd.so\\n","mode":"0644"},{"path":"/etc/pam.d/common-session-noninteractive","type":"file","content":"session\\t[default=1]\\tpam_permit.so\\nsession\\trequisite\\tpam_deny.so\\nsession\\trequired\\tpam_permit.so\\nsession\\toptional\\tpam_umask.so\\nsession\\trequired\\tpam_unix.so\\n","mode":"0644"},{"path":"/usr/bin/awk","type":"symlink","target":"gawk"},{"path":"/usr/bin/nawk","type":"symlink","target":"gawk"},{"path":"/etc/opt","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/media","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/mnt","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/opt","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/srv","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/var/opt","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/bin","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/etc","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/games","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/include","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/lib","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/libexec","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/sbin","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/share","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/usr/local/src","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/var/mail","type":"directory","mode":"2775","uid":0,"gid":8},{"path":"/var/spool/mail","type":"symlink","target":"../mail"},{"path":"/etc/ssh/sshd_config.d","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/var/log/journal","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/etc/profile","type":"file","content":"# Read by login shells.\\nif [ \\"$(id -u)\\" -eq 0 ]; then\\n  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\\nelse\\n  PATH=/usr/local/bin:/usr/bin\\nfi\\nexport PATH\\nif [ \\"\${PS1-}\\" ]; then\\n  if [ \\"$(id -u)\\" -eq 0 ]; then PS1='# '; else PS1='$ '; fi\\n  if [ \\"\${BASH-}\\" ] && [ \\"$BASH\\" != /bin/sh ] && [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi\\nfi\\nfor script in /etc/profile.d/*.sh; do\\n  if [ -r \\"$script\\" ]; then . \\"$script\\"; fi\\ndone\\nunset script\\n","mode":"0644"},{"path":"/etc/environment","type":"file","content":"","mode":"0644"},{"path":"/etc/shells","type":"file","content":"/bin/sh\\n/usr/bin/sh\\n/bin/bash\\n/usr/bin/bash\\n/bin/dash\\n/usr/bin/dash\\n","mode":"0644"},{"path":"/boot","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/dev","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/home","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/proc","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/root","type":"directory","mode":"0700","uid":0,"gid":0},{"path":"/run","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/sys","type":"directory","mode":"0755","uid":0,"gid":0},{"path":"/tmp","type":"directory","mode":"1777","uid":0,"gid":0},{"path":"/var/tmp","type":"directory","mode":"1777","uid":0,"gid":0},{"path":"/etc/mtab","type":"symlink","target":"../proc/self/mounts"},{"path":"/etc/machine-id","type":"file","content":"","mode":"0644"},{"path":"/etc/.updated","type":"file","content":"","mode":"0644"},{"path":"/var/.updated","type":"file","content":"","mode":"0644"},{"path":"/etc/systemd/system/default.target","type":"symlink","target":"/usr/lib/systemd/system/multi-user.target"},{"path":"/etc/systemd/system/getty.target.wants/getty@tty1.service","type":"symlink","target":"/usr/lib/systemd/system/getty@.service"},{"path":"/etc/systemd/system/multi-user.target.wants/remote-fs.target","type":"symlink","target":"/usr/lib/systemd/system/remote-fs.target"},{"path":"/etc/systemd/system/ldconfig.service","type":"symlink","target":"/dev/null"},{"path":"/etc/ssh/sshd_config","type":"file","content":"# Settings come from the drop-ins; of several the first one counts.\\nInclude /etc/ssh/sshd_config.d/*.conf\\nHostKey /etc/ssh/ssh_host_ed25519_key\\nKbdInteractiveAuthentication no\\nUsePAM yes\\nPrintMotd no\\nAcceptEnv LANG LC_*\\nSubsystem sftp /usr/lib/openssh/sftp-server\\n","mode":"0644"},{"path":"/etc/systemd/system/sshd-keygen.service.d/10-host-key.conf","type":"file","content":"[Unit]\\nConditionFirstBoot=\\nConditionFileNotEmpty=!/etc/ssh/ssh_host_ed25519_key\\n\\n[Service]\\nExecStart=\\nExecStart=/usr/bin/rm -f /etc/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_ed25519_key.pub\\nExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N \\"\\" -f /etc/ssh/ssh_host_ed25519_key\\n","mode":"0644"},{"path":"/etc/systemd/system/ssh.service.wants/sshd-keygen.service","type":"symlink","target":"/usr/lib/systemd/system/sshd-keygen.service"}]},{"name":"stage","kind":"entries","entries":[{"path":"/etc/motd","type":"file","content":"hello\\n","mode":"0644"},{"path":"/var/lib/test","type":"directory","mode":"0750","uid":1000,"gid":1000},{"path":"/usr/bin/helios-engine","type":"file","mode":"0755","source":"<helios-engine>/bin/helios-engine"}]}]
name=test-rootfs.tar
outputs=out manifest
system=builtin
outputs: out manifest
`
