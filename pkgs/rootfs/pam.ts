import { type Entry, file } from "./entry.ts";

/**
 * `/etc/pam.d/common-*`, which services include and Debian's pam-auth-update
 * would write on the machine: passwords of `/etc/shadow`, and sessions known to
 * logind where its module is there. Without these files nobody can log in.
 */
export function pamEntries(has: (packageName: string) => boolean): readonly Entry[] {
  // The number says how many of the following modules to jump over: the denial.
  const primary = (kind: string, control: string, module: string) => [
    [kind, control, module],
    [kind, "requisite", "pam_deny.so"],
    [kind, "required", "pam_permit.so"],
  ];
  const session = [
    ...primary("session", "[default=1]", "pam_permit.so"),
    ["session", "optional", "pam_umask.so"],
    ["session", "required", "pam_unix.so"],
  ];
  const logind = has("libpam-systemd") ? [["session", "optional", "pam_systemd.so"]] : [];
  return [
    pamFile("common-account", primary("account", "[success=1 new_authtok_reqd=done default=ignore]", "pam_unix.so")),
    pamFile("common-auth", primary("auth", "[success=1 default=ignore]", "pam_unix.so nullok")),
    pamFile("common-password", primary("password", "[success=1 default=ignore]", "pam_unix.so obscure yescrypt")),
    pamFile("common-session", [...session, ...logind]),
    pamFile("common-session-noninteractive", session),
  ];
}

function pamFile(name: string, rules: readonly (readonly string[])[]): Entry {
  return file(`/etc/pam.d/${name}`, rules.map((rule) => `${rule.join("\t")}\n`).join(""));
}
