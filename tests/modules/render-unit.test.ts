import t from "tap";
import { renderAssignment, renderEnvironmentFile, renderUnit } from "#modules/services/render-unit.ts";

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
