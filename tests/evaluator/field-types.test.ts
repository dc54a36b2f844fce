/** Types of this field, and what JSON Schema says of every type. */
import { Ajv } from "ajv";
import fc from "fast-check";
import t from "tap";
import { inspect } from "node:util";
import { configOf, failure, type Loose, opt, plain, reason, sub, types } from "../conformance/untyped.ts";

const read = (type: Loose, value: unknown): Loose => plain(configOf({ options: { v: opt(type) } }, { v: value }).v);

const cases: Readonly<Record<string, { readonly good: readonly unknown[]; readonly bad: readonly unknown[] }>> = {
  ipv4Address: { good: ["0.0.0.0", "192.168.1.255"], bad: ["1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", "", 4] },
  ipv6Address: {
    good: ["::", "::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "2001:db8::"],
    bad: [":", "1:2:3", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3", "fe80::1%"],
  },
  ipAddress: { good: ["10.0.0.1", "fe80::1"], bad: ["localhost", "10.0.0"] },
  ipPrefix: {
    good: ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32"],
    bad: ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "/8"],
  },
  macAddress: {
    good: ["b8:27:eb:00:00:01", "B8:27:EB:00:00:01"],
    bad: ["b8-27-eb-00-00-01", "b8:27:eb:00:00", "b8:27:eb:00:00:0g"],
  },
  hostName: { good: ["helios", "a", "cm5-01", ""], bad: ["-a", "a-", "a.b", "a".repeat(64), "a_b"] },
  domainName: { good: ["example.com", "_dmarc.example.com", "a."], bad: ["", "-a.com", "a..b"] },
  systemdUnitName: {
    good: ["sshd.service", "getty@tty1.service", "dev-sda.device", "a@.timer"],
    bad: ["sshd", "a b.service", ".service"],
  },
  duration: { good: ["5", "90s", "1h 30min", "500ms", "infinity", "1.5h"], bad: ["", "fast", "5 parsecs"] },
  semanticVersion: { good: ["1.2.3", "1.0.0-rc.1+b5"], bad: ["1.2", "01.2.3", "v1.2.3"] },
  debianVersion: { good: ["2.36-9+deb12u4", "1:2.0~rc1-1", "0"], bad: ["", "a1", "1_2"] },
  fileMode: { good: ["0644", "755", "0o755", 0o644], bad: ["0888", "rwx", -1, 0o10000, "7"] },
  size: { good: ["512M", "4GiB", 4096, "0", "8 GB"], bad: ["big", -1, 1.5, "5 Q"] },
  path: { good: ["/", "/a/b"], bad: ["a", "", 1] },
  nonEmptyStr: { good: ["a"], bad: ["", "  \n"] },
  passwdEntry: { good: [], bad: [] },
};

for (const [name, { good, bad }] of Object.entries(cases)) {
  if (name === "passwdEntry") continue;
  t.test(`types.${name}: what it takes, and why it refuses the rest`, async (t) => {
    const validate = new Ajv().compile(types[name].fields.schema());
    for (const each of good) {
      t.equal(types[name].check(each), true, JSON.stringify(each));
      t.equal(validate(each), true, `schema: ${JSON.stringify(each)}`);
      t.doesNotThrow(() => read(types[name], each));
    }
    for (const each of bad)
      t.equal(
        reason(() => read(types[name], each)),
        "wrong-type",
        JSON.stringify(each),
      );
  });
}

t.test("the reason of a refusal says what is wrong", async (t) => {
  const why = (type: Loose, value: unknown): string => failure(() => read(type, value)).message.split("\n")[0] ?? "";
  t.match(why(types.ipv4Address, "1.2.3.256"), '"256" is no number from 0 to 255');
  t.match(why(types.port, 70_000), "70000 is above 65535");
  t.match(why(types.ints.positive, 0), "0 is not above 0");
  t.match(why(types.int, 1.5), "1.5 is no integer");
  t.match(why(types.secret, "hunter2"), "a secret is never written out");
  t.match(why(types.functionTo(types.int), {}), "function that evaluates to a(n) signed integer");
});

t.test("sizes read as bytes, modes as numbers, and equal ones in two spellings agree", async (t) => {
  t.same(
    ["1K", "1KiB", "1kB", "1KB", "512M", "1G", "7", 7].map((each) => read(types.size, each)),
    [1024, 1024, 1000, 1000, 536_870_912, 1_073_741_824, 7, 7],
  );
  t.equal(read(types.fileMode, "0755"), 0o755);
  t.equal(configOf({ options: { v: opt(types.size) } }, { v: "1M" }, { v: 1_048_576 }).v, 1_048_576);
  t.equal(
    reason(() => configOf({ options: { v: opt(types.size) } }, { v: "1M" }, { v: "2M" }).v),
    "conflict",
  );
});

t.test("a secret is neither printed nor serialised nor put into a string", async (t) => {
  const { v } = configOf({ options: { v: opt(types.secret) } }, { v: { file: "/run/secrets/key" } });
  t.same(v.reference, { file: "/run/secrets/key" });
  t.throws(() => `${v}`, /secret/u);
  t.throws(() => JSON.stringify({ v }), /secret/u);
  t.notMatch(inspect({ v }), "secrets");
});

t.test("law: what a bounded integer's schema takes is what the type takes", async (t) => {
  const range = fc.tuple(fc.integer({ min: -300, max: 300 }), fc.integer({ min: 0, max: 300 }));
  fc.assert(
    fc.property(
      range,
      fc.oneof(fc.integer({ min: -700, max: 700 }), fc.double(), fc.string()),
      ([low, width], value) => {
        const type = types.ints.between(low, low + width);
        return new Ajv().compile(type.fields.schema())(value) === type.check(value);
      },
    ),
    { numRuns: 50 },
  );
  t.pass();
});

t.test("schemas describe containers and submodules as they are written", async (t) => {
  const type = types.attrsOf(
    types.nullOr(
      sub({
        port: opt(types.port, { description: "Port." }),
        mode: opt(types.enum(["a", "b"])),
        list: opt(types.listOf(types.either(types.int, types.str))),
      }),
    ),
  );
  const validate = new Ajv({ strict: false }).compile(type.fields.schema());
  t.ok(validate({ a: null, b: { port: 80, mode: "a", list: [1, "x"] } }));
  t.notOk(validate({ b: { prot: 80 } }));
  t.notOk(validate({ b: { port: 70_000 } }));
  t.notOk(validate({ b: { list: [true] } }));
});
