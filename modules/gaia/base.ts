/** What a tree says of its base and its board, as options of a base that is made of packages. */
import { readdirSync, readlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { defineModule, mkDefault, mkOverride, type Module } from "#lib/evaluator/index.ts";
import { expand, withoutSuffix } from "../archive.ts";
import type { AccountValues, TableAccounts } from "./accounts.ts";
import { debianPackagesFor } from "./debian-packages.ts";
import { mergedPath } from "../image-path.ts";
import { lookUp } from "./staged.ts";
import { modeOf, readText, unreadable } from "../local-files/local-file.ts";
import { type GaiaTree, type KeyPath, textOf } from "./tree.ts";

/** What was said by keys that `checkKeys` takes out; read before it. */
export interface BoardFiles {
  readonly config: string | undefined;
  readonly commandLine: string | undefined;
  readonly overlay: string | undefined;
  readonly archiveName: string | undefined;
}

/** The files of the board, and the name of the archive. */
export function boardFiles(tree: GaiaTree): BoardFiles {
  const rpi = tree.table("buildroot", "rpi") ?? {};
  const isUsed = rpi["enabled"] !== false;
  return {
    config: isUsed ? textOf(rpi["config_file"]) : undefined,
    commandLine: isUsed ? textOf(rpi["cmdline_file"]) : undefined,
    overlay: isUsed ? textOf(rpi["overlay"]) : undefined,
    archiveName: textOf(tree.value(["buildroot", "archive_name"])),
  };
}

/** Definitions that follow from the tree. What the tree itself defines wins over them where only one can be. */
export function baseModule(
  tree: GaiaTree,
  name: string,
  { accounts, ...files }: BoardFiles & { readonly accounts: TableAccounts },
): Module {
  const hostName = hostNameOf(tree);
  const label = symbol(tree, "TARGET_ROOTFS_EXT2_LABEL");
  const config = text(tree, files.config, ["buildroot", "rpi", "config_file"]);
  const commandLine = text(tree, files.commandLine, ["buildroot", "rpi", "cmdline_file"]);
  return defineModule({
    // So that messages name the tree, rather than this module.
    file: tree.document.file,
    config: {
      // Above the defaults of profiles.
      build: { name: mkOverride(900, name), legacy: tree.legacy, pinnedBy: "content" },
      ...(hostName === undefined ? {} : { networking: { hostName: mkDefault(hostName) } }),
      buildroot: { starting_point: { packages: { install: packages(tree) } } },
      users: { users: defaults(accounts.users), groups: defaults(accounts.groups) },
      image: {
        ...(files.archiveName === undefined ? {} : { fileName: mkDefault(imageName(tree, name, files.archiveName)) }),
        ...(label === undefined ? {} : { root: { label: mkDefault(label) } }),
      },
      boot: {
        // The whole file, in place of what the board's profile would write.
        ...(config === undefined ? {} : { configTxt: mkOverride(90, config) }),
        ...(commandLine === undefined ? {} : { kernelParams: kernelParameters(commandLine) }),
      },
      // As in Gaia, whatever is staged lies over the base.
      stage: { replace: mkDefault(true), files: overlayFiles(tree, files.overlay) },
      warnings: tree.warnings,
    },
  });
}

/** Single values give way to what the tree itself says; lists go together. */
function defaults(records: Readonly<Record<string, AccountValues>>) {
  return Object.fromEntries(
    Object.entries(records).map(([name, record]) => [
      name,
      Object.fromEntries(
        // Which option each is for, and so its type, only the merge knows.
        Object.entries(record).map(([key, value]) => [
          key,
          typeof value === "object" ? value : mkDefault(value as never),
        ]),
      ),
    ]),
  );
}

/** An image is called as its archive is. */
function imageName(tree: GaiaTree, build: string, template: string): string {
  const version = textOf(tree.value(["build", "version"]));
  if (version === undefined && template.includes("{version}"))
    tree.report({
      path: ["buildroot", "archive_name"],
      problem: "it has {version} in it, and build.version is not set",
      suggestions: [],
    });
  return `${withoutSuffix(expand(template, { name: build, version: version ?? "" }))}.img`;
}

/** What is staged as /etc/hostname, else the symbol of Buildroot. */
function hostNameOf(tree: GaiaTree): string | undefined {
  for (const [path, { dst, content, src }] of tree.tables("stage", "files")) {
    if (dst !== "/etc/hostname") continue;
    const staged = typeof content === "string" ? content : text(tree, textOf(src), [...path, "src"]);
    return staged?.trim().split("\n")[0];
  }
  return symbol(tree, "TARGET_GENERIC_HOSTNAME");
}

/** A symbol of Buildroot that is a text, whose name may have BR2_ in front. */
function symbol(tree: GaiaTree, name: string): string | undefined {
  const symbols = tree.table("buildroot", "symbols") ?? {};
  return textOf(symbols[`BR2_${name}`] ?? symbols[name]);
}

/** Debian's packages for those of Buildroot that are asked for. */
function packages(tree: GaiaTree): readonly string[] {
  const wanted = Object.entries(tree.table("buildroot", "packages") ?? {}).filter(([, value]) => value === true);
  const unknown = wanted.map(([name]) => name).filter((name) => debianPackagesFor(name) === undefined);
  if (unknown.length > 0)
    tree.warn(
      ["buildroot", "packages"],
      `no Debian package is known for ${unknown.sort().join(", ")}, so the image is without; name what is needed in buildroot.starting_point.packages.install`,
    );
  return [...new Set(wanted.flatMap(([name]) => debianPackagesFor(name) ?? []))].sort();
}

/** Words of the kernel's command line, without those that find the root file system: the image has its own. */
function kernelParameters(commandLine: string): string[] {
  return commandLine
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "" && !/^(root|rootfstype|rootflags|init|initrd)=|^(rw|ro|rootwait)$/.test(word));
}

/** Every file of a directory, each at its place in the image. */
function overlayFiles(tree: GaiaTree, overlay: string | undefined) {
  if (overlay === undefined) return [];
  const at = ["buildroot", "rpi", "overlay"];
  const top = lookUp(tree, overlay, at)?.path;
  if (top === undefined) return [];
  const staged = new Set(tree.tables("stage", "files").map(([, { dst }]) => mergedPath(String(dst))));
  try {
    return readdirSync(top, { recursive: true, withFileTypes: true })
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        // The directory may be written with a slash at the end.
        return { entry, path, dst: `/${relative(top, path)}` };
      })
      .filter(({ entry, dst }) => !entry.isDirectory() && !staged.has(mergedPath(dst)))
      .sort((left, right) => (left.dst < right.dst ? -1 : 1))
      .map(({ entry, path, dst }) =>
        entry.isSymbolicLink() ? { dst, link: readlinkSync(path) } : { dst, src: path, mode: modeOf(path) },
      );
  } catch (error) {
    tree.report({ path: at, problem: unreadable(top, error).message, suggestions: [] });
    return [];
  }
}

function text(tree: GaiaTree, file: string | undefined, at: KeyPath): string | undefined {
  const path = file === undefined ? undefined : lookUp(tree, file, at)?.path;
  if (path === undefined) return undefined;
  try {
    return readText(path);
  } catch (error) {
    tree.report({ path: at, problem: error instanceof Error ? error.message : String(error), suggestions: [] });
    return undefined;
  }
}
