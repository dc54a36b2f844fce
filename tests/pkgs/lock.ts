import type { PackageLock } from "#pkgs/environments.ts";
import type { EnvironmentRequest, LockedPackage } from "#lib/flake/lock.ts";

/** A lock that answers every request with just the packages that it names, and remembers what was asked. */
export function inventedLock(): PackageLock & { readonly asked: EnvironmentRequest[] } {
  const asked: EnvironmentRequest[] = [];
  return {
    asked,
    packages(request) {
      asked.push(request);
      const architecture = request.architectures[0] ?? "amd64";
      const names = request.name.endsWith("linux") ? ["linux-image-6.12.1-arm64", "kmod"] : request.packages;
      return names.map((argument) => inventedPackage(argument.replace(/[:/=].*/, ""), architecture));
    },
  };
}

function inventedPackage(name: string, architecture: "amd64" | "arm64"): LockedPackage {
  return {
    name,
    version: "1:2.0~rc1-3",
    architecture,
    path: `pool/main/x/${name}/${name}_2.0~rc1-3_${architecture}.deb`,
    size: 1000,
    sha256: "ab".repeat(32),
  };
}
