/** Long, since all ways in which a download may go wrong share one server, in memory and on a disk. */
import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import * as Layer from "effect/Layer";
import { createHash } from "node:crypto";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import t from "tap";
import { download } from "#lib/fetchers/download.ts";
import type { DownloadRequest } from "#lib/fetchers/download.ts";
import type { FetchError } from "#lib/fetchers/errors.ts";
import { Mirrors, poolUrls } from "#lib/fetchers/mirrors.ts";
import { Network } from "#lib/fetchers/network.ts";
import type { NetworkSettings } from "#lib/fetchers/network.ts";
import { PartFile } from "#lib/fetchers/part-file.ts";
import { proxyRule } from "#lib/fetchers/proxies.ts";
import { Events } from "#lib/platform/events.ts";
import type { EngineEvent } from "#lib/platform/events.ts";
import { FileSystem } from "#lib/platform/file-system.ts";
import { hosts } from "../archives/support.ts";
import type { Host } from "../archives/support.ts";
import { cut, inTurn, serve, sha256, status, whole } from "./server.ts";

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
const wrong = Buffer.from(bytes).fill(0, 1000, 1010);

/** Sends zeros without end. */
const endless = (_: unknown, response: ServerResponse): void => {
  const more = (): void =>
    void (response.write(Buffer.alloc(65536)) ? setImmediate(more) : response.once("drain", more));
  response.writeHead(200);
  more();
};

const fast: Partial<NetworkSettings> = { rounds: 2, backoffMilliseconds: 1, silenceMilliseconds: 2000 };

interface Result {
  readonly error: FetchError | undefined;
  readonly events: readonly EngineEvent[];
  /** The destination's bytes. */
  readonly file: Buffer | undefined;
  /** Names of what is left in the directory for unfinished files. */
  readonly parts: readonly string[];
}

let runs = 0;

/** Downloads `bytes` from the URLs; `part` is what an earlier attempt left. */
async function fetch(
  host: Host,
  urls: readonly string[],
  {
    settings = {},
    part,
    ...more
  }: Partial<DownloadRequest> & { settings?: Partial<NetworkSettings>; part?: Buffer } = {},
): Promise<Result> {
  const work = `${host.directory}/${runs++}`;
  await host.fs.promises.mkdir(work);
  const hash = more.hash ?? sha256(bytes);
  if (part !== undefined) await host.fs.promises.writeFile(`${work}/${hash.algorithm}-${hash.hex}.part`, part);
  const events: EngineEvent[] = [];
  const services = Layer.mergeAll(
    Layer.succeed(FileSystem, host.fs),
    Network.layer({ ...fast, ...settings }),
    Events.to((event) => events.push(event)),
  );
  const destination = `${work}/file`;
  const effect = download({ name: "tool", urls, hash, destination, partial: work, ...more });
  const error = await Effect.runPromise(
    effect.pipe(Effect.as(undefined), Effect.catch(Effect.succeed), Effect.provide(services)),
  );
  const file = await host.fs.promises.readFile(destination).then(Buffer.from, () => undefined);
  const parts = (await host.fs.promises.readdir(work)).map(String).filter((name) => name.endsWith(".part"));
  return { error: error as FetchError | undefined, events, file, parts };
}

for (const [where, makeHost] of hosts) {
  t.test(`downloading ${where}`, async (t) => {
    const host = makeHost(t);

    t.test("a file arrives, verified, with events", async (t) => {
      const { url, requests } = await serve(t, { "/f": bytes });
      const { error, file, parts, events } = await fetch(host, [`${url}/f`], { size: bytes.length });
      t.equal(error, undefined);
      t.ok(file?.equals(bytes));
      t.strictSame(parts, []);
      t.strictSame(requests, ["GET /f"]);
      t.match(events[0], { type: "fetch-started", name: "tool", bytes: bytes.length });
      t.match(events.at(-1), { type: "fetch-finished", name: "tool", bytes: bytes.length, url: `${url}/f` });
    });

    t.test("a cut connection is resumed where it broke", async (t) => {
      const { url, requests } = await serve(t, { "/f": inTurn(cut(bytes, 100_000), whole(bytes)) });
      const { error, file, events } = await fetch(host, [`${url}/f`]);
      t.equal(error, undefined);
      t.ok(file?.equals(bytes));
      t.match(requests, ["GET /f", /^GET \/f bytes=[1-9]\d*-$/]);
      t.match(
        events.find(({ type }) => type === "fetch-retry"),
        { reason: /after \d+ bytes/ },
      );
    });

    t.test("what an earlier run left is used", async (t) => {
      const { url, requests } = await serve(t, { "/f": bytes });
      const { error, file } = await fetch(host, [`${url}/f`], { part: bytes.subarray(0, 200_000) });
      t.equal(error, undefined);
      t.ok(file?.equals(bytes));
      t.strictSame(requests, ["GET /f bytes=200000-"]);
    });

    t.test("what an earlier run left counts as young from before the first new byte", async (t) => {
      const part = new PartFile(host.fs, host.directory, sha256(Buffer.from("left")));
      await host.fs.promises.writeFile(part.path, "le");
      await host.fs.promises.utimes(part.path, 1000, 1000);
      const open = await part.open();
      t.equal(open.bytes(), 2);
      t.ok((await host.fs.promises.stat(part.path)).mtimeMs > Date.now() - 60_000);
      await open.close();
      await part.discard();
    });

    t.test("what is complete already is not fetched again", async (t) => {
      const { url, requests } = await serve(t, { "/f": bytes });
      t.ok((await fetch(host, [`${url}/f`], { part: bytes, size: bytes.length })).file?.equals(bytes));
      t.strictSame(requests, []);
      t.ok((await fetch(host, [`${url}/f`], { part: bytes })).file?.equals(bytes), "nor without a known size");
      t.strictSame(requests, [`GET /f bytes=${bytes.length}-`]);
    });

    t.test("a damaged rest of an earlier run is thrown away", async (t) => {
      const { url } = await serve(t, { "/f": bytes });
      const { error, file } = await fetch(host, [`${url}/f`], { part: wrong.subarray(0, 200_000) });
      t.equal(error, undefined);
      t.ok(file?.equals(bytes));
      const longer = await fetch(host, [`${url}/f`], { part: Buffer.concat([bytes, bytes]), size: bytes.length });
      t.ok(longer.file?.equals(bytes), "also when it is too long");
    });

    t.test("a server without ranges sends the whole file again", async (t) => {
      const ignoring = (_: unknown, response: { writeHead(status: number): { end(bytes: Buffer): void } }): void => {
        response.writeHead(200).end(bytes);
      };
      const { url, requests } = await serve(t, { "/f": ignoring as never });
      t.ok((await fetch(host, [`${url}/f`], { part: bytes.subarray(0, 1234) })).file?.equals(bytes));
      t.strictSame(requests, ["GET /f bytes=1234-"], "which is enough");
    });

    t.test("files are fetched from file URLs", async (t) => {
      await host.fs.promises.writeFile(`${host.directory}/with space`, bytes);
      if (host.directory !== "/w")
        t.ok((await fetch(host, [`file://${host.directory}/with%20space`])).file?.equals(bytes));
      const gone = await fetch(host, [`file://${host.directory}/nothing`]);
      t.match(gone.error, { _tag: "FileGone" });
    });
  });
}

for (const [where, makeHost] of hosts) {
  t.test(`networks ${where}`, async (t) => {
    t.test("mirrors are tried in order", async (t) => {
      const host = makeHost(t);
      const good = await serve(t, { "/f": bytes });
      const empty = await serve(t, {});
      const bad = await serve(t, { "/f": wrong });
      const busy = await serve(t, { "/f": status(503) });

      t.test("one that lost the file, one that lies and one that is down are passed over", async (t) => {
        const urls = [empty, bad, busy, good].map(({ url }) => `${url}/f`);
        const { error, file, events } = await fetch(host, ["http://127.0.0.1:1/f", ...urls]);
        t.equal(error, undefined);
        t.ok(file?.equals(bytes));
        const reasons = events.flatMap((event) => (event.type === "fetch-retry" ? [event.reason] : []));
        t.match(reasons, [/ECONNREFUSED/, "status 404", /another hash/, "status 503"]);
      });

      t.test("gone from everywhere", async (t) => {
        const other = await serve(t, { "/f": status(410) });
        const { error, parts } = await fetch(host, [`${empty.url}/f`, `${other.url}/f`, "http://127.0.0.1:1/f"], {
          path: "pool/f",
        });
        t.match(error, { _tag: "FileGone", name: "tool", path: "pool/f" });
        t.match(error?.message, /pool\/f is gone from every mirror/);
        t.match(error?.message, `${other.url}/f: status 410`, "what each said");
        t.match(error?.message, /127\.0\.0\.1:1\/f: .*ECONNREFUSED/);
        t.match(error?.message, /Run 'update'/);
        t.match((await fetch(host, [`${empty.url}/f`])).error?.message, /no URL has the file[^]*\nCorrect the URL/);
        t.equal(other.requests.length, 1, "a clear answer is not asked for twice");
        t.strictSame(parts, [], "and nothing is left behind");
      });

      t.test("nobody answers", async (t) => {
        const { error } = await fetch(host, ["http://127.0.0.1:1/f", `${busy.url}/f`]);
        t.match(error, { _tag: "NetworkUnreachable", attempts: [{ reason: /ECONNREFUSED/ }, { status: 503 }] });
        t.match(error?.message, /proxy settings/);
        const refused = await serve(t, { "/f": status(403) });
        t.match((await fetch(host, [`${refused.url}/f`])).error, {
          _tag: "NetworkUnreachable",
          attempts: [{ status: 403 }],
        });
        t.equal(refused.requests.length, 1, "a refusal is final");
      });

      t.test("wrong content is an error of its own, whatever other mirrors say", async (t) => {
        const { error, file, parts } = await fetch(host, [`${bad.url}/f`, `${empty.url}/f`]);
        t.match(error, {
          _tag: "HashMismatch",
          url: `${bad.url}/f`,
          expected: `sha256:${sha256(bytes).hex}`,
          actual: `sha256:${sha256(wrong).hex}`,
        });
        t.match(error?.message, /expected sha256:.*\n.*actual {3}sha256:/);
        t.equal(file, undefined);
        t.strictSame(parts, [], "wrong bytes are not kept");
      });

      t.test("not one byte more than pinned is accepted", async (t) => {
        const server = await serve(t, {
          "/f": endless,
          "/announced": bytes,
        });
        t.match((await fetch(host, [`${server.url}/f`], { size: 100_000 })).error, {
          _tag: "HashMismatch",
          actual: "more than 100000 bytes",
        });
        t.match((await fetch(host, [`${server.url}/announced`], { size: 5 })).error, {
          _tag: "HashMismatch",
          actual: "300000 bytes",
        });
      });

      t.test("a file of unknown size does not fill the disk", async (t) => {
        const server = await serve(t, {
          "/f": endless,
          "/announced": bytes,
        });
        for (const path of ["/f", "/announced"]) {
          const { error, parts } = await fetch(host, [server.url + path], { settings: { byteLimit: 100_000 } });
          t.match(error, { _tag: "HashMismatch", actual: "more than 100000 bytes" }, path);
          t.strictSame(parts, []);
        }
      });

      t.test("a server that falls silent is left", async (t) => {
        const silent = await serve(t, {
          "/f": (_, response) => void response.writeHead(200, { "Content-Length": bytes.length }).write("x"),
          "/g": () => {},
        });
        const { error, file, events } = await fetch(host, [`${silent.url}/g`, `${silent.url}/f`, `${good.url}/f`], {
          settings: { silenceMilliseconds: 100 },
        });
        t.equal(error, undefined);
        t.ok(file?.equals(bytes));
        t.match(
          events.flatMap((event) => (event.type === "fetch-retry" ? [event.reason] : [])),
          [/no answer for 0.1 seconds/, /after 1 bytes: no answer/],
        );
      });

      t.test("a server that cannot be reached is tried last from then on", async (t) => {
        const services = Layer.mergeAll(Layer.succeed(FileSystem, host.fs), Network.layer(fast), Events.silent);
        const tried: string[] = [];
        await host.fs.promises.mkdir(`${host.directory}/late`);
        const one = (name: string) =>
          download({
            name,
            urls: ["http://127.0.0.1:1/f", `${good.url}/f`],
            hash: sha256(bytes),
            destination: `${host.directory}/late/${name}`,
            partial: `${host.directory}/late`,
          });
        const watched = Events.to((event) => event.type === "fetch-retry" && tried.push(event.name));
        await Effect.runPromise(
          Effect.andThen(one("first"), one("second")).pipe(Effect.provide(watched), Effect.provide(services)),
        );
        t.strictSame(tried, ["first"]);
      });
    });

    t.test("redirects are followed, but not for ever", async (t) => {
      const host = makeHost(t);
      const { url } = await serve(t, {
        "/f": bytes,
        "/a": status(302, { Location: "/b" }),
        "/b": status(307, { Location: "f" }),
        "/loop": status(301, { Location: "/loop" }),
        "/file": status(302, { Location: "file:///etc/passwd" }),
      });
      t.ok((await fetch(host, [`${url}/a`])).file?.equals(bytes));
      t.match((await fetch(host, [`${url}/loop`])).error?.message, /more than 10 redirects/);
      t.match((await fetch(host, [`${url}/file`])).error?.message, /neither http nor https/);
    });

    t.test("connections are kept, and few at a time", async (t) => {
      const host = makeHost(t);
      let now = 0;
      let most = 0;
      const names = Array.from({ length: 40 }, (_, index) => `file ${index}`);
      const answers = Object.fromEntries(
        names.map((name, index) => [
          `/${index}`,
          (_: unknown, response: { on(event: string, listener: () => void): void; end(text: string): void }) => {
            most = Math.max(most, ++now);
            response.on("close", () => now--);
            setTimeout(() => response.end(name), 5);
          },
        ]),
      );
      const server = await serve(t, answers as never);
      const effect = Effect.forEach(
        names,
        (name, index) =>
          download({
            name,
            urls: [`${server.url}/${index}`],
            hash: sha256(Buffer.from(name)),
            destination: `${host.directory}/${index}`,
            partial: host.directory,
          }),
        { concurrency: "unbounded" },
      );
      let started = 0;
      let together = 0;
      const events = Events.to(({ type }) => {
        if (type === "fetch-started") together = Math.max(together, ++started);
        if (type === "fetch-finished") started--;
      });
      const services = Layer.mergeAll(Layer.succeed(FileSystem, host.fs), Network.layer({ parallel: 3 }), events);
      await Effect.runPromise(effect.pipe(Effect.provide(services)));
      t.equal(most, 3);
      t.equal(together, 3, "the others have not begun, and hold no open file");
      t.equal(server.connections(), 3);
      t.equal(await host.fs.promises.readFile(`${host.directory}/39`, "utf8"), "file 39");
    });

    t.test("an interrupted download keeps what arrived and lets go of the connection", async (t) => {
      const host = makeHost(t);
      let closed = (): void => {};
      const disconnected = new Promise<void>((resolve) => (closed = resolve));
      const { url } = await serve(t, {
        "/f": (_, response) => {
          response.on("close", () => closed());
          response.writeHead(200, { "Content-Length": bytes.length }).write(bytes.subarray(0, 1000));
        },
      });
      const services = Layer.mergeAll(Layer.succeed(FileSystem, host.fs), Network.layer(), Events.silent);
      const effect = download({
        name: "f",
        urls: [`${url}/f`],
        hash: sha256(bytes),
        destination: `${host.directory}/f`,
        partial: host.directory,
      });
      const part = `${host.directory}/sha256-${sha256(bytes).hex}.part`;
      await Effect.runPromise(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(effect);
          for (;;) {
            const size = yield* Effect.promise(() =>
              host.fs.promises.stat(part).then(
                ({ size }) => size,
                () => 0,
              ),
            );
            if (size === 1000) break;
            yield* Effect.sleep(1);
          }
          yield* Fiber.interrupt(fiber);
        }).pipe(Effect.provide(services)),
      );
      await disconnected;
      t.equal((await host.fs.promises.stat(part)).size, 1000);
    });

    t.test("sha512 pins work, unusable URLs are named", async (t) => {
      const host = makeHost(t);
      const { url } = await serve(t, { "/f": bytes });
      const hash = { algorithm: "sha512", hex: createHash("sha512").update(bytes).digest("hex") } as const;
      t.ok((await fetch(host, [`${url}/f`], { hash })).file?.equals(bytes));
      t.match(
        (await fetch(host, ["ftp://x/f"])).error?.message,
        /cannot fetch 'ftp:\/\/x\/f': 'ftp:' is not supported/,
      );
      t.match((await fetch(host, ["nonsense"])).error?.message, /not a URL/);
    });

    t.test("proxies", async (t) => {
      const host = makeHost(t);
      const origin = await serve(t, { "/f": bytes });
      const seen: string[] = [];
      const proxy = createServer((request, response) => {
        seen.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
        httpRequest(request.url ?? "", { headers: request.headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        }).end();
      });
      proxy.on("connect", (request, socket) => {
        seen.push(`CONNECT ${request.url}`);
        const { hostname, port } = new URL(origin.url);
        const upstream = connect(Number(port), hostname, () => {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
          upstream.pipe(socket).pipe(upstream);
        });
        upstream.on("error", () => socket.destroy());
        socket.on("error", () => upstream.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      t.teardown(() => {
        proxy.closeAllConnections();
        proxy.close();
      });
      const address = `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;

      const through = await fetch(host, [`${origin.url}/f`], { settings: { proxy: () => address } });
      t.ok(through.file?.equals(bytes));
      t.strictSame(seen.splice(0), [`${origin.url}/f Basic ${Buffer.from("me:secret").toString("base64")}`]);

      const { error } = await fetch(host, ["https://archive.example/f"], {
        settings: { proxy: () => address, rounds: 1 },
      });
      t.strictSame(seen, ["CONNECT archive.example:443"], "TLS goes through a tunnel");
      t.match(error, { _tag: "NetworkUnreachable" }, "behind which no TLS answered here");
      const socks = await fetch(host, ["https://archive.example/f"], {
        settings: { proxy: () => "socks5://x", rounds: 1 },
      });
      t.match(socks.error?.message, /proxies of type 'socks5:' are not supported/);

      t.test("which one is used", async (t) => {
        const environment = {
          http_proxy: "one:3128",
          HTTPS_PROXY: "http://two",
          no_proxy: "local, .corp.example,10.0.0.1:8080",
        };
        const apt = [
          ["Acquire::http::Proxy", "http://apt"],
          ["Acquire::http::Proxy::near.example", "DIRECT"],
        ] as const;
        const rule = proxyRule(environment);
        const withApt = proxyRule(environment, apt);
        const cases: readonly (readonly [url: string, plain: string | undefined, apt: string | undefined])[] = [
          ["http://a.example/x", "http://one:3128", "http://apt"],
          ["http://near.example/x", "http://one:3128", undefined],
          ["https://a.example/x", "http://two", "http://two"],
          ["https://local/x", undefined, undefined],
          ["https://deep.corp.example/", undefined, undefined],
          ["https://corp.example/", undefined, undefined],
          ["https://notcorp.example/", "http://two", "http://two"],
          ["https://10.0.0.1:8080/", undefined, undefined],
          ["https://10.0.0.1/", "http://two", "http://two"],
        ];
        for (const [url, plain, viaApt] of cases) {
          t.equal(rule(new URL(url)), plain, url);
          t.equal(withApt(new URL(url)), viaApt, `${url} with apt's configuration`);
        }
        t.equal(proxyRule({})(new URL("http://x")), undefined);
      });
    });

    t.test("pool paths become URLs of every mirror", async (t) => {
      const mirrors = Mirrors.layer({
        archives: ["http://a.example/debian/", "http://b.example"],
        security: ["http://s.example/sec"],
      });
      const urls = (path: string) => Effect.runPromise(poolUrls("p", path).pipe(Effect.provide(mirrors)));
      t.strictSame(await urls("pool/main/g/g++/g++_1%3a1~2+b1_arm64.deb"), [
        "http://a.example/debian/pool/main/g/g%2B%2B/g%2B%2B_1%253a1~2%2Bb1_arm64.deb",
        "http://b.example/pool/main/g/g%2B%2B/g%2B%2B_1%253a1~2%2Bb1_arm64.deb",
      ]);
      t.strictSame(await urls("pool/updates/main/o/x.deb"), ["http://s.example/sec/pool/updates/main/o/x.deb"]);
      const none = await Effect.runPromise(
        poolUrls("p", "pool/x").pipe(Effect.flip, Effect.provide(Mirrors.layer({ archives: [], security: [] }))),
      );
      t.match(none.message, /no mirror is known for pool\/x.*HELIOS_DEBIAN_MIRROR/);
    });
  });
}
