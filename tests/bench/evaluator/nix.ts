/** The sets A and B in Nix, for a comparison in the same run where nix-instantiate and nixpkgs' lib are at hand. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const typeNames = ["lib.types.bool", "lib.types.int", "lib.types.str", "lib.types.listOf lib.types.str"] as const;
const defaults = ["false", "0", '"d"', "[ ]"] as const;

const pathOf = (index: number): string => `g${Math.floor(index / 100)}.o${index}`;

function valueOf(index: number, stage: number): string {
  switch (index % 4) {
    case 0:
      return String((Math.floor(index / 4) + stage) % 2 === 0);
    case 1:
      return String(index + stage);
    case 2:
      return `"v${index}-${stage}"`;
    default:
      return `[ "v${index}-${stage}" ]`;
  }
}

function definitionsOf(index: number): readonly (readonly [number, string])[] {
  const definitions: [number, string][] = [[1, `lib.mkDefault (${valueOf(index, 1)})`]];
  if (index % 3 === 0) definitions.push([2, valueOf(index, 2)]);
  if (index % 5 === 0) {
    const other = 4 * Math.floor(index / 4) - 4;
    definitions.push([
      3,
      `lib.mkIf ${other < 0 ? "true" : `config.${pathOf(other)}`} (lib.mkOverride 90 (${valueOf(index, 3)}))`,
    ]);
  }
  if (index % 7 === 0) definitions.push([4, `lib.mkForce (${valueOf(index, 4)})`]);
  if (index % 28 === 7) definitions.push([5, `lib.mkForce (lib.mkBefore [ "b${index}" ])`]);
  return definitions;
}

async function writeSet(
  directory: string,
  lib: string,
  modules: readonly string[],
  attribute: string,
): Promise<string> {
  await mkdir(directory, { recursive: true });
  await Promise.all(modules.map((text, m) => writeFile(join(directory, `m${m}.nix`), text)));
  const list = modules.map((_, m) => `./m${m}.nix`).join(" ");
  const file = join(directory, "default.nix");
  await writeFile(file, `let lib = import ${lib}; in (lib.evalModules { modules = [ ${list} ]; }).${attribute}\n`);
  return file;
}

/** Writes set A; returns the file to evaluate. */
export async function writeNixA(
  directory: string,
  lib: string,
  options: number,
  modules: number,
  attribute = "config",
): Promise<string> {
  const declared = Array.from({ length: modules }, (): string[] => []);
  const defined = Array.from({ length: modules }, (): string[] => []);
  for (let index = 0; index < options; index++) {
    const kind = index % 4;
    declared[index % modules]?.push(
      `${pathOf(index)} = lib.mkOption { type = ${typeNames[kind] ?? ""}; default = ${defaults[kind] ?? ""}; description = "option ${index}"; };`,
    );
    for (const [stage, text] of definitionsOf(index))
      defined[(index + stage) % modules]?.push(`${pathOf(index)} = ${text};`);
  }
  const texts = declared.map(
    (each, m) =>
      `{ config, lib, ... }: { options = { ${each.join("\n")} }; config = { ${(defined[m] ?? []).join("\n")} }; }\n`,
  );
  return writeSet(directory, lib, texts, attribute);
}

const serviceOptions = `{ lib, ... }: let inherit (lib) mkOption types; in {
  options.services = mkOption { default = { }; type = types.attrsOf (types.submodule ({ name, config, ... }: { options = {
    enable = mkOption { type = types.bool; default = false; };
    port = mkOption { type = types.port; default = 80; };
    user = mkOption { type = types.str; default = name; };
    args = mkOption { type = types.listOf types.str; default = [ ]; };
    env = mkOption { type = types.attrsOf types.str; default = { }; };
    workDir = mkOption { type = types.nullOr types.path; default = null; };
    restart = mkOption { type = types.enum [ "no" "always" "on-failure" ]; default = "no"; };
    limits.cpu = mkOption { type = types.ints.positive; default = 1; };
    after = mkOption { type = types.listOf types.str; default = [ ]; };
    command = mkOption { type = types.str; default = "\${name} --port \${toString config.port} \${lib.concatStringsSep " " config.args}"; };
  }; })); };
}
`;

/** Writes set B; returns the file to evaluate. */
export async function writeNixB(directory: string, lib: string, entries: number): Promise<string> {
  const texts = [serviceOptions];
  for (let start = 0; start < entries; start += 100) {
    const first: string[] = [];
    const second: string[] = [];
    for (let i = start; i < Math.min(entries, start + 100); i++) {
      first.push(
        `services.s${i} = { enable = ${i % 2 === 0}; port = ${1000 + (i % 5000)}; args = [ "--a" "x${i}" ]; env = { FOO = "f${i}"; BAR = "b"; }; };`,
      );
      if (i % 3 === 0)
        second.push(`services.s${i}.restart = lib.mkForce "always"; services.s${i}.args = lib.mkAfter [ "--z" ];`);
      if (i % 5 === 0 && i > 0)
        second.push(`services.s${i}.after = lib.mkIf config.services.s${i - 1}.enable [ "s${i - 1}" ];`);
      if (i % 4 === 0) second.push(`services.s${i}.workDir = lib.mkDefault "/var/lib/s${i}";`);
    }
    texts.push(`{ ... }: { ${first.join("\n")} }\n`, `{ config, lib, ... }: { ${second.join("\n")} }\n`);
  }
  return writeSet(directory, lib, texts, "config");
}
