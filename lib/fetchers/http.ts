import * as http from "node:http";
import * as https from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import type { ProxyRule } from "./proxies.ts";

/** The answer to one GET request, its body not read yet. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  /** Where redirects led. */
  readonly url: string;
}

/** A server that says nothing for too long. Has a `code`, as Node's own network errors do. */
export class SilenceError extends Error {
  readonly code = "ETIMEDOUT";
}

/** A redirect that leads nowhere, or a proxy that refuses. */
export class HttpProtocolError extends Error {
  readonly code = "EPROTO";
}

const redirectLimit = 10;

/**
 * GET requests over kept-alive connections, through proxies, following
 * redirects. Node's own fetch cannot use proxies without another dependency.
 */
export class HttpClient {
  readonly #proxy: ProxyRule;
  readonly #silence: number;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;
  /** One agent for each proxy that tunnels TLS. */
  readonly #tunnels = new Map<string, https.Agent>();
  readonly #parallel: number;

  constructor(proxy: ProxyRule, silenceMilliseconds: number, parallel: number) {
    this.#proxy = proxy;
    this.#silence = silenceMilliseconds;
    this.#parallel = parallel;
    this.#plain = new http.Agent({ keepAlive: true, maxSockets: parallel });
    this.#secure = new https.Agent({ keepAlive: true, maxSockets: parallel });
  }

  /** Resolves when the headers are there. `offset` asks for the bytes from there on. */
  async get(url: string, offset: number, signal: AbortSignal): Promise<HttpAnswer> {
    let current = new URL(url);
    for (let redirects = 0; redirects <= redirectLimit; redirects++) {
      const body = await this.#request(current, offset, signal);
      const status = body.statusCode ?? 0;
      const location = body.headers.location;
      if (![301, 302, 303, 307, 308].includes(status) || location === undefined) {
        return { status, headers: body.headers, body, url: current.href };
      }
      // Read to its end, so that the connection can be used again.
      body.resume();
      if (!URL.canParse(location, current.href))
        throw new HttpProtocolError(`it redirects to '${location}', which is no URL`);
      current = new URL(location, current);
      if (current.protocol !== "http:" && current.protocol !== "https:") {
        throw new HttpProtocolError(`it redirects to '${current.href}', which is neither http nor https`);
      }
    }
    throw new HttpProtocolError(`more than ${redirectLimit} redirects`);
  }

  close(): void {
    for (const agent of [this.#plain, this.#secure, ...this.#tunnels.values()]) agent.destroy();
  }

  #request(url: URL, offset: number, signal: AbortSignal): Promise<IncomingMessage> {
    const headers: Record<string, string> = {
      "User-Agent": "helios-flake",
      // Compressed on the way, the bytes would not be the pinned ones.
      "Accept-Encoding": "identity",
      ...(offset > 0 ? { Range: `bytes=${offset}-` } : {}),
    };
    const proxy = this.#proxy(url);
    const options: https.RequestOptions = { headers, signal, timeout: this.#silence };
    return new Promise((resolve, reject) => {
      const request = this.#start(url, proxy, options);
      const silent = (): SilenceError => new SilenceError(`no answer for ${this.#silence / 1000} seconds`);
      let response: IncomingMessage | undefined;
      request.once("response", (message) => {
        response = message;
        resolve(message);
      });
      request.once("error", reject);
      // Whoever reads the body learns why it ended, which "aborted" alone would not say.
      request.on("timeout", () => (response ?? request).destroy(silent()));
      request.end();
    });
  }

  #start(url: URL, proxy: string | undefined, options: https.RequestOptions): http.ClientRequest {
    if (url.protocol === "https:") {
      const agent = proxy === undefined ? this.#secure : this.#tunnel(proxy);
      return https.request(url, { ...options, agent });
    }
    if (proxy === undefined) return http.request(url, { ...options, agent: this.#plain });
    // To a proxy the request line names the whole URL.
    const { host, authorization } = parseProxy(proxy);
    return http.request({
      ...options,
      ...host,
      agent: this.#plain,
      path: url.href,
      headers: { ...(options.headers as Record<string, string>), Host: url.host, ...authorization },
    });
  }

  #tunnel(proxy: string): https.Agent {
    const known = this.#tunnels.get(proxy);
    if (known !== undefined) return known;
    const agent = new TunnelAgent(proxy, this.#silence, { keepAlive: true, maxSockets: this.#parallel });
    this.#tunnels.set(proxy, agent);
    return agent;
  }
}

/** Makes TLS connections through a proxy's CONNECT. */
class TunnelAgent extends https.Agent {
  readonly #proxy: string;
  readonly #silence: number;

  constructor(proxy: string, silence: number, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
    this.#silence = silence;
  }

  override createConnection(
    options: https.RequestOptions,
    callback: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const { host, authorization } = parseProxy(this.#proxy);
    const target = `${options.host}:${options.port ?? 443}`;
    // Node's types want a socket even with an error; nobody reads it.
    const fail = (error: Error): void => callback(error, undefined as unknown as Duplex);
    const connect = http.request({
      ...host,
      method: "CONNECT",
      path: target,
      headers: { Host: target, ...authorization },
      timeout: this.#silence,
    });
    connect.once("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        fail(new HttpProtocolError(`the proxy refuses with status ${response.statusCode}`));
        return;
      }
      const servername = options.servername ?? options.host ?? "";
      callback(null, tls.connect({ ...(options as tls.ConnectionOptions), socket, servername }));
    });
    connect.once("timeout", () => connect.destroy(new SilenceError("the proxy does not answer")));
    connect.once("error", fail);
    connect.end();
    return undefined;
  }
}

function parseProxy(proxy: string): {
  readonly host: { readonly hostname: string; readonly port: number };
  readonly authorization: Readonly<Record<string, string>>;
} {
  if (!URL.canParse(proxy)) throw new HttpProtocolError(`the proxy '${proxy}' is not a URL`);
  const url = new URL(proxy);
  if (url.protocol !== "http:") throw new HttpProtocolError(`proxies of type '${url.protocol}' are not supported`);
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    host: { hostname: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? 80 : Number(url.port) },
    authorization:
      url.username === "" ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(credentials).toString("base64")}` },
  };
}
