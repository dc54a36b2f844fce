import t from "tap";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkAssertions, defineModule } from "#lib/evaluator/index.ts";
import { mountUnitName } from "#modules/services/index.ts";
import { renderAssignment, renderEnvironmentFile, renderUnit } from "#modules/services/render-unit.ts";
import systemd from "../fixtures/profiles/systemd.ts";
import { evaluate } from "./support.ts";

t.test("a unit is rendered section by section, lists as repeated lines", async (t) => {
  const text = renderUnit({
    Unit: { Description: "Answers", After: ["network.target", "helios-engine.socket"], Documentation: null },
    Service: { ExecStart: ["/usr/bin/a", "/usr/bin/b --x"], RemainAfterExit: true, TimeoutStartSec: 30 },
    Install: { WantedBy: [] },
  });
  t.equal(
    text,
    `[Unit]
Description=Answers
After=network.target
After=helios-engine.socket

[Service]
ExecStart=/usr/bin/a
ExecStart=/usr/bin/b --x
RemainAfterExit=yes
TimeoutStartSec=30
`,
  );
});

t.test("a value that would end its line or continue it is refused", async (t) => {
  t.throws(() => renderUnit({ Unit: { Description: "a\n[Service]" } }), {
    message: /\[Unit\] Description= cannot hold/,
  });
  t.throws(() => renderUnit({ Unit: { Description: "a\\" } }), RangeError);
  t.throws(() => renderUnit({ Unit: { "A=b": "c" } }), { message: /directive named 'A=b'/ });
});

t.test("an assignment is quoted only when systemd would split or expand it", async (t) => {
  t.equal(renderAssignment("A", "plain-1.0"), "A=plain-1.0");
  t.equal(renderAssignment("A", "50% of $b"), '"A=50%% of $b"');
  t.equal(renderAssignment("A", 'say "hi"\n'), '"A=say \\"hi\\"\\n"');
});

t.test("environment files are sorted and quoted", async (t) => {
  t.equal(renderEnvironmentFile({ B: "it's", A: "/run/x.sock", C: "" }), "A=/run/x.sock\nB='it'\\''s'\nC=''\n");
});

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

t.test("kernel parameters are read back in a boot, at the places that sysctl.d means", async (t) => {
  const config = evaluate(
    defineModule({
      config: {
        boot: {
          sysctl: {
            "net.ipv4.ip_forward": true,
            "net/ipv4/conf/eth0.100/rp_filter": 2,
            "net.ipv4.conf.*.accept_redirects": false,
            "-kernel.not_everywhere": 1,
            "vm.swappiness": null,
          },
        },
      },
    }),
  );
  const found = config.tests.boot.filter((test) => /of its parameters/.test(JSON.stringify(test)));
  t.match(found, [
    {
      command: /^cd \/proc\/sys && cat net\/ipv4\/ip_forward net\/ipv4\/conf\/eth0\.100\/rp_filter \| tr/,
      expect: { stdout: { equals: "1\n2\n" } },
    },
  ]);
  t.equal(found.length, 1);
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

const settings = defineModule({
  config: {
    buildroot: {
      version: "2025.11",
      per_package_dirs: true,
      compression: "zstd",
      expand_size_mb: 2300,
      packages: { dnsmasq: true, "nss-mdns": true, "libcamera-apps": false },
      package_versions: { libyuv: "1.0" },
      symbols: { TARGET_ROOTFS_EXT2_RESBLKS: 5, BR2_TARGET_ROOTFS_EXT2_LABEL: 'AC"TIVE' },
      external: ["assets/buildroot", { src: "more", packages: ["turbojpeg", "coraltpu"] }],
      rpi: { board: "cm5", defconfig: "raspberrypicm5io_defconfig" },
    },
  },
});

t.test("settings of Buildroot are rendered as in the golden file, external trees with their wrappers", async (t) => {
  const config = evaluate(settings);
  const { buildroot } = config;
  t.equal(
    buildroot.rendered["defconfig.fragment"],
    await readFile(join(import.meta.dirname, "golden/buildroot.fragment"), "utf8"),
  );
  t.equal(buildroot.defconfig, "raspberrypicm5io_defconfig");
  t.strictSame(
    Object.entries(buildroot.rendered).filter(([name]) => name.startsWith("external/")),
    [
      [
        "external/HELIOS1/Config.in",
        'source "$BR2_EXTERNAL_HELIOS1_PATH/packages/coraltpu/Config.in"\nsource "$BR2_EXTERNAL_HELIOS1_PATH/packages/turbojpeg/Config.in"\n',
      ],
      ["external/HELIOS1/external.desc", "name: HELIOS1\ndesc: Packages of more\n"],
      [
        "external/HELIOS1/external.mk",
        "include $(BR2_EXTERNAL_HELIOS1_PATH)/packages/coraltpu/coraltpu.mk\ninclude $(BR2_EXTERNAL_HELIOS1_PATH)/packages/turbojpeg/turbojpeg.mk\n",
      ],
    ],
  );
  t.strictSame(checkAssertions(config), []);
});

t.test("names that Buildroot would drop, and symbols with two values, fail evaluation", async (t) => {
  const wrong = defineModule({
    config: {
      buildroot: {
        starting_point: { enabled: false },
        packages: { "python3-pip": true, ninja: true, dnsmasq: true },
        symbols: { package_dnsmasq: false },
        external: [{ src: "x", packages: ["ninja"] }],
      },
    },
  });
  t.throws(() => checkAssertions(evaluate(wrong)), {
    message:
      /DNSMASQ is true by packages\.dnsmasq and false by symbols\.package_dnsmasq[^]*python3-pip: Buildroot would drop it.*python-pip[^]*needs a configuration to start from[^]*Buildroot build is to come/,
  });
  t.throws(() => checkAssertions(evaluate(wrong)), { message: /^(?![^]*packages\.ninja)/ });
});
