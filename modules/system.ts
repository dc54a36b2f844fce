import { type Derivation, isDerivation } from "#lib/derivations/derivation.ts";
import { tokenTargets } from "#lib/derivations/token.ts";
import { checkAssertions, type Config, definedToml, defineModule, mkOption, types } from "#lib/evaluator/index.ts";
import type { Packages } from "#pkgs/index.ts";
import type { Entry } from "#pkgs/rootfs/entry.ts";
import { localSource } from "#pkgs/tree.ts";
import type { ImportedTree } from "#pkgs/rootfs/imported-tree.ts";
import { archiveOf } from "./archive.ts";
import { importedTrees } from "./buildroot.ts";
import { pinnedAs } from "./pins.ts";
import { artifactRecords } from "./program/records.ts";
import { installedItems } from "./program/problems.ts";
import { workspacePath, workspaceProblem } from "./workspace.ts";

/** The parts of a system, each a derivation or made of derivations. */
interface SystemBuild {
  /** The Debian packages that the root file system starts from. */
  readonly base: ReturnType<Packages["startingPoint"]>;
  readonly linux: ReturnType<Packages["linux"]>;
  readonly initrd: Derivation;
  /** Where programs go. */
  readonly install: ReturnType<Packages["stagedLayer"]>;
  /** Files, units, links and directories. */
  readonly stage: ReturnType<Packages["stagedLayer"]>;
  /** Base, accounts, stage and programs as one archive. */
  readonly rootfs: ReturnType<Packages["rootfs"]>;
  /** The directory with the SD card image, its manifest and its report. */
  readonly image: Derivation;
  /** The same, with records of how it came to be: what `./result` leads to. */
  readonly result: Derivation;
}

/** Parts are made here only, so their type is taken on trust. */
const isPart = (value: unknown): boolean => typeof value === "object" && value !== null;

const part = <Part extends keyof SystemBuild>(description: string) =>
  mkOption({
    type: types.opaque("part of a system", isPart as (value: unknown) => value is SystemBuild[Part]),
    readOnly: true,
    internal: true,
    description,
  });

const options = {
  system: {
    build: {
      base: part<"base">("The Debian packages that the root file system starts from."),
      linux: part<"linux">("The kernel, its modules and device trees."),
      initrd: part<"initrd">("The initial RAM disk."),
      install: part<"install">("Where programs go."),
      stage: part<"stage">("Files, units, links and directories."),
      rootfs: part<"rootfs">("Base, accounts, stage and programs as one archive."),
      image: part<"image">("The directory with the SD card image, its manifest and its report."),
      result: part<"result">("The same, with records of how it came to be."),
    },
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    system: typeof options;
  }
  interface ModuleArguments {
    readonly pkgs: Packages;
  }
}

/** Puts the products together. */
export default defineModule({
  name: "system",
  options,
  config: {
    system: {
      build: {
        base: (config, { pkgs }) => {
          const point = config.buildroot.starting_point;
          const { packages, leave_out } = point;
          const [[key, path] = []] = importedTrees(point);
          return pkgs.startingPoint({
            name: `${config.build.name}-base`,
            environment: pinnedAs(config, `${config.build.name}-base`, "base", [
              packages.install,
              packages.exclude,
              packages.pockets,
            ]),
            packages: packages.enabled ? [...packages.install] : [],
            ...(key === undefined || path === undefined ? {} : { tree: importedTree(config, key, path) }),
            excluded: [...packages.exclude],
            pockets: [...packages.pockets],
            leaveOut: [...leave_out],
          });
        },
        linux: (config, { pkgs }) =>
          pkgs.linux({
            name: `${config.build.name}-linux`,
            environment: pinnedAs(config, `${config.build.name}-linux`, "linux", [
              config.boot.kernel.package,
              config.buildroot.starting_point.packages.pockets,
            ]),
            package: config.boot.kernel.package,
            pockets: [...config.buildroot.starting_point.packages.pockets],
            deviceTrees: [...new Set(config.boot.deviceTrees.map((path) => path.slice(0, path.indexOf("/"))))].sort(),
          }),
        initrd: (config, { pkgs }) =>
          pkgs.initrd({
            name: `${config.build.name}-initrd`,
            linux: config.system.build.linux,
            modules: [...config.boot.initrd.modules],
            optionalModules: [...config.boot.initrd.optionalModules],
          }),
        install: (config, { pkgs }) =>
          pkgs.stagedLayer(`${config.build.name}-install`, { name: "install", entries: installEntries(config) }),
        stage: (config, { pkgs }) =>
          pkgs.stagedLayer(`${config.build.name}-stage`, { name: "stage", entries: stageEntries(config) }),
        rootfs: (config, { pkgs }) =>
          pkgs.rootfs({
            name: `${config.build.name}-rootfs`,
            base: config.system.build.base,
            linux: config.system.build.linux,
            identity: {
              hostName: config.networking.hostName,
              timeZone: config.locale.timeZone,
              locale: config.locale.language,
              root: { device: `LABEL=${config.image.root.label}`, type: config.image.root.filesystem },
            },
            ...accounts(config),
            units: Object.entries(config.services.units).flatMap(([name, unit]) =>
              unit.enable && !unit.mask ? [name] : [],
            ),
            layers: [config.system.build.install, config.system.build.stage],
          }),
        image: (config, { pkgs }) => {
          checkAssertions(config);
          return pkgs.image({
            name: config.build.name,
            fileName: config.image.fileName,
            rootfs: config.system.build.rootfs,
            boot: {
              linux: config.system.build.linux,
              initrd: config.system.build.initrd,
              title: `${config.build.distribution} ${config.build.version}`,
              commandLine: config.boot.commandLine,
              configText: config.boot.configTxt,
              deviceTrees: config.boot.deviceTrees,
              files: Object.fromEntries(
                Object.entries(config.boot.files).map(([path, { content, src }]) => [
                  path,
                  content === null ? { source: storeReference(config, src, `boot.files."${path}"`) } : { content },
                ]),
              ),
              label: config.image.boot.label,
              size: config.image.boot.sizeMiB,
            },
            root: {
              label: config.image.root.label,
              free: config.image.root.freeMiB,
              ...(config.image.root.sizeMiB === null ? {} : { size: config.image.root.sizeMiB }),
            },
          });
        },
        result: (config, { pkgs }) => {
          const packed = archiveOf(config, pkgs);
          return pkgs.result({
            name: config.build.name,
            image: config.system.build.image,
            ...(packed === undefined ? {} : { archive: packed }),
            resolved: definedToml(config.system.resolved),
            artifacts: artifactRecords(config),
          });
        },
      },
    },
  },
});

function importedTree(config: Config, key: "rootfs_tar" | "rootfs_dir" | "image", written: string): ImportedTree {
  const path = storeReference(config, written, `buildroot.starting_point.${key}`);
  switch (key) {
    case "rootfs_tar":
      return { kind: "tar", path };
    case "rootfs_dir":
      return { kind: "directory", path };
    case "image": {
      const partition = /[0-9]+$/.exec(config.buildroot.starting_point.image_partition ?? "")?.[0];
      return { kind: "image", path, partition: partition === undefined ? null : Number(partition) };
    }
  }
}

/** Declared users and groups as the root file system takes them. */
function accounts(config: Config) {
  const { users, ids } = config.users;
  return {
    users: Object.values(users).map((user) => ({
      name: user.name,
      uid: ids.users[user.name] ?? 0,
      group: user.group,
      groups: [...user.extraGroups],
      home: user.home,
      shell: user.shell,
      description: user.description,
      hashedPassword: user.hashedPassword,
      createHome: user.createHome,
    })),
    groups: Object.entries(ids.groups).map(([name, gid]) => ({
      name,
      gid,
      members: [...(config.users.groups[name]?.members ?? [])],
    })),
  };
}

/** Staged directories and files but programs, and the users' keys, with names of owners turned into numbers. */
function stageEntries(config: Config): Entry[] {
  const programs = installedPaths(config);
  return [
    ...config.stage.directories.map(
      ({ dst, mode, ...rest }): Entry => ({
        path: dst,
        type: "directory",
        mode: fourDigits(mode),
        ...ownerOf(config, rest, dst),
      }),
    ),
    ...config.stage.files.filter(({ dst }) => !programs.has(dst)).map((file) => fileEntry(config, file)),
    ...Object.values(config.users.users)
      .filter(({ authorizedKeys }) => authorizedKeys.length > 0)
      .map(
        ({ name, authorizedKeys }): Entry => ({
          path: `/etc/ssh/authorized_keys.d/${name}`,
          type: "file",
          mode: "0644",
          content: authorizedKeys.map((key) => `${key}\n`).join(""),
        }),
      ),
  ];
}

/** Programs are a layer of their own, so that a changed text does not read as a changed program. */
function installEntries(config: Config): Entry[] {
  const programs = installedPaths(config);
  return config.stage.files.filter(({ dst }) => programs.has(dst)).map((file) => fileEntry(config, file));
}

function installedPaths(config: Config): ReadonlySet<string> {
  return new Set(installedItems(config).map(({ dest }) => dest));
}

function fileEntry(config: Config, file: Config["stage"]["files"][number]): Entry {
  const { dst, content, src, link, mode, recursive, replace, ...rest } = file;
  const common = { path: dst, ...(replace || config.stage.replace ? { force: true } : {}) };
  if (link !== null) return { ...common, type: "symlink", target: link };
  const owned = { ...common, mode: fourDigits(mode), ...ownerOf(config, rest, dst) };
  if (content !== null) return { ...owned, type: "file", content };
  return {
    ...owned,
    type: recursive ? "directory" : "file",
    source: storeReference(config, src, `stage.files: '${dst}'`),
  };
}

function ownerOf(
  config: Config,
  { owner, group }: { readonly owner: string; readonly group: string },
  dst: string,
): { readonly uid: number; readonly gid: number } {
  const { users, groups } = config.users.ids;
  return {
    uid: numberOf(users, owner, `stage: owner of ${dst}`),
    gid: numberOf(groups, group, `stage: group of ${dst}`),
  };
}

/** A derivation, a source, or a string: of what is in the store as it is, and otherwise a local path. */
function storeReference(config: Config, src: unknown, where: string): string {
  if (isDerivation(src)) return `${src}`;
  const text = String(src);
  if (tokenTargets(text).length > 0) return text;
  const path = workspacePath(config.workspace, text);
  if (path === undefined) throw new RangeError(`${where}: ${workspaceProblem(config.workspace, text)}`);
  return `${localSource(path)}`;
}

function numberOf(ids: Readonly<Record<string, number>>, name: string, what: string): number {
  const number = ids[name];
  if (number === undefined) {
    throw new RangeError(
      `${what} is '${name}', which is not declared under users. Declared: ${Object.keys(ids).join(", ")}.`,
    );
  }
  return number;
}

function fourDigits(mode: string): string {
  return mode.padStart(4, "0");
}
