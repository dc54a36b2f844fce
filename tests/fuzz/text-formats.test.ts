import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dirname, normalize } from "node:path";
import t from "tap";
import { parseAterm, printAterm } from "#lib/derivations/aterm.ts";
import { parseHash, sha256 } from "#lib/derivations/hash.ts";
import { parseStorePath } from "#lib/derivations/store-path.ts";
import type { Lock } from "#lib/flake/lock.ts";
import { printLock } from "#lib/flake/lock-file.ts";
import { parseLock } from "#lib/flake/lock-parse.ts";
import { parseNarInfo, printNarInfo } from "#lib/store/cache/narinfo.ts";
import { parsePathInfo, type PathInfo, printPathInfo } from "#lib/store/path-info.ts";
import { parseIdentity } from "#lib/store/process-identity.ts";
import { parseRealisation, parseSignedRealisation, printSignedRealisation } from "#lib/store/realisation.ts";
import { generateKeyPair, parsePublicKey, parseSecretKey, pathFingerprint, signText } from "#lib/store/signature.ts";
import { mutated, runs } from "./mutation.ts";

/** A parser of text, with valid files and how it says no. */
interface Format {
  readonly samples: readonly (string | Buffer)[];
  /** Reads the file, and prints it again where that is to give the same. */
  readonly read: (bytes: Buffer) => string | undefined;
  /** The tag of its errors; none if it gives undefined instead. */
  readonly refuses?: string;
}

const [narHash, reference] = [sha256("content"), "/nix/store/z4asv3j07d89ywjf8fxkn7sg6mf5s9q5-dep"];
const path = parseStorePath("/nix/store/30w37wgm2j7igjji86c2az8r09g8zr0x-user");
const unsigned: PathInfo = { path, narHash, narSize: 216, references: [parseStorePath(reference), path] };
const key = generateKeyPair("test-1");
const info: PathInfo = {
  ...unsigned,
  contentAddress: `fixed:r:sha256:${"0".repeat(52)}`,
  signatures: [signText(pathFingerprint(unsigned), parseSecretKey(key.secret))],
};
const realisation = { key: `sha256:${narHash.hex}!out`, path } as const;
const golden = join(import.meta.dirname, "../derivations/golden");
const derivation = (name: string): Buffer =>
  readFileSync(join(golden, readdirSync(golden).find((file) => file.slice(33) === `${name}.drv`)!));

const pool = "pool/main/b/bash/bash_5.2-1_amd64.deb";
const lock: Lock = {
  environments: new Map([
    [
      "tools",
      {
        request: {
          name: "tools",
          suite: "trixie",
          components: ["main"],
          architectures: ["amd64"],
          packages: ["bash"],
          essential: true,
        },
        packages: [pool],
      },
    ],
  ]),
  packages: new Map([
    [pool, { name: "bash", version: "5.2-1", architecture: "amd64", path: pool, size: 1, sha256: narHash.hex }],
  ]),
};

const formats: Readonly<Record<string, Format>> = {
  ...Object.fromEntries(
    ["simple", "multi", "user-user", "escapes", "flat.txt", "structured"].map((name) => [
      `the derivation '${name}'`,
      {
        samples: [derivation(name)],
        read: (bytes: Buffer) => printAterm(parseAterm(name, bytes)),
        refuses: "AtermError",
      },
    ]),
  ),
  "a narinfo": {
    samples: [printNarInfo({ info, url: "nar/x.nar.xz", compression: "xz", fileHash: narHash, fileSize: 9 })],
    read: (bytes) => {
      const { url } = parseNarInfo(bytes.toString("utf8"));
      if (/^\/|(^|\/)\.\.(\/|$)/.test(url)) throw new Error(`the URL ${url} leads out of the cache`);
      return undefined;
    },
    refuses: "NarInfoSyntaxError",
  },
  "an info file": {
    samples: [printPathInfo(info), printPathInfo(unsigned)],
    read: (bytes) => void parsePathInfo(bytes.toString("utf8")),
  },
  "a realisation": {
    samples: [printSignedRealisation(realisation, info.signatures ?? [])],
    read: (bytes) => {
      void parseRealisation(bytes.toString("utf8"));
      void parseSignedRealisation(bytes.toString("utf8"));
      return undefined;
    },
  },
  "a lock file": {
    samples: [printLock(lock)],
    read: (bytes) => {
      for (const path of parseLock("flake.lock", bytes).packages.keys()) {
        if (!path.startsWith("pool/") || path.split("/").includes("..")) throw new Error(`accepted ${path}`);
      }
      return undefined;
    },
    refuses: "LockFileMalformed",
  },
  "a store path": {
    samples: [path, reference],
    read: (bytes) => {
      const text = bytes.toString("utf8");
      const parsed: string = parseStorePath(text);
      if (parsed !== text || dirname(normalize(parsed)) !== "/nix/store") throw new Error(`accepted ${parsed}`);
      return undefined;
    },
    refuses: "StorePathError",
  },
  "a hash": {
    samples: [`sha256:${narHash.hex}`, `sha256-${Buffer.from(narHash.hex, "hex").toString("base64")}`],
    read: (bytes) => void parseHash(bytes.toString("utf8")),
    refuses: "HashSyntaxError",
  },
  "a public key": {
    samples: [key.public],
    read: (bytes) => void parsePublicKey(bytes.toString("utf8")),
    refuses: "KeySyntaxError",
  },
  "a secret key": {
    samples: [key.secret],
    read: (bytes) => void parseSecretKey(bytes.toString("utf8")),
    refuses: "KeySyntaxError",
  },
  "the name of a lock's owner": {
    samples: ["4711.123456.0123456789abcdef0123456789abcdef"],
    read: (bytes) => void parseIdentity(bytes.toString("utf8")),
  },
};

for (const [name, { samples, read, refuses }] of Object.entries(formats)) {
  void t.test(`whatever is done to ${name}, it is read or refused, and nothing else happens`, async (t) => {
    const files = samples.map((sample) => Buffer.from(sample));
    for (const file of files) t.doesNotThrow(() => read(file), "the file itself is good");
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(mutated(files), (bytes) => {
        try {
          const printed = read(bytes);
          if (printed !== undefined && printed !== bytes.toString("utf8")) throw new Error("it prints differently");
          accepted++;
        } catch (error) {
          if ((error as { readonly _tag?: unknown })._tag !== refuses || refuses === undefined) throw error;
          if (!(error instanceof Error && error.message.length >= 10)) {
            throw new Error("a refusal without a reason", { cause: error });
          }
          refused++;
        }
      }),
      { numRuns: runs },
    );
    t.ok(refuses === undefined || refused > 0, `${accepted} accepted, ${refused} refused`);
  });
}
