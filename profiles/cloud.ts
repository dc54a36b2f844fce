import { join } from "node:path";
import { defineModule, mkAfter, mkDefault } from "#lib/evaluator/index.ts";
import minimal from "./minimal.ts";

const program = "/usr/libexec/cloud-keys";
const keys = "/run/ssh/authorized_keys.d";

/**
 * A virtual machine somewhere else: found by DHCP, seen on a serial console,
 * entered by keys only. Who may enter, and by what name it goes, it is told
 * when it starts, by credentials of systemd that the hypervisor hands over
 * (SMBIOS, EFI, a container manager), so one image serves everybody and has
 * nobody's key in it:
 *
 * - `ssh.authorized_keys.admin`: public keys of the operator;
 * - `ssh.authorized_keys.root`: of root, which systemd itself puts in place;
 * - `passwd.hashed-password.admin`: for the serial console, if wanted.
 */
export default defineModule({
  name: "profiles/cloud",
  imports: [minimal],
  config: {
    build: { name: mkDefault("cloud") },
    buildroot: { starting_point: { packages: { install: ["ca-certificates", "sudo", "systemd-timesyncd"] } } },
    boot: {
      // The last console is the one that systemd and its messages use.
      kernelParams: mkAfter(["console=ttyAMA0,115200"]),
      initrd: {
        optionalModules: ["nvme", "sd_mod", "virtio_scsi", "virtio_net", "xen_blkfront", "hv_storvsc"],
      },
    },
    networking: { interfaces: { wired: { match: ["en*", "eth*"], dhcp: "yes" } } },
    users: {
      users: {
        admin: {
          description: "Operator",
          extraGroups: ["adm", "sudo", "systemd-journal"],
          hashedPasswordFrom: { file: "passwd.hashed-password.admin" },
        },
      },
    },
    services: {
      openssh: {
        enable: true,
        passwordAuthentication: false,
        authorizedKeysFiles: [".ssh/authorized_keys", "/etc/ssh/authorized_keys.d/%u", `${keys}/%u`],
      },
      units: {
        "cloud-keys.service": {
          unit: {
            Description: "Keys that this machine was given",
            Before: ["ssh.service", "systemd-user-sessions.service"],
          },
          service: {
            Type: "oneshot",
            RemainAfterExit: true,
            ExecStart: program,
            ImportCredential: "ssh.authorized_keys.*",
            ProtectSystem: "strict",
            ReadWritePaths: "/run",
            ProtectHome: true,
            PrivateTmp: true,
            NoNewPrivileges: true,
          },
          wantedBy: ["multi-user.target"],
        },
        "serial-getty@ttyAMA0.service": { vendor: true, wantedBy: ["getty.target"] },
        "systemd-timesyncd.service": { vendor: true, wantedBy: ["sysinit.target"] },
      },
    },
    stage: {
      files: [
        { dst: program, src: join(import.meta.dirname, "cloud/keys.sh"), mode: "0755" },
        {
          dst: "/etc/sudoers.d/10-cloud",
          content: "# Keys are all that the operator has.\nadmin ALL=(ALL:ALL) NOPASSWD: ALL\n",
          mode: "0440",
        },
      ],
    },
    tests: {
      boot: [
        { type: "unit-active", unit: "cloud-keys.service" },
        { type: "unit-active", unit: "account-passwords.service" },
        {
          description: "keys that the machine is given let their owners in, and nobody else",
          command: [
            `mkdir -p /run/credstore`,
            `echo 'ssh-ed25519 AAAAtest given' > /run/credstore/ssh.authorized_keys.admin`,
            `systemctl restart cloud-keys.service`,
            `cat ${keys}/admin`,
            `stat -c '%a %U' ${keys}/admin`,
            `sshd -T -C user=admin | grep ^authorizedkeysfile`,
          ].join(" && "),
          expect: {
            stdout: {
              matches: `^ssh-ed25519 AAAAtest given\\n644 root\\nauthorizedkeysfile .*${keys}/%u`,
            },
          },
        },
        {
          description: "a password that the machine is given opens the account",
          command: [
            `echo '$y$j9T$test$test' > /run/credstore/passwd.hashed-password.admin`,
            `systemctl restart account-passwords.service`,
            `getent shadow admin | cut -d: -f2`,
          ].join(" && "),
          expect: { stdout: { equals: "$y$j9T$test$test\n" } },
        },
      ],
    },
  },
});
