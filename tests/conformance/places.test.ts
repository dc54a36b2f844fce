/** Group C14 of the conformance checks: where options are declared and defined. The lines of this file matter to it. */
import "#lib/platform/source-files.ts";
import { readFile } from "node:fs/promises";
import t from "tap";
import {
  defineModule,
  evalModules,
  mkIf,
  mkMerge,
  mkOption,
  type OptionPath,
  optionsOf,
  type Place,
  types,
} from "#lib/evaluator/index.ts";
import type { Loose } from "./untyped.ts";

const options = {
  placeTests: {
    direct: mkOption({ type: types.int, default: 1 }),
    nested: { deeper: mkOption({ type: types.str, default: "" }) },
    generated: Object.fromEntries(["a", "b"].map((name) => [name, mkOption({ type: types.int, default: 1 })])),
    submodule: mkOption({
      type: types.submodule({
        options: {
          inner: mkOption({ type: types.int, default: 2 }),
        },
      }),
      default: {},
    }),
  },
};

declare module "#lib/evaluator/config.ts" {
  interface Declarations {
    placeTests: typeof options;
  }
}

const declare = defineModule({ options });
const define = defineModule({
  config: {
    placeTests: mkMerge([
      { direct: 5 },
      mkIf((config) => config.placeTests.direct > 1, {
        nested: {
          // A comment with direct: 7 in it, and a "string, { deeper: 1 }".
          "deeper": `a template ${"with { deeper: 2 }"}`,
        },
      }),
    ]),
  },
});

const source = (await readFile(new URL(import.meta.url), "utf8")).split("\n");
/** The text that a place points at. */
const textAt = (place: Place | undefined): string =>
  source[(place?.line ?? 0) - 1]?.slice((place?.column ?? 1) - 1) ?? "";
const optionAt = (path: OptionPath): Loose =>
  path.reduce<Loose>((at, key) => at[key], evalModules({ modules: [declare, define] }).options);

t.test("C14/1-2 a direct option: file and line", async (t) => {
  const [place] = optionAt(["placeTests", "direct"]).declarationPlaces;
  t.match(place.file, /places\.test\.ts$/u);
  t.match(textAt(place), /^direct: mkOption/u);
});
t.test("C14/3 a generated option: at least the file, and the line of what generates it", async (t) => {
  const [place] = optionAt(["placeTests", "generated", "a"]).declarationPlaces;
  t.match(place.file, /places\.test\.ts$/u);
  t.match(textAt(place), /^generated: Object\.fromEntries/u);
});
t.test("C14/4-5 an option of a submodule: the line inside", async (t) => {
  const { config } = evalModules({ modules: [declare] });
  const [place] = (optionsOf(config.placeTests.submodule) as Loose).inner.declarationPlaces;
  t.match(textAt(place), /^inner: mkOption/u);
});
t.test("C14/6 the submodule option itself", async (t) => {
  t.match(textAt(optionAt(["placeTests", "submodule"]).declarationPlaces[0]), /^submodule: mkOption/u);
});
t.test("C14/7 nested options", async (t) => {
  t.match(textAt(optionAt(["placeTests", "nested", "deeper"]).declarationPlaces[0]), /^deeper: mkOption/u);
});
t.test("C14 definitions: through mkMerge, mkIf, comments, strings and templates", async (t) => {
  const places = (path: OptionPath): readonly string[] =>
    optionAt(path)
      .provenance.filter((each: Loose) => each.status === "wins")
      .map((each: Loose) => textAt(each.place));
  t.match(places(["placeTests", "direct"])[0], /^direct: 5/u);
  t.match(places(["placeTests", "nested", "deeper"])[0], /^"deeper": `a template/u);
});
