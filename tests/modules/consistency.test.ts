import t from "tap";
import { checkAssertions, defineModule, type Module } from "#lib/evaluator/index.ts";
import { evalSystem } from "#modules/index.ts";
import heliosCm5 from "../../systems/helios-cm5.ts";
import { evaluate, messageOf, pkgs } from "./support.ts";

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

/** What evaluation says of a configuration. */
interface Judgement {
  readonly error: string;
  readonly warnings: readonly string[];
}

function judge(config: object): Judgement {
  const system = evalSystem({ pkgs, modules: [heliosCm5, { name: "defect", config } as Module] });
  try {
    return { error: "", warnings: checkAssertions(system.config) };
  } catch (error) {
    return { error: (error as Error).message, warnings: [] };
  }
}

const unit = (name: string, given: object) => ({ services: { units: { [name]: given } } });

/*
 * Defects that shipped in images of the distribution that HeliOS is made after. Each is made once more here, on top
 * of today's HeliOS, which has none of them; and evaluation must say so.
 */

t.test("HeliOS itself has none of the seventeen defects", async (t) => {
  t.strictSame(judge({}), { error: "", warnings: [] });
});

t.test("defect 1: a program or a bridge is told of an interface that no file defines", async (t) => {
  const { error } = judge({
    stage: { env: { files: [{ path: "/etc/helios/gadget-watchdog.env", vars: { WATCH_INTERFACE: "usbbr0" } }] } },
    networking: { networkd: { networks: { "30-member": { match: { Name: "usb1" }, network: { Bridge: "usbbr0" } } } } },
  });
  t.match(error, /WATCH_INTERFACE=usbbr0 names an interface that neither networking nor the board has/);
  t.match(error, /Bridge=usbbr0 names an interface that no file/);
  const known = { stage: { env: { files: [{ path: "/etc/helios/x.env", vars: { WATCH_INTERFACE: "usb0" } }] } } };
  t.equal(judge(known).error, "");
});

t.test("defect 2: a unit and an asset are both to be /etc/systemd/system/var-lib-helios.mount", async (t) => {
  const { error } = judge({
    stage: { files: [{ dst: "/etc/systemd/system/var-lib-helios.mount", content: "[Mount]\n" }] },
  });
  t.match(error, /'\/etc\/systemd\/system\/var-lib-helios\.mount' has more than one writer/);
});

t.test("defect 3: a unit runs a program that nothing puts into the image", async (t) => {
  const { error } = judge(unit("x.service", { service: { ExecStart: "/usr/bin/helios-nonexistent --now" } }));
  t.match(error, /"x\.service": ExecStart runs \/usr\/bin\/helios-nonexistent, which nothing puts into the image/);
});

t.test("defect 4: a unit reads an environment file, or waits for a file, that nobody stages", async (t) => {
  const service = { ExecStart: "/usr/bin/true", EnvironmentFile: "/etc/helios/gadget-watchdog.env" };
  t.match(
    judge(unit("x.service", { service })).error,
    /EnvironmentFile=\/etc\/helios\/gadget-watchdog\.env is not staged/,
  );
  const epoch = { unit: { ConditionPathExists: "/etc/helios/build.epoch" }, service: { ExecStart: "/usr/bin/true" } };
  t.match(judge(unit("x.service", epoch)).error, /ConditionPathExists=\/etc\/helios\/build\.epoch is not staged/);
  const optional = { ExecStart: "/usr/bin/true", EnvironmentFile: "-/etc/helios/gadget-watchdog.env" };
  t.equal(judge(unit("x.service", { service: optional })).error, "");
});

t.test("defect 5: two artifacts are the same output", async (t) => {
  const { error } = judge({
    program: {
      rust: {
        artifacts: [
          { id: "helios-api-tools", package: "helios-api", workspace_dir: "/srv/backend" },
          { id: "again", package: "helios-api", workspace_dir: "/srv/backend" },
        ],
      },
    },
  });
  t.match(error, /more than one artifact is the same output 'helios-api'/);
});

t.test("defect 6: links and [Install] of a unit cannot differ", async (t) => {
  const { config } = evalSystem({
    pkgs,
    modules: [
      heliosCm5,
      {
        config: unit("x.service", { service: { ExecStart: "/usr/bin/true" }, wantedBy: ["sysinit.target"] }),
      } as Module,
    ],
  });
  const file = (dst: string) => config.stage.files.find((each) => each.dst === dst);
  t.match(file("/etc/systemd/system/x.service")?.content, /\[Install\]\nWantedBy=sysinit\.target\n/);
  t.ok(file("/etc/systemd/system/sysinit.target.wants/x.service"));
  t.match(file("/etc/systemd/system-preset/00-helios.preset")?.content, /^enable x\.service$/m);
  // A unit file that is copied has an [Install] of its own, which nobody may contradict by hand.
  t.match(
    judge(unit("x.service", { src: "/srv/x.service", service: { ExecStart: "/usr/bin/true" } })).error,
    /src is copied as it is, so vendor and sections have no place here/,
  );
});

t.test("defect 7: Buildroot has no package of that name", async (t) => {
  t.match(
    judge({ buildroot: { packages: { "python3-pip": true } } }).error,
    /buildroot\.packages\.python3-pip.*python-pip/,
  );
});

t.test("defect 8: a time zone or a language is set, and its data left out", async (t) => {
  const { error } = judge({
    locale: { timeZone: "America/Vancouver" },
    buildroot: { starting_point: { leave_out: ["usr/share/zoneinfo"] } },
  });
  t.match(error, /America\/Vancouver.*leave_out/);
});

t.test("defect 9: the firmware switches the watchdog off that systemd is to use", async (t) => {
  const { error } = judge({
    boot: { configTxt: "dtparam=watchdog=off\n" },
    stage: { files: [{ dst: "/etc/systemd/system.conf.d/50-x.conf", content: "[Manager]\nRuntimeWatchdogSec=45s\n" }] },
  });
  t.match(error, /switches the watchdog off/);
});

t.test("defect 10: a network is for a port that the board calls otherwise", async (t) => {
  const named = (Name: string) =>
    judge({ networking: { networkd: { networks: { "10-eth0": { match: { Name }, network: { DHCP: true } } } } } })
      .error;
  t.match(named("eth0"), /"10-eth0": matches eth0, and the Raspberry Pi Compute Module 5 has end0/);
  for (const right of ["end0", "eth0 end0", "en*", "usb0"]) t.equal(named(right), "", right);
});

t.test(
  "defect 11: kernel and device trees, or one library for programs and for the image, are of different versions",
  async (t) => {
    const files = { "bcm2712-rpi-cm5-cm5io.dtb": { content: "", release: "2025-12-04" } };
    t.match(
      judge({ boot: { files, kernel: { release: "stable_20250916" } } }).error,
      /"bcm2712-rpi-cm5-cm5io\.dtb": comes from 2025-12-04, and the kernel is stable_20250916/,
    );
    t.equal(judge({ boot: { files, kernel: { release: "2025-12-04" } } }).error, "");
    t.match(
      judge({
        program: {
          default_profile: "arm",
          profiles: { arm: { env: { TURBOJPEG_VERSION: "3.1.2", FFMPEG_VERSION: "8.0.1" } } },
        },
        buildroot: { package_versions: { turbojpeg: "3.1.0", ffmpeg: "8.0.1" } },
      }).error,
      /TURBOJPEG_VERSION of program\.profiles\.arm is 3\.1\.2, and buildroot\.package_versions\.turbojpeg is 3\.1\.0/,
    );
  },
);

t.test("defect 12: kernel fragments, patches and other inputs are there and used by nothing", async (t) => {
  t.match(
    judge({ buildroot: { kernel: { patches: ["kernel-patches"] } } }).error,
    /`buildroot\.kernel`.*never read it/,
  );
  const { warnings } = judge({
    buildroot: { linux: { fragments: ["usb-gadget.fragment"] } },
    stage: { env: { sets: { "helios-ide": { IDE_PORT: "1" } } } },
    program: {
      profiles: { host: {} },
      environments: { cmake: { packages: ["cmake"] } },
      custom: { artifacts: [{ id: "idle", cwd: "/srv", build_command: ["true"], output_path: "x" }] },
    },
  });
  for (const expected of [
    /buildroot\.linux\.fragments: usb-gadget\.fragment has no effect/,
    /stage\.env\.sets: 'helios-ide' is used by nothing/,
    /program\.profiles: 'host' is used by nothing/,
    /program\.environments: 'cmake' is used by nothing/,
    /program: the artifact 'idle' is used by nothing/,
  ])
    t.ok(
      warnings.some((warning) => expected.test(warning)),
      String(expected),
    );
});

t.test("defect 13: a mount unit has options that only /etc/fstab knows", async (t) => {
  const mount = { What: "LABEL=X", Where: "/srv/x", Type: "ext4", Options: "rw,nofail,x-systemd.makefs" };
  const { error } = judge(unit("srv-x.mount", { mount }));
  t.match(error, /the mount option 'nofail' only works in \/etc\/fstab/);
  t.match(error, /the mount option 'x-systemd\.makefs' only works/);
});

t.test("defect 14: checks are defined, and none of them ever runs", async (t) => {
  const { warnings } = judge({
    program: {
      checks: [{ id: "cargo-fmt", run: ["cargo", "fmt", "--check"] }],
      lint: { enabled: false, check_ids: ["cargo-fmt"] },
    },
  });
  t.match(warnings, [/'cargo-fmt' never runs/]);
});

t.test("defect 15: a service works in the data directory before it is mounted", async (t) => {
  const service = { ExecStart: "/usr/bin/true --journal=/var/lib/helios/journal/updater.log" };
  t.match(judge(unit("x.service", { service })).error, /may start before it is mounted\. Add unit\.RequiresMountsFor/);
  t.equal(judge(unit("x.service", { service, unit: { RequiresMountsFor: "/var/lib/helios" } })).error, "");
});

t.test("defect 16: the partitions do not fit on the medium", async (t) => {
  const image = { root: { sizeMiB: 5120 }, reserved: { RESERVE: 5120, DATA: 4096 } };
  const small = judge({ board: { storageMiB: 14_596 }, image }).error;
  t.equal(small, "", "this fits");
  const { error } = judge({ board: { storageMiB: 14_000 }, image });
  t.match(error, /the partitions take 14596 MiB, and the Raspberry Pi Compute Module 5 only has 14000 MiB/);
  t.match(
    error,
    /image\.boot\.sizeMiB 256, image\.root\.sizeMiB 5120, image\.reserved\.DATA 4096, image\.reserved\.RESERVE 5120/,
  );
});

t.test("defect 17: an item installs an artifact that nothing builds", async (t) => {
  const { error } = judge({ program: { install: { items: [{ artifact: "helios-engin", dest: "/usr/bin/x" }] } } });
  t.match(error, /'helios-engin', which nothing builds\. There are: .*helios-engine/);
});

t.test("rules of the board: boot files, four partitions, what a master boot record reaches", async (t) => {
  t.match(
    judge({ board: { bootFiles: ["start4.elf"] } }).error,
    /does not start without start4\.elf, which nothing puts on the boot partition\. Add it to boot\.files/,
  );
  t.equal(
    judge({ board: { bootFiles: ["start4.elf"] }, boot: { files: { "start4.elf": { content: "x" } } } }).error,
    "",
  );
  t.match(judge({ image: { reserved: { A: 1, B: 1 } } }).error, /four|has 4 partitions, of which the image has two/);
  t.match(
    judge({ image: { reserved: { A: 3 * 1024 * 1024 } } }).error,
    /a master boot record only reaches 2097152 MiB/,
  );
  t.match(judge({ boot: { files: { "x.dtbo": {} } } }).error, /needs exactly one of content and src/);
});

t.test("a name on the boot partition is one that FAT has, below its top", async (t) => {
  const named = (path: string): string =>
    messageOf({ file: "own.ts", config: { boot: { files: { [path]: { content: "x" } } } } } as Module);
  for (const [path, why] of [
    ["../x.dtbo", /a part of it is '\.\.'/],
    ["overlays/./x", /a part of it is '\.'/],
    ["/x", /it starts with \//],
    ["", /it is empty/],
    ["a//b", /a part of it is empty/],
    ["a/", /a part of it is empty/],
    ["a:b?.txt", /':' cannot be in a name on FAT/],
    ["a\\b", /'\\' cannot be in a name on FAT/],
    ["a\tb", /a control character cannot be/],
    ["a. /b", /'a\. ' ends in a blank or a dot/],
    ["b.", /'b\.' ends in a blank or a dot/],
    [`${"n".repeat(256)}`, /has 256 characters/],
  ] as const) {
    const message = named(path);
    t.match(message, why, JSON.stringify(path));
    t.match(message, /boot\.files\.".*" \(in own\.ts\).*such as "overlays\/x\.dtbo"/, JSON.stringify(path));
  }
  t.match(
    judge({ boot: { files: { "Config.TXT": { content: "" } } } }).error,
    /boot\.files: 'config\.txt' and 'Config\.TXT' are one name on FAT\. Write it in one way\./,
  );
  t.notMatch(judge({ boot: { files: { "config.txt": { content: "" } } } }).error, /are one name/);
  for (const path of ["overlays/x.dtbo", ".hidden", "a b.txt", "ü+,;=[].txt", "n".repeat(255)])
    t.equal(named(path), "", path);
});

t.test("what is staged belongs to accounts that there are", async (t) => {
  const message = messageOf(
    defineModule({
      file: "own.ts",
      config: {
        stage: {
          files: [
            { dst: "/etc/x", content: "", owner: "nobodyy" },
            { dst: "/etc/y", content: "", group: "constructor" },
            { dst: "/etc/link", link: "x", owner: "gone" },
          ],
          directories: [{ dst: "/srv/x", owner: "adda" }],
        },
      },
    }),
  );
  t.match(
    message,
    /stage\.files \(in own\.ts\): '\/etc\/x' is to belong to the user 'nobodyy', which users\.users does not declare\. Declare it, or name another: .*root/,
  );
  t.match(message, /'\/etc\/y' is to belong to the group 'constructor', which users\.groups does not declare/);
  t.match(message, /stage\.directories \(in own\.ts\): '\/srv\/x' is to belong to the user 'adda'/);
  t.notMatch(message, "gone");
});

t.test("one file has one writer, by whichever name of a merged /usr", async (t) => {
  const files = (...dsts: readonly string[]): string =>
    messageOf(
      ...dsts.map((dst, index) =>
        defineModule({ file: `${index}.ts`, config: { stage: { files: [{ dst, content: "" }] } } }),
      ),
    );
  t.match(
    files("/bin/x", "/usr/bin/x"),
    /stage\.files: '\/usr\/bin\/x' has more than one writer: 1\.ts and 0\.ts \(as \/bin\/x\)\. Leave one/,
  );
  t.match(files("/lib/x", "/usr//lib/x"), /'\/usr\/lib\/x' has more than one writer/);
  t.match(files("/etc/x", "/etc/x"), /'\/etc\/x' has more than one writer: 1\.ts and 0\.ts\./);
  t.equal(files("/binary/x", "/usr/binary/x"), "");
  const { stage } = evaluate(
    defineModule({
      config: {
        stage: {
          files: [
            { dst: "/lib/y", content: "", fallback: true },
            { dst: "/usr/lib/y", content: "own" },
          ],
        },
      },
    }),
  );
  t.strictSame(
    stage.files.filter(({ dst }) => dst.endsWith("/y")).map(({ dst }) => dst),
    ["/usr/lib/y"],
  );
});

t.test("a unit whose name has an unknown end is told of that alone", async (t) => {
  const message = messageOf({
    config: { services: { units: { "x.servce": { service: { ExecStart: "/bin/true" } } } } },
  } as Module);
  t.match(message, /"x\.servce": the name must end in one of \.service/);
  t.notMatch(message, "cannot have the section");
});

t.test("an option that could not do what it promises is an error", async (t) => {
  const openssh = (settings: object) => judge({ services: { openssh: { enable: true, ...settings } } }).error;
  t.match(openssh({ ports: [] }), /services\.openssh\.ports/);
  t.match(
    openssh({ extraConfig: "MaxAuthTries 3\npermitrootlogin yes\n" }),
    /permitrootlogin has no effect.*openssh\.permitRootLogin/,
  );
  t.match(openssh({ extraConfig: "AuthorizedKeysFile=/x\n" }), /Set services\.openssh\.authorizedKeysFiles/);
  t.match(
    openssh({ extraConfig: '"PermitRootLogin" yes\n  Password"Authentication"yes\n' }),
    /PermitRootLogin has no effect[^]*PasswordAuthentication has no effect/,
    "sshd takes the quotes off",
  );
  t.equal(openssh({ extraConfig: "MaxAuthTries 3\nMatch User ada\n  PasswordAuthentication yes\n" }), "");
  const german = { locale: { language: "de_DE.UTF-8" } };
  t.match(judge(german).error, /locale\.language is de_DE\.UTF-8, which nothing in the image has.*locales-all/);
  const generated = { ...german, buildroot: { starting_point: { packages: { install: ["locales-all"] } } } };
  t.equal(judge(generated).error, "");
  const { install } = generated.buildroot.starting_point.packages;
  const excluded = { buildroot: { starting_point: { packages: { install, exclude: install } } } };
  t.match(judge({ ...german, ...excluded }).error, /nothing in the image has.*exclude/);
  for (const dst of ["/usr/lib", "/usr/lib/locale/de_DE.utf8"])
    t.equal(judge({ ...german, stage: { files: [{ dst, src: "/srv/x", recursive: true }] } }).error, "", dst);
  for (const language of ["POSIX.UTF-8", "C.ISO-8859-1", "C.UTF-9"])
    t.match(judge({ locale: { language } }).error, /nothing in the image has/, language);
  for (const language of ["C", "POSIX", "C.UTF-8", "C.utf8"]) t.equal(judge({ locale: { language } }).error, "");
  const ada = { users: { users: { ada: { authorizedKeys: ["ssh-ed25519 AAAA ada"] } } } };
  const lockedOut = { ...ada, services: { openssh: { enable: true, authorizedKeysFiles: [".ssh/authorized_keys"] } } };
  t.match(judge(lockedOut).error, /users\.users\.ada\.authorizedKeys: the ssh server does not look into/);
  t.equal(judge({ ...ada, services: { openssh: { enable: true } } }).error, "");
  const keysFor = (file: string, extraConfig = "") =>
    judge({ ...ada, services: { openssh: { enable: true, authorizedKeysFiles: [file], extraConfig } } }).error;
  const staged = "/etc/ssh/authorized_keys.d";
  t.equal(keysFor(`${staged}/ada`), "");
  t.match(keysFor(`${staged}/bob`), /users\.users\.ada\.authorizedKeys: the ssh server does not look into .*d\/ada,/);
  t.match(keysFor(`${staged}/%%u`), /does not look/, "a percent sign and a u");
  t.equal(keysFor("x", `Match User ada\n"AuthorizedKeysFile" ${staged}/%u`), "");
  t.equal(keysFor("x", "authorizedkeyscommand /bin/keys\nAuthorizedKeysCommandUser nobody"), "");
  t.match(keysFor("x", "AuthorizedPrincipalsFile x"), /does not look/);
  t.match(
    judge({ networking: { hosts: { gateway: ["192.0.2.1"] } } }).error,
    /networking\.hosts: 'gateway' is no address/,
  );
  for (const name of ["a\nb", "a b", "#a", "a#", "a\tb", "", ".", "a..", "\u0001"])
    t.match(judge({ networking: { hosts: { "192.0.2.1": [name] } } }).error, /networking\.hosts/, JSON.stringify(name));
  t.equal(judge({ networking: { hosts: { "192.0.2.1": ["_gateway", "a.example.", "a_b"] } } }).error, "");
  const nobody = evaluate({ config: { networking: { hosts: { "192.0.2.1": [], "192.0.2.2": ["b"] } } } });
  t.strictSame(checkAssertions(nobody), []);
  const hosts = nobody.stage.files.find(({ dst }) => dst === "/etc/hosts")?.content ?? "";
  t.match(hosts, /^192\.0\.2\.2 b$/m);
  t.notMatch(hosts, /^192\.0\.2\.1/m, "an address alone would be no line of /etc/hosts");
  t.match(
    judge({ networking: { nameservers: ["9.9.9.9", "face", "..."] } }).error,
    /networking\.nameservers: 'face' is no address[^]*'\.\.\.' is no address/,
  );
  const end0 = (settings: object) => judge({ networking: { interfaces: { end0: settings } } }).error;
  t.match(end0({ gateway: "1.2" }), /networking\.interfaces\.end0\.gateway: '1\.2' is no address/);
  for (const address of ["1.2/8", "192.0.2.1/33", "2001:db8::1/129"])
    t.match(end0({ addresses: [address] }), /networking\.interfaces\.end0\.addresses: '.*' is no address/, address);
  t.equal(end0({ addresses: ["192.0.2.10/32", "2001:db8::1/64"], gateway: "192.0.2.1" }), "");
  t.equal(judge({ networking: { hosts: { "2001:db8::1": ["gateway", "gw.lab.example"] } } }).error, "");
  t.match(
    judge({ users: { users: { a: { name: "x", uid: 1500 }, b: { name: "x", uid: 1501 } } } }).error,
    /users\.users: 'a' and 'b' are both called 'x'/,
  );
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, index) => [`a${index}`, { isSystemUser: true, name: `b${index}` }]),
  );
  t.match(judge({ users: { users: many } }).error, /more system users than numbers from 800 to 899/);
});
