/** What came back: read once, without I/O. */

const HIDDEN = new Set(["secret", "client_secret", "access_token", "refresh_token", "token"]);
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;.*)?$/i;
const MEMBER = /"((?:[^"\\]|\\.)*)"((?:\s*;\s*[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\.)*"|[^;,"]*))?)*)/g;
const PARAMETER = /;\s*([a-z*][a-z0-9_.*-]*)=(\d+)/g;

/** What is left of one limit, by its headers. `quota` and `windowSeconds` are absent where only the rest was told. */
export interface Budget {
  name: string;
  remaining: number;
  resetSeconds: number;
  quota?: number;
  windowSeconds?: number;
}

/** One answer. `data` is its JSON, undefined where there is none. Printed or turned into JSON, it hides secrets. */
export class Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly data: T;

  constructor(status: number, headers: Headers, text: string) {
    this.status = status;
    this.headers = headers;
    this.text = text;
    this.data = read(headers, text) as T;
    const neverStored = headers.get("cache-control")?.includes("no-store") ?? false;
    const hidden = neverStored ? new Set([...HIDDEN, "url"]) : HIDDEN;
    Object.defineProperty(this, "text", { enumerable: false });
    if (isObject(this.data)) {
      const data = this.data;
      Object.defineProperty(data, INSPECT, { value: () => shown(data, hidden), enumerable: false });
    }
    Object.defineProperty(this, "toJSON", {
      value: () => ({ status, requestId: this.requestId, data: shown(this.data, hidden) }),
      enumerable: false,
    });
  }

  /** The call's line in the request log. */
  get requestId(): string | undefined {
    return this.headers.get("x-request-id") ?? undefined;
  }

  /** Whether this is the stored answer of an earlier call with the same idempotency key. */
  get replayed(): boolean {
    return this.headers.get("idempotent-replayed") === "true";
  }

  /** How long the server asks to wait (RFC 9110 §10.2.3). */
  get retryAfterSeconds(): number | undefined {
    const text = this.headers.get("retry-after")?.trim() ?? "";
    if (/^\d{1,9}$/.test(text)) return Number(text);
    const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
  }

  /** What is left of each limit, by its name, from `RateLimit` and `RateLimit-Policy`. */
  get rateLimits(): Map<string, Budget> {
    const policies = members(this.headers.get("ratelimit-policy") ?? "");
    const budgets = new Map<string, Budget>();
    for (const [name, { r, t }] of members(this.headers.get("ratelimit") ?? "")) {
      if (r === undefined) continue;
      const { q, w } = policies.get(name) ?? {};
      const policy = { ...(q === undefined ? {} : { quota: q }), ...(w === undefined ? {} : { windowSeconds: w }) };
      budgets.set(name, { name, remaining: r, resetSeconds: t ?? 0, ...policy });
    }
    return budgets;
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function read(headers: Headers, text: string): unknown {
  if (!JSON_TYPE.test(headers.get("content-type")?.trim() ?? "")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(value: unknown, hidden: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => shown(one, hidden));
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, one]) => [name, hidden.has(name) && typeof one === "string" ? "…" : shown(one, hidden)]));
}

/** The members of a list of strings with parameters (RFC 9651 §3.1), with those parameters that are whole numbers. */
function members(header: string): Map<string, Partial<Record<string, number>>> {
  const found = new Map<string, Partial<Record<string, number>>>();
  for (const [, name = "", parameters = ""] of header.matchAll(MEMBER)) {
    const numbers = [...parameters.matchAll(PARAMETER)].map(([, key = "", value]) => [key, Number(value)]);
    found.set(name.replaceAll(/\\(.)/g, "$1"), Object.fromEntries(numbers));
  }
  return found;
}
