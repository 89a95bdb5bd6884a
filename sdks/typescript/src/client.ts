/** The client. */

import createTyped, { type Client as Typed } from "openapi-fetch";

import type { Answer } from "./answers.ts";
import { Listing } from "./pages.ts";
import { type Call, callOf, type CallOptions, isVisible, type Query, Site } from "./requests.ts";
import {
  Access,
  Apps,
  Connectors,
  Deliveries,
  EmbedKeys,
  Endpoints,
  Events,
  EventTypes,
  Grants,
  Integrations,
  Invitations,
  Keys,
  Logs,
  Members,
  Resource,
  type Schemas,
  Spaces,
  Tokens,
  type Verbs,
} from "./resources.ts";
import type { paths } from "./schema.ts";
import { type Fetch, Sender } from "./send.ts";
import { VERSION } from "./version.ts";

const USER_AGENT = `keyrack-typescript/${VERSION}`;
const BODILESS = new Set([204, 205, 304]);

export interface ClientOptions {
  readonly apiKey: string;
  /** The address of the API's host: `https://api.example.com`. */
  readonly baseUrl: string;
  /** The version of the API that each call asks for; else what the key is pinned to counts. */
  readonly apiVersion?: string;
  /** What each attempt takes at most: 30. */
  readonly timeoutSeconds?: number;
  /** How often a call that fails for a while is sent again, at most: 4. */
  readonly maxRetries?: number;
  /** What a call takes at most, with all its attempts: 120. */
  readonly totalTimeoutSeconds?: number;
  /** Another fetch: with a proxy, say. */
  readonly fetch?: Fetch;
}

/**
 * Calls an API that Keyrack guards. A path is one of the API (`/customers`), or the whole one (`/api/v1/customers`). A call that fails for
 * a while is sent again; one that changes something happens once.
 *
 * `Paths` are the types of the host's OpenAPI document, as `openapi-typescript` makes them; unless named, those of Atrium.
 */
export class Client<Paths extends {} = paths> implements Verbs {
  readonly keys: Keys;
  readonly integrations: Integrations;
  readonly tokens: Tokens;
  readonly embedKeys: EmbedKeys;
  readonly apps: Apps;
  readonly grants: Grants;
  readonly access: Access;
  readonly members: Members;
  readonly invitations: Invitations;
  readonly spaces: Spaces;
  readonly events: Events;
  readonly eventTypes: EventTypes;
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly connectors: Connectors;
  readonly logs: Logs;
  /** Each operation of the document, with the types of its parameters, body and answer: `client.api.GET("/api/v1/customers")`. */
  readonly api: Typed<Paths>;
  readonly #site: Site;
  readonly #sender: Sender;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: ClientOptions) {
    const { apiKey, baseUrl, apiVersion, timeoutSeconds = 30, maxRetries = 4, totalTimeoutSeconds = 120 } = options;
    if (typeof apiKey !== "string" || !isVisible(apiKey)) {
      throw new TypeError("apiKey is one word of visible ASCII characters, as it was copied");
    }
    if (apiVersion !== undefined && !isVisible(apiVersion)) throw new TypeError("apiVersion is one of the API's dates: 2026-11-21");
    if (!(within(timeoutSeconds, 1e6) && within(totalTimeoutSeconds, 1e6) && Number.isInteger(maxRetries) && within(maxRetries + 1, 101))) {
      throw new TypeError("timeoutSeconds and totalTimeoutSeconds are above 0, maxRetries is 0 to 100");
    }
    const rules = { timeout: timeoutSeconds, retriesMax: maxRetries, secondsMax: totalTimeoutSeconds };
    this.#site = new Site(baseUrl);
    this.#sender = new Sender(apiKey, rules, options.fetch ?? ((url, init) => fetch(url, init)));
    const version = apiVersion === undefined ? {} : { "api-version": apiVersion };
    this.#headers = { accept: "application/json", "user-agent": USER_AGENT, ...version };
    this.keys = new Keys(this);
    this.integrations = new Integrations(this);
    this.tokens = new Tokens(this);
    this.embedKeys = new EmbedKeys(this);
    this.apps = new Apps(this);
    this.grants = new Grants(this);
    this.access = new Access(this);
    this.members = new Members(this);
    this.invitations = new Invitations(this);
    this.spaces = new Spaces(this);
    this.events = new Events(this);
    this.eventTypes = new EventTypes(this);
    this.endpoints = new Endpoints(this);
    this.deliveries = new Deliveries(this);
    this.connectors = new Connectors(this);
    this.logs = new Logs(this);
    this.api = createTyped<Paths>({ baseUrl: this.#site.root, fetch: (request) => this.#typed(request) });
  }

  /** Get what is at a path. */
  get<T = unknown>(path: string, options: CallOptions = {}): Promise<Answer<T>> {
    return this.#send("GET", path, undefined, options);
  }

  /** Send JSON to a path, once, whatever becomes of the connection. */
  post<T = unknown>(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer<T>> {
    return this.#send("POST", path, body, options);
  }

  /** Change fields of what is at a path. */
  patch<T = unknown>(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer<T>> {
    return this.#send("PATCH", path, body, options);
  }

  /** Say what is at a path. */
  put<T = unknown>(path: string, body?: unknown, options: CallOptions = {}): Promise<Answer<T>> {
    return this.#send("PUT", path, body, options);
  }

  /** Delete what is at a path. */
  delete<T = undefined>(path: string, options: CallOptions = {}): Promise<Answer<T>> {
    return this.#send("DELETE", path, undefined, options);
  }

  /** List what is at a path, over all pages: `for await (const one of client.list("/customers", { status: "active" }))`. */
  list<T = Record<string, unknown>>(path: string, query: Query = {}, options: Omit<CallOptions, "query"> = {}): Listing<T> {
    return new Listing<T>((asked) => this.get(path, { ...options, query: asked }), query);
  }

  /** The host's own objects of a noun: `client.resource<Customer>("customers").create({ name: "Aurora Outfitters" })`. */
  resource<T = Record<string, unknown>>(...segments: readonly (string | number)[]): Resource<T> {
    return new Resource<T>(this, segments);
  }

  /** The identity of the credential. */
  me(): Promise<Answer<Schemas["Identity"]>> {
    return this.get("/me");
  }

  /** The workspaces that the person of a default token is in, all at once; with another credential its own alone. */
  workspaces(): Promise<Answer<Schemas["MembershipPage"]>> {
    return this.get("/me/workspaces");
  }

  /** What is left of the credential's limits. It is free. */
  rateLimit(): Promise<Answer<Schemas["RateLimit"]>> {
    return this.get("/rate_limit");
  }

  /** What was used of the workspace's plan. It is free. */
  usage(): Promise<Answer<Schemas["Usage"]>> {
    return this.get("/usage");
  }

  /** The workspace. */
  workspace(): Promise<Answer<Schemas["Workspace"]>> {
    return this.get("/workspace");
  }

  /** Switch the workspace's API off, for this client, too: only a person who signs in switches it on again. */
  switchApiOff(): Promise<Answer<Schemas["Workspace"]>> {
    return this.patch("/workspace", { api_enabled: false });
  }

  /** Make a link that opens the console for a member, once: send their browser to its `url` at once. */
  portalLink(fields: Schemas["NewPortalLink"], options?: CallOptions): Promise<Answer<Schemas["PortalLink"]>> {
    return this.post("/portal-links", fields, options);
  }

  async #send<T>(method: string, path: string, body: unknown, options: CallOptions): Promise<Answer<T>> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const call = callOf(method, this.#site.url(path, options.query), sent, { ...options.headers }, options);
    return (await this.#sender.send(this.#complete(call))) as Answer<T>;
  }

  /** Send what the typed core has made of an operation. It throws what every call throws, so `data` is always there. */
  async #typed(request: Request): Promise<Response> {
    const body = request.body === null ? undefined : await request.text();
    const call = callOf(request.method, this.#site.url(request.url), body, request.headers, { signal: request.signal });
    const answer = await this.#sender.send(this.#complete(call));
    return new Response(BODILESS.has(answer.status) ? null : answer.text, { status: answer.status, headers: answer.headers });
  }

  #complete(call: Call): Call {
    for (const [name, value] of Object.entries(this.#headers)) {
      if (!call.headers.has(name)) call.headers.set(name, value);
    }
    return call;
  }
}

function within(value: number, most: number): boolean {
  return value > 0 && value <= most;
}
