import t from "tap";
import { quoteWord, renderEnvironmentFile, renderUnit } from "#modules/services/render-unit.ts";

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
  t.throws(() => renderUnit({ Unit: { Description: "a\n[Service]" } }), { message: /\[Unit\] Description= cannot hold/ });
  t.throws(() => renderUnit({ Unit: { Description: "a\\" } }), RangeError);
  t.throws(() => renderUnit({ Unit: { "A=b": "c" } }), { message: /directive named 'A=b'/ });
});

t.test("words are quoted only when systemd would split or expand them", async (t) => {
  t.equal(quoteWord("plain-1.0"), "plain-1.0");
  t.equal(quoteWord(""), '""');
  t.equal(quoteWord("50% of a"), '"50%% of a"');
  t.equal(quoteWord('say "hi"'), '"say \\"hi\\""');
});

t.test("environment files are sorted and quoted", async (t) => {
  t.equal(renderEnvironmentFile({ B: "it's", A: "/run/x.sock", C: "" }), "A=/run/x.sock\nB='it'\\''s'\nC=''\n");
});
