import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import * as openpgp from "openpgp";

/** A package of a fake archive; the fields are those of Debian's Packages files. */
export interface FakePackage {
  readonly Package: string;
  readonly Version: string;
  readonly Architecture?: string;
  readonly [field: string]: string | undefined;
}

/** Packages by suite. Those with architecture `all` are listed for every architecture, as in Debian. */
export type FakeSuites = Readonly<Record<string, readonly FakePackage[]>>;

export interface FakeArchive {
  readonly url: string;
  /** Paths below `url` that were asked for, in order. */
  readonly requests: string[];
}

/** A key to sign archives with, and a directory with its public half as apt wants it. */
export async function makeKey(directory: string) {
  const { privateKey, publicKey } = await openpgp.generateKey({
    type: "rsa",
    rsaBits: 2048,
    userIDs: [{ name: "Fake archive", email: "fake@archive.example" }],
    format: "object",
  });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "fake.asc"), publicKey.armor());
  return privateKey;
}

/** The path in the pool that the fake archive gives a package. */
export function poolPath({ Package: name, Version, Architecture = "amd64" }: FakePackage, pool = "pool/main"): string {
  return `${pool}/${name[0]}/${name}/${name}_${Version.replace(/^[0-9]+:/, "")}_${Architecture}.deb`;
}

/** The SHA-256 that the fake archive's index claims of a package. */
export const fakeSha256 = (path: string): string => createHash("sha256").update(path).digest("hex");

/** Serves a signed archive without any .deb file; resolving needs none. `teardown` stops the server. */
export async function serveArchive(
  suites: FakeSuites,
  privateKey: openpgp.PrivateKey,
  teardown: (stop: () => void) => void,
  options: { readonly tamper?: boolean } = {},
): Promise<FakeArchive> {
  const files = new Map<string, string>();
  for (const [suite, packages] of Object.entries(suites)) await addSuite(files, suite, packages, privateKey);
  if (options.tamper === true) {
    for (const [path, text] of files)
      if (path.endsWith("Packages")) files.set(path, text.replaceAll("Package: perl", "Package: evil"));
  }
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/debian/", "");
    requests.push(path);
    const content = files.get(path);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`, requests };
}

async function addSuite(
  files: Map<string, string>,
  suite: string,
  packages: readonly FakePackage[],
  key: openpgp.PrivateKey,
) {
  const pool = suite.endsWith("-security") ? "pool/updates/main" : "pool/main";
  const sums: string[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const listed = packages.filter(
      ({ Architecture = "amd64" }) => Architecture === architecture || Architecture === "all",
    );
    const text = listed.map((fake) => stanza({ Architecture: "amd64", ...fake }, pool)).join("\n");
    const path = `main/binary-${architecture}/Packages`;
    files.set(`dists/${suite}/${path}`, text);
    sums.push(` ${createHash("sha256").update(text).digest("hex")} ${Buffer.byteLength(text)} ${path}`);
  }
  const release = [
    "Origin: Debian",
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${new Date(Date.now() - 60_000).toUTCString()}`,
    "Architectures: all amd64 arm64",
    "Components: main",
    ...(suite.endsWith("-backports") ? ["NotAutomatic: yes", "ButAutomaticUpgrades: yes"] : []),
    "SHA256:",
    ...sums,
    "",
  ].join("\n");
  const message = await openpgp.createCleartextMessage({ text: release });
  files.set(`dists/${suite}/InRelease`, await openpgp.sign({ message, signingKeys: key }));
}

function stanza(fields: FakePackage, pool: string): string {
  const path = poolPath(fields, pool);
  const all = {
    ...fields,
    Maintainer: "nobody",
    Description: "fake",
    Filename: path,
    Size: String(path.length),
    SHA256: fakeSha256(path),
  };
  return Object.entries(all)
    .map(([field, value]) => `${field}: ${value}\n`)
    .join("");
}
