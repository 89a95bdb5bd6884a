/** The running demo, and what stands between it and a client: it writes down what passes, and does to answers what networks do. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Client, type ClientOptions } from "../src/index.ts";

function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} says where the demo runs, or with which key`);
  return value;
}

export const URL_OF_DEMO = needed("DEMO_URL");
export const LIVE_KEY = needed("DEMO_LIVE_KEY");
export const ADMIN_KEY = needed("DEMO_ADMIN_KEY");

/** A client of the demo. */
export function connect(options: Partial<ClientOptions> = {}): Client {
  return new Client({ apiKey: LIVE_KEY, baseUrl: URL_OF_DEMO, ...options });
}

/** What becomes of a call: the answer is cut off, or within; it never arrives; or something else answers in the server's place. */
export type Fate = "pass" | "cut" | "cut within" | "cut before" | { status: number; headers?: Record<string, string>; body?: string };

export interface Passed {
  method: string;
  path: string;
  headers: Record<string, string>;
}

/** A server in front of the demo. `plan` says what becomes of the next calls, in their order; after it they pass. */
export class Relay implements AsyncDisposable {
  readonly plan: Fate[] = [];
  readonly passed: Passed[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<Relay> {
    const relay = new Relay();
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = "", url = "" } = request;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    this.passed.push({ method, path: url, headers });
    const fate = this.plan.shift() ?? "pass";
    if (fate === "cut before") return void request.socket.destroy();
    if (typeof fate === "object") return void response.writeHead(fate.status, fate.headers).end(fate.body);
    const { host: _, connection: __, "content-length": ___, ...kept } = headers;
    const body = parts.length > 0 ? Buffer.concat(parts) : null;
    const answer = await fetch(URL_OF_DEMO + url, { method, headers: kept, body });
    const content = Buffer.from(await answer.arrayBuffer());
    if (fate === "cut") return void request.socket.destroy();
    const told = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, answer.status === 204 ? told : { ...told, "content-length": content.length });
    if (fate === "pass") return void response.end(content);
    response.write(content.subarray(0, content.length / 2), () => request.socket.destroy());
  }
}

/** All that a walk yields. */
export async function all<T>(walk: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of walk) found.push(one);
  return found;
}
