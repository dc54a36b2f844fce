import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A web server on the loopback that answers as a test says. */
export interface TestServer {
  readonly url: string;
  /** "GET /path range" of each request so far. */
  readonly requests: string[];
  /** Connections accepted so far. */
  readonly connections: () => number;
  readonly server: Server;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server; it ends with the test. Paths without an answer are 404. */
export async function serve(
  t: { teardown(callback: () => void): void },
  answers: Readonly<Record<string, Answer | Buffer>>,
): Promise<TestServer> {
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    const { url = "", method = "", headers } = request;
    requests.push(`${method} ${url}${headers.range === undefined ? "" : ` ${headers.range}`}`);
    const answer = answers[url];
    if (answer === undefined) response.writeHead(404).end("gone");
    else if (Buffer.isBuffer(answer)) whole(answer)(request, response);
    else answer(request, response);
  };
  const server = createServer(listener);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, connections: () => connections, server };
}

/** The file as a good server sends it, with ranges. */
export function whole(bytes: Buffer): Answer {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (request.headers.range === undefined) {
      response.writeHead(200, { "Content-Length": bytes.length }).end(bytes);
    } else if (start >= bytes.length) {
      response.writeHead(416, { "Content-Range": `bytes */${bytes.length}` }).end();
    } else {
      const rest = bytes.subarray(start);
      const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { "Content-Length": rest.length, "Content-Range": range }).end(rest);
    }
  };
}

/** Sends the first bytes of what was asked for, and then cuts the connection. */
export function cut(bytes: Buffer, after: number): Answer {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = bytes.subarray(start);
    const headers = {
      "Content-Length": rest.length,
      "Content-Range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
    };
    response.writeHead(start === 0 ? 200 : 206, headers);
    response.write(rest.subarray(0, after), () => response.destroy());
  };
}

/** Answers in turn, the last one forever. */
export function inTurn(...answers: readonly Answer[]): Answer {
  let turn = 0;
  return (request, response) => answers[Math.min(turn++, answers.length - 1)]?.(request, response);
}

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end();
  };

export function sha256(bytes: Buffer): { readonly algorithm: "sha256"; readonly hex: string } {
  return { algorithm: "sha256", hex: createHash("sha256").update(bytes).digest("hex") };
}
