import t from "tap";
import { checkAssertions, type Config, defineModule, type Module } from "#lib/evaluator/index.ts";
import { emptyLock, viewLock } from "#lib/flake/lock.ts";
import { makePackages } from "#pkgs/index.ts";
import { evalSystem } from "#modules/index.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";

const pkgs = makePackages({ lock: viewLock(emptyLock) });
const evaluate = (...modules: Module[]): Config => evalSystem({ pkgs, modules }).config;
const messageOf = (...modules: Module[]): string => {
  try {
    checkAssertions(evaluate(...modules));
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

t.test("helios-cm5 makes none of these mistakes", async (t) => {
  t.equal(messageOf(heliosCm5), "");
});

t.test("units of existing trees become units, links, environment files and assets", async (t) => {
  const config = evaluate(
    defineModule({
      config: {
        workspace: { root_dir: "/srv/tree", paths: { assets: "assets" } },
        stage: {
          env: { sets: { api: { PORT: "80", HOST: "a b" } } },
          services: {
            units: {
              "helios-api": {
                src: "@assets/services/helios-api.service",
                targets: ["multi-user", "x.target"],
                env_set: "api",
                env: { PORT: "81" },
                assets: [{ src: "./api.sh", dst: "/usr/lib/api.sh", mode: 493 }],
              },
              "systemd-networkd.service": { vendor: true, targets: ["multi-user"] },
              off: { enabled: false },
            },
          },
        },
      },
    }),
  );
  t.strictSame(checkAssertions(config), []);
  const file = (dst: string) => config.stage.files.find((each) => each.dst === dst);
  t.match(file("/etc/systemd/system/helios-api.service"), {
    src: "@assets/services/helios-api.service",
    content: null,
  });
  t.equal(
    file("/etc/systemd/system/multi-user.target.wants/helios-api.service")?.link,
    "/etc/systemd/system/helios-api.service",
  );
  t.equal(
    file("/etc/systemd/system/x.target.wants/helios-api.service")?.link,
    "/etc/systemd/system/helios-api.service",
  );
  t.equal(
    file("/etc/systemd/system/multi-user.target.wants/systemd-networkd.service")?.link,
    "/usr/lib/systemd/system/systemd-networkd.service",
  );
  t.equal(file("/etc/default/helios-api")?.content, "HOST='a b'\nPORT=81\n");
  t.match(file("/usr/lib/api.sh"), { src: "@assets/services/api.sh", mode: "0755" });
  t.match(
    messageOf(defineModule({ config: { stage: { services: { units: { a: {} } } } } })),
    /units\."a": needs src.*services\.units\."a\.service"/,
  );
});

t.test("keys without effect are errors that say what to do", async (t) => {
  const old = (config: object): Module => ({ config }) as Module;
  const message = messageOf(old({ buildroot: { kernel: { version: "6.12" } }, frontend: {}, version: "1" }));
  t.match(message, /`buildroot\.kernel`.*no longer has any effect.*never read it\. Set boot\.kernel/);
  t.match(message, /`frontend`.*program\.custom\.artifacts/);
  t.match(message, /`version`.*build\.version/);
  t.equal((evaluate() as unknown as { readonly version: unknown }).version, null, "reading one of them is no error");
});

t.test("what a unit runs and reads must be in the image", async (t) => {
  const unit = (service: { readonly ExecStart: string; readonly EnvironmentFile?: string[] }, more: object = {}) =>
    messageOf(defineModule({ config: { services: { units: { "a.service": { service } } } } }), {
      config: more,
    } as Module);
  t.match(
    unit({ ExecStart: "-/opt/helios/run --x" }),
    /ExecStart runs \/opt\/helios\/run, which nothing puts into the image/,
  );
  t.equal(
    unit(
      { ExecStart: "/opt/helios/run" },
      { stage: { files: [{ dst: "/opt/helios", src: "/srv", recursive: true }] } },
    ),
    "",
  );
  t.match(
    unit({ ExecStart: "/bin/true", EnvironmentFile: ["/etc/a.env", "-/etc/b.env"] }),
    /EnvironmentFile=\/etc\/a\.env is not staged[^]*-\/etc\/a\.env/,
  );
  t.notMatch(unit({ ExecStart: "/bin/true", EnvironmentFile: ["-/etc/b.env"] }), /b\.env/);
  t.equal(
    unit(
      { ExecStart: "/bin/true", EnvironmentFile: ["/etc/a.env"] },
      { stage: { env: { files: [{ path: "/etc/a.env", vars: { A: "1" } }] } } },
    ),
    "",
  );
});

t.test("a service on a mount waits for it, and mount units have no options of fstab", async (t) => {
  const mount = { What: "LABEL=DATA", Where: "/var/lib/helios", Options: "noatime,nofail" };
  const message = (service: object, unit: object = {}) =>
    messageOf({
      config: {
        services: {
          units: {
            "var-lib-helios.mount": { mount: { ...mount, Options: "noatime" } },
            "a.service": { unit, service },
          },
        },
      },
    } as Module);
  t.match(
    message({ ExecStart: "/usr/bin/a --state=/var/lib/helios/a" }),
    /uses \/var\/lib\/helios\/a, which is on var-lib-helios\.mount.*RequiresMountsFor/,
  );
  t.equal(message({ ExecStart: "/usr/bin/a --state=/var/lib/helios/a" }, { RequiresMountsFor: "/var/lib/helios" }), "");
  t.equal(message({ ExecStart: "/usr/bin/a /var/lib/helios/a", StateDirectory: "helios/a" }), "");
  t.equal(message({ ExecStart: "/usr/bin/a /var/lib/helios-other" }), "");
  t.match(
    messageOf(defineModule({ config: { services: { units: { "var-lib-helios.mount": { mount } } } } })),
    /the mount option 'nofail' only works in \/etc\/fstab/,
  );
});

t.test("a socket, timer or path starts something that is there", async (t) => {
  const units = (given: object): string => messageOf({ config: { services: { units: given } } } as Module);
  t.match(
    units({ "a.socket": { socket: { ListenStream: "/run/a" } } }),
    /"a\.socket": starts a\.service, which services\.units does not have/,
  );
  t.match(units({ "a.socket": { socket: { ListenStream: "/run/a", Accept: true } } }), /starts a@\.service/);
  t.match(units({ "a.timer": { timer: { OnBootSec: "1", Unit: "b.service" } } }), /starts b\.service/);
  t.equal(units({ "a.timer": { timer: { OnBootSec: "1" } }, "a.service": { vendor: true } }), "");
});

t.test("options that undo each other are refused", async (t) => {
  t.match(
    messageOf(
      defineModule({
        config: {
          locale: { timeZone: "Europe/Berlin" },
          buildroot: { starting_point: { leave_out: ["usr/share/zoneinfo"] } },
        },
      }),
    ),
    /locale\.timeZone = "Europe\/Berlin" needs \/usr\/share\/zoneinfo\/Europe\/Berlin, which .*leave_out/,
  );
  t.match(
    messageOf(
      defineModule({
        config: {
          boot: { configTxt: "dtparam=watchdog=off\n" },
          stage: {
            files: [
              { dst: "/etc/systemd/system.conf.d/10-watchdog.conf", content: "[Manager]\nRuntimeWatchdogSec=45s\n" },
            ],
          },
        },
      }),
    ),
    /switches the watchdog off, but \/etc\/systemd\/system\.conf\.d\/10-watchdog\.conf/,
  );
  t.match(messageOf(defineModule({ config: { image: { boot: { label: "ACTIVE" } } } })), /both 'ACTIVE'/);
});
