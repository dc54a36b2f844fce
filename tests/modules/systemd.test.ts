import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { checkAssertions, defineModule, type Module } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { makePackages } from "#pkgs/index.ts";
import { evalSystem } from "#modules/index.ts";
import { mountUnitName } from "#modules/services/index.ts";
import systemd from "../fixtures/profiles/systemd.ts";

const pkgs = makePackages({ lock: viewLock(emptyLock) });
const evaluate = (...modules: Module[]) => evalSystem({ pkgs, modules }).config;

t.test("each kind of file that systemd reads is rendered as in the golden files", async (t) => {
  const config = evaluate(systemd);
  t.strictSame(checkAssertions(config), []);
  const golden = join(import.meta.dirname, "golden/systemd");
  const files = (await readdir(golden, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(golden.length)).sort();
  const staged = config.stage.files.filter(
    ({ dst, content }) =>
      content !== null && /probe|swapfile|journald|10-lan|-br0|-wg0|-usb0|helios\.conf|helios\.preset/.test(dst),
  );
  t.strictSame(staged.map(({ dst }) => dst).sort(), paths);
  for (const { dst, content } of staged) t.equal(content, await readFile(join(golden, dst), "utf8"), dst);
  const link = (dst: string) => config.stage.files.find((file) => file.dst === `/etc/systemd/system/${dst}`)?.link;
  t.equal(link("timers.target.wants/probe.timer"), "/etc/systemd/system/probe.timer");
  t.equal(link("systemd-timesyncd.service"), "/dev/null");
  t.equal(link("multi-user.target.wants/systemd-networkd.service"), "/usr/lib/systemd/system/systemd-networkd.service");
});

t.test("mount units are named as systemd-escape names them", async (t) => {
  t.equal(mountUnitName("/var/lib/helios"), "var-lib-helios.mount");
  t.equal(mountUnitName("/"), "-.mount");
  t.equal(mountUnitName("//srv/.a-b/é/"), "srv-.a\\x2db-\\xc3\\xa9.mount");
  t.equal(mountUnitName("/.hidden/x y"), "\\x2ehidden-x\\x20y.mount");
});

t.test("what systemd would not accept, or not understand, fails evaluation", async (t) => {
  const config = evaluate(
    defineModule({
      config: {
        services: {
          units: { "data.mount": { mount: { What: "LABEL=DATA", Where: "/var/lib/helios" } } },
          sysusers: { x: [{ type: "m", name: "ada" }] },
          udev: { rules: { "70-x": [{ match: { SUBSYSTEMM: "tty" } }, { set: { KERNEL: "x" } }, {}] } },
        },
        networking: {
          networkd: {
            networks: { "10-a": { network: { Bridge: "br7", DHCPServer: true } } },
            netdevs: { "10-b": { netdev: { Name: "b" } } },
          },
        },
        boot: { kernelModules: ["i2c_dev"], modprobe: { blacklist: ["i2c-dev"] }, sysctl: { swappiness: 1 } },
      },
    }),
  );
  const message = await Promise.resolve()
    .then(() => String(checkAssertions(config)))
    .catch((error: Error) => error.message);
  t.match(
    message,
    /"data\.mount": systemd only accepts this mount unit if .*Where=\/var\/lib\/helios: var-lib-helios\.mount/,
  );
  t.match(message, /the line 'm ada' needs id: the group that the user joins/);
  t.match(message, /"70-x", rule 1: udev cannot match by 'SUBSYSTEMM'/);
  t.match(message, /"70-x", rule 2: udev cannot assign 'KERNEL'/);
  t.match(message, /"70-x", rule 3: it says nothing/);
  t.match(message, /"10-a": match is empty/);
  t.match(message, /"10-a": Bridge=br7 names an interface that no file/);
  t.match(message, /"10-a": DHCPServer gives out addresses/);
  t.match(message, /"10-b": needs netdev\.Name and netdev\.Kind/);
  t.match(message, /'i2c_dev', which boot\.modprobe\.blacklist keeps/);
  t.match(message, /'swappiness' is no name of a kernel parameter/);
});
