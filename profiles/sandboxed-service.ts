/** [Service] directives of programs that need no privilege but their files. */
export const sandboxed = {
  NoNewPrivileges: true,
  ProtectSystem: "strict",
  ProtectHome: true,
  ProtectKernelTunables: true,
  ProtectKernelModules: true,
  ProtectControlGroups: true,
  PrivateTmp: true,
  RestrictNamespaces: true,
  RestrictSUIDSGID: true,
  LockPersonality: true,
  SystemCallArchitectures: "native",
} as const;
