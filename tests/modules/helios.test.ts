import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { tokenTargets } from "#lib/derivations/token.ts";
import { checkAssertions, defineModule, type Module } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { evalSystem } from "#modules/index.ts";
import { makePackages } from "#pkgs/index.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";

const pkgs = makePackages({ lock: viewLock(emptyLock) });
const evaluate = (...modules: Module[]) => evalSystem({ pkgs, modules: [heliosCm5, ...modules] }).config;
const golden = join(import.meta.dirname, "golden/helios");

t.test("HeliOS's units, drop-ins and environment files are as in the golden files", async (t) => {
  const { files } = evaluate().stage;
  const ours = files.filter(
    ({ dst, content }) =>
      content !== null && /\/(helios-|var-lib-helios|10-usb0|90-helios-)|\/etc\/(helios|issue\.d)\//.test(dst),
  );
  const names = (await readdir(golden, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(golden.length));
  t.strictSame(names.sort(), ours.map(({ dst }) => dst).sort(), "no file more, none less");
  for (const { dst, content } of ours) t.equal(content, await readFile(join(golden, dst), "utf8"), dst);
});

t.test("every program that a HeliOS unit starts is installed", async (t) => {
  const config = evaluate();
  t.strictSame(checkAssertions(config), []);
  const installed = new Set(config.program.install.items.map(({ dest }) => dest));
  const started = Object.entries(config.services.units).flatMap(([name, { service }]) =>
    name.startsWith("helios-") &&
    typeof service.ExecStart === "string" &&
    service.ExecStart.startsWith("/usr/bin/helios-")
      ? [service.ExecStart.split(" ")[0]]
      : [],
  );
  t.ok(started.length >= 8, `${started.length} programs`);
  for (const program of started) t.ok(installed.has(program ?? ""), `${program} is installed`);
});

t.test("sockets pull their services in, and whoever works in the data directory requires its mount", async (t) => {
  const { units } = evaluate().services;
  for (const name of ["api", "engine", "peripherals", "updater"]) {
    const service = units[`helios-${name}.service`];
    t.equal(service?.unit.Requires, `helios-${name}.socket`);
    t.strictSame([...(service?.also ?? [])], [`helios-${name}.socket`]);
    t.strictSame([...(units[`helios-${name}.socket`]?.wantedBy ?? [])], ["sockets.target"]);
  }
  for (const [name, { service, unit }] of Object.entries(units)) {
    if (service.StateDirectory === "helios") t.equal(unit.RequiresMountsFor, "/var/lib/helios", name);
  }
});

t.test("a profile of the user changes the environment of a program", async (t) => {
  const config = evaluate(
    defineModule({ config: { stage: { env: { sets: { "helios-engine": { HELIOS_EXTRA: "yes" } } } } } }),
  );
  const unit = config.stage.files.find(({ dst }) => dst === "/etc/systemd/system/helios-engine.service");
  t.match(unit?.content, /^Environment=HELIOS_EXTRA=yes$/m);
});

t.test("no HeliOS program is built for the target before the tests of all of them pass", async (t) => {
  const config = evaluate();
  const { artifacts } = config.program.rust;
  t.ok(artifacts.length >= 10);
  t.equal(config.program.check_policy, "required");
  for (const { id } of artifacts) {
    const [made] = tokenTargets(config.program.products[id] ?? "");
    const [check] = tokenTargets(made?._tag === "DerivationOutput" ? (made.derivation.env.get("checks") ?? "") : "");
    t.match(check, { derivation: { name: "check-helios-tests" } }, id);
  }
});
