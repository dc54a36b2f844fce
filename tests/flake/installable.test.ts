import { resolve } from "node:path";
import * as Result from "effect/Result";
import t from "tap";
import { derivation } from "#lib/derivations/derivation.ts";
import { InvalidInstallable, parseInstallable } from "#lib/flake/installable.ts";
import { selectAttribute, selectDerivation } from "#lib/flake/select.ts";

const hello = derivation({ name: "hello", builder: "/bin/bash" });
const outputs = {
  packages: { "helios-cm5": hello },
  systems: {
    "helios-cm5": new (class {
      readonly cells = 3;
      readonly options = {};
      get config() {
        return { networking: { hostName: "cm5" } };
      }
    })(),
    workbench: { config: {}, options: {} },
  },
  checks: {},
};

const parse = (text: string) => {
  const parsed = parseInstallable(text);
  if (parsed instanceof InvalidInstallable) throw parsed;
  return parsed;
};

t.test("an installable is an attribute path, with quotes around names that have dots", async (t) => {
  t.strictSame(parse(".#helios-cm5").path, ["helios-cm5"]);
  t.strictSame(parse('#services.units."ssh.service".enable').path, ["services", "units", "ssh.service", "enable"]);
  t.strictSame(parse("a.b").path, ["a", "b"]);
  t.strictSame(parse(".").path, []);
});

t.test("a TOML or JSON file is an installable, with attributes of its system after the #", async (t) => {
  t.strictSame(parse("x/build.toml"), { text: "x/build.toml", path: [], file: resolve("x/build.toml") });
  t.strictSame(parse("/x/b.json#config.build").path, ["config", "build"]);
  t.equal(parse("/x/b.json#config.build").file, "/x/b.json");
  t.equal(parse(".#x.toml").file, undefined);
});

t.test("what is no installable is refused with the reason", async (t) => {
  for (const text of [".#a..b", ".#a.", '.#"a', "other#a", ".#.a"]) {
    const parsed = parseInstallable(text);
    t.ok(parsed instanceof InvalidInstallable, text);
    t.match(parsed instanceof InvalidInstallable ? parsed.message : "", "is not an installable");
  }
  for (const text of ["./docs", "/tmp/", "../build.txt"])
    t.match(parseInstallable(text), { message: /^'.*' is not an installable: of files, only those named \*\.toml or/ });
});

t.test("packages come before systems, and a full path is always possible", async (t) => {
  t.equal(Result.getOrThrow(selectDerivation(outputs, parse(".#helios-cm5"))), hello);
  t.equal(
    Result.getOrThrow(selectAttribute(outputs, parse(".#systems.helios-cm5.config.networking.hostName"))).value,
    "cm5",
  );
  t.strictSame(Result.getOrThrow(selectAttribute(outputs, parse(".#workbench"))).path, ["systems", "workbench"]);
});

t.test("an unknown attribute is reported with what was found and a suggestion", async (t) => {
  const message = (text: string) => Result.getOrThrow(Result.flip(selectAttribute(outputs, parse(text)))).message;
  t.match(message(".#helios-cm"), "Did you mean 'helios-cm5'?");
  t.match(
    message(".#systems.helios-cm5.config.networkin"),
    "'systems.helios-cm5.config' has no attribute 'networkin'. Did you mean 'networking'?",
  );
  t.match(message(".#systems.helios-cm5.config.networking.hostName.length"), "no attribute 'length'");
  t.match(message(".#zzz"), "It has: helios-cm5, packages, systems, checks.");
  t.match(message(".#systems.helios-cm5.confg"), "Did you mean 'config'?");
  t.match(message(".#toString"), "no attribute 'toString'");
});

t.test("what is not a derivation cannot be built", async (t) => {
  const error = Result.getOrThrow(Result.flip(selectDerivation(outputs, parse(".#workbench"))));
  t.equal(
    error.message,
    ".#workbench: 'systems.workbench' is a set of attributes, not a derivation. 'show' lists what there is.",
  );
});
