/** What is sent: built without I/O, and the same at every attempt. */

const CHANGING = new Set(["POST", "PATCH", "PUT", "DELETE"]);
const RESERVED = ["authorization", "host", "content-length", "transfer-encoding", "cookie"];

/** A value of a parameter; those that are undefined or null are left out. */
export type Parameter = string | number | boolean | Date | null | undefined;
export type Query = Readonly<Record<string, Parameter>>;

/** What a call may have beside its path and its body. */
export interface CallOptions {
  /** Parameters of the URL. */
  readonly query?: Query | undefined;
  /** The name under which the call happens once: a new one for each call, unless you give it. */
  readonly idempotencyKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Ends the call, with its retries. */
  readonly signal?: AbortSignal | undefined;
}

/** One call. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Where the API is: the host's address; one that ends in `/api/v1` is meant, too. */
export class Site {
  readonly origin: string;
  /** What whole paths (`/api/v1/customers`) stand behind. */
  readonly root: string;

  constructor(baseUrl: string) {
    const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
      throw new TypeError("baseUrl is the address of the API's host: https://api.example.com");
    }
    if (url.username || url.password || url.search || url.hash) {
      throw new TypeError("baseUrl is an address alone: neither credential nor query belongs into it");
    }
    this.origin = url.origin;
    this.root = `${url.origin}${url.pathname.replace(/\/+$/, "").replace(/\/api(\/v1)?$/, "")}`;
  }

  /** The URL of a path. An absolute one has to be of the same host: no credential leaves it. */
  url(path: string, query: Query = {}): string {
    const url = new URL(this.#absolute(path));
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) url.searchParams.append(name, value instanceof Date ? value.toISOString() : String(value));
    }
    return url.href;
  }

  #absolute(path: string): string {
    if (path.startsWith(`${this.origin}/`)) return path;
    if (!path.startsWith("/") || path.startsWith("//") || path.includes("\\")) {
      throw new TypeError("a path begins with one slash, as /customers does; the address of another host is refused");
    }
    return path.startsWith("/api/") ? `${this.root}${path}` : `${this.root}/api/v1${path}`;
  }
}

/** A call. Throws TypeError for what cannot be sent. */
export function callOf(method: string, url: string, body: string | undefined, given: HeadersInit, options: CallOptions): Call {
  const headers = headersOf(given);
  for (const name of RESERVED) {
    if (headers.has(name)) throw new TypeError(`${name}: the client sets this header itself`);
  }
  if (CHANGING.has(method)) {
    const name = options.idempotencyKey ?? headers.get("idempotency-key") ?? crypto.randomUUID();
    if (!isVisible(name) || name.length > 255) throw new TypeError("an idempotency key has 1 to 255 visible ASCII characters");
    headers.set("idempotency-key", name);
  } else if (options.idempotencyKey !== undefined) {
    throw new TypeError(`an idempotency key means nothing to a ${method}`);
  }
  if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  return { method, url, headers, body, signal: options.signal };
}

/** The path of these segments, each of which stays one. Throws TypeError for an id that is none. */
export function pathOf(...segments: readonly (string | number)[]): string {
  for (const segment of segments) {
    if (/^\.*$/.test(String(segment))) throw new TypeError(`${JSON.stringify(segment)} is no id`);
  }
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}

/** Whether text can be the value of a header: visible ASCII, and not empty. */
export function isVisible(text: string): boolean {
  return /^[!-~]+$/.test(text);
}

function headersOf(given: HeadersInit): Headers {
  try {
    return new Headers(given);
  } catch {
    // The error's own text would repeat the value.
    throw new TypeError("a header holds what it may not");
  }
}
