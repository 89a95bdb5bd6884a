/** The management API by its nouns, with the types of the OpenAPI document. Each method is one operation. */

import type { Answer } from "./answers.ts";
import type { Listing } from "./pages.ts";
import { type CallOptions, pathOf, type Query } from "./requests.ts";
import type { components, paths } from "./schema.ts";

export type Schemas = components["schemas"];
type Filters<Path extends keyof paths> = paths[Path] extends { get: { parameters: { query?: infer Given } } } ? NonNullable<Given> : never;
type Id = string | number;
/** A body of which only these fields have to be given: the others have defaults. */
type Given<Body, Needed extends keyof Body> = Pick<Body, Needed> & Partial<Omit<Body, Needed>>;

/** What the nouns need of a client. */
export interface Verbs {
  list<T>(path: string, query?: Query, options?: Omit<CallOptions, "query">): Listing<T>;
  get<T>(path: string, options?: CallOptions): Promise<Answer<T>>;
  post<T>(path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>>;
  patch<T>(path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>>;
  put<T>(path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>>;
  delete<T>(path: string, options?: CallOptions): Promise<Answer<T>>;
}

class Noun {
  protected readonly verbs: Verbs;

  constructor(verbs: Verbs) {
    Object.defineProperty(this, "verbs", { enumerable: false });
    this.verbs = verbs;
  }
}

/** A host's own objects by their noun: `client.resource("customers")`, or `client.resource("customers", "245", "contacts")`. */
export class Resource<T = Record<string, unknown>> {
  readonly #verbs: Verbs;
  readonly #path: string;

  constructor(verbs: Verbs, segments: readonly Id[]) {
    this.#verbs = verbs;
    this.#path = pathOf(...segments);
  }

  list(filters: Query = {}): Listing<T> {
    return this.#verbs.list<T>(this.#path, filters);
  }

  async get(id: Id): Promise<Answer<T>> {
    return this.#verbs.get<T>(this.#path + pathOf(id));
  }

  async create(fields: Record<string, unknown>, options?: CallOptions): Promise<Answer<T>> {
    return this.#verbs.post<T>(this.#path, fields, options);
  }

  async update(id: Id, fields: Record<string, unknown>, options?: CallOptions): Promise<Answer<T>> {
    return this.#verbs.patch<T>(this.#path + pathOf(id), fields, options);
  }

  async delete(id: Id, options?: CallOptions): Promise<Answer<undefined>> {
    return this.#verbs.delete(this.#path + pathOf(id), options);
  }
}

/** Keys. Their secret is in what `create` and `rotate` return, and nowhere else; of a retry that comes after, AlreadyDoneError tells. */
export class Keys extends Noun {
  list(filters: Filters<"/api/v1/keys"> = {}): Listing<Schemas["Key"]> {
    return this.verbs.list(pathOf("keys"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Key"]>> {
    return this.verbs.get(pathOf("keys", id));
  }

  async create(fields: Schemas["NewKey"], options?: CallOptions): Promise<Answer<Schemas["IssuedKey"]>> {
    return this.verbs.post(pathOf("keys"), fields, options);
  }

  async update(id: string, fields: Schemas["KeyChanges"]): Promise<Answer<Schemas["Key"]>> {
    return this.verbs.patch(pathOf("keys", id), fields);
  }

  /** End a key for good. When this returns, no call with it is accepted any more. */
  async revoke(id: string): Promise<Answer<Schemas["Key"]>> {
    return this.verbs.delete(pathOf("keys", id));
  }

  /** Replace a key: it goes on working beside its successor, which is returned, for the overlap. */
  async rotate(id: string, fields: Schemas["Rotation"] = {}, options?: CallOptions): Promise<Answer<Schemas["IssuedKey"]>> {
    return this.verbs.post(pathOf("keys", id, "rotate"), fields, options);
  }
}

/** Integrations, with the spaces that each reaches. */
export class Integrations extends Noun {
  list(filters: Filters<"/api/v1/integrations"> = {}): Listing<Schemas["Integration"]> {
    return this.verbs.list(pathOf("integrations"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Integration"]>> {
    return this.verbs.get(pathOf("integrations", id));
  }

  async create(fields: Schemas["NewIntegration"], options?: CallOptions): Promise<Answer<Schemas["Integration"]>> {
    return this.verbs.post(pathOf("integrations"), fields, options);
  }

  async update(id: string, fields: Schemas["IntegrationChanges"]): Promise<Answer<Schemas["Integration"]>> {
    return this.verbs.patch(pathOf("integrations", id), fields);
  }

  async delete(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("integrations", id));
  }

  /** End all its keys of one mode at once, and get the one that takes their place. */
  async rotate(id: string, fields: Schemas["RotationOfMode"] = {}, options?: CallOptions): Promise<Answer<Schemas["IssuedKey"]>> {
    return this.verbs.post(pathOf("integrations", id, "rotate"), fields, options);
  }

  async spaces(id: string): Promise<Answer<Schemas["ReachedPage"]>> {
    return this.verbs.get(pathOf("integrations", id, "spaces"));
  }

  /** Say which spaces it has a role in: these and no others. */
  async setSpaces(id: string, spaces: Schemas["SpacesChosen"]["spaces"]): Promise<Answer<Schemas["ReachedPage"]>> {
    return this.verbs.put(pathOf("integrations", id, "spaces"), { spaces });
  }

  async setSpace(id: string, spaceId: string, role: Schemas["SpaceRole"]): Promise<Answer<Schemas["Reached"]>> {
    return this.verbs.put(pathOf("integrations", id, "spaces", spaceId), { role });
  }

  async removeSpace(id: string, spaceId: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("integrations", id, "spaces", spaceId));
  }
}

/** Embed keys: public keys for pages of others, each bound to one object and to origins. */
export class EmbedKeys extends Noun {
  list(filters: Filters<"/api/v1/embed-keys"> = {}): Listing<Schemas["EmbedKey"]> {
    return this.verbs.list(pathOf("embed-keys"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["EmbedKey"]>> {
    return this.verbs.get(pathOf("embed-keys", id));
  }

  async create(fields: Schemas["NewEmbedKey"], options?: CallOptions): Promise<Answer<Schemas["EmbedKey"]>> {
    return this.verbs.post(pathOf("embed-keys"), fields, options);
  }

  /** Change what is named. With `enabled: false` it is refused everywhere when this returns. */
  async update(id: string, fields: Schemas["EmbedKeyChanges"]): Promise<Answer<Schemas["EmbedKey"]>> {
    return this.verbs.patch(pathOf("embed-keys", id), fields);
  }

  /** End it with the visits that it opened, and get its successor. */
  async replace(id: string, options?: CallOptions): Promise<Answer<Schemas["EmbedKey"]>> {
    return this.verbs.post(pathOf("embed-keys", id, "replace"), undefined, options);
  }

  /** End it for good. When this returns, no call with it is accepted any more. */
  async delete(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("embed-keys", id));
  }
}

/** Personal tokens. A client with a member's default token makes others, and that one's successor; no other client makes any. */
export class Tokens extends Noun {
  list(filters: Filters<"/api/v1/tokens"> = {}): Listing<Schemas["Token"]> {
    return this.verbs.list(pathOf("tokens"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Token"]>> {
    return this.verbs.get(pathOf("tokens", id));
  }

  /** Make a named token. It ends with the token of this client. */
  async create(fields: Schemas["NewToken"], options?: CallOptions): Promise<Answer<Schemas["IssuedToken"]>> {
    return this.verbs.post(pathOf("tokens"), fields, options);
  }

  /** Generate the default token. When this returns, the one of this client is refused: make another client with the new one. */
  async generate(fields: Schemas["Generation"] = {}, options?: CallOptions): Promise<Answer<Schemas["IssuedToken"]>> {
    return this.verbs.post(pathOf("tokens", "default"), fields, options);
  }

  /** End a token for good. When this returns, no call with it is accepted any more. */
  async revoke(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("tokens", id));
  }
}

/** Apps: OAuth clients. Only an org-level Admin registers and changes them. */
export class Apps extends Noun {
  list(filters: Filters<"/api/v1/apps"> = {}): Listing<Schemas["App"]> {
    return this.verbs.list(pathOf("apps"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["App"]>> {
    return this.verbs.get(pathOf("apps", id));
  }

  /** Register an app. */
  async create(
    fields: Given<Schemas["NewApp"], "name" | "redirect_uris" | "scopes">,
    options?: CallOptions,
  ): Promise<Answer<Schemas["IssuedApp"]>> {
    return this.verbs.post(pathOf("apps"), fields, options);
  }

  /** Change fields of an app. When this returns, no token of it reaches further than its new scopes. */
  async update(id: string, fields: Schemas["AppChanges"], options?: CallOptions): Promise<Answer<Schemas["App"]>> {
    return this.verbs.patch(pathOf("apps", id), fields, options);
  }

  /** Rotate an app's client secret. When this returns, the one before proves nothing. */
  async rotate(id: string, options?: CallOptions): Promise<Answer<Schemas["IssuedApp"]>> {
    return this.verbs.post(pathOf("apps", id, "rotate"), undefined, options);
  }

  /** Shut an app out of the workspace, also one that was registered in another. */
  async uninstall(id: string, options?: CallOptions): Promise<Answer<Schemas["Uninstallation"]>> {
    return this.verbs.post(pathOf("apps", id, "uninstall"), undefined, options);
  }

  /** Delete an app. When this returns, every token of it is refused. */
  async delete(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("apps", id));
  }
}

/** What members let apps do: with a member's default token that member's, with one of an org-level Admin all. */
export class Grants extends Noun {
  list(filters: Filters<"/api/v1/grants"> = {}): Listing<Schemas["Grant"]> {
    return this.verbs.list(pathOf("grants"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Grant"]>> {
    return this.verbs.get(pathOf("grants", id));
  }

  /** End a grant for good. When this returns, every token under it is refused. */
  async revoke(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("grants", id));
  }
}

/** What one member, or one partner, could call the API with: `member_id` or `partner` says whose. */
export class Access extends Noun {
  async get(whose: Filters<"/api/v1/access">): Promise<Answer<Schemas["Access"]>> {
    return this.verbs.get(pathOf("access"), { query: whose });
  }

  /** End all of it at once, and return what there was. */
  async revoke(fields: Given<Schemas["Revocation"], never>, options?: CallOptions): Promise<Answer<Schemas["Access"]>> {
    return this.verbs.post(pathOf("access", "revoke"), fields, options);
  }
}

/** Members. Roles are changed by people who sign in. */
export class Members extends Noun {
  list(filters: Filters<"/api/v1/members"> = {}): Listing<Schemas["Member"]> {
    return this.verbs.list(pathOf("members"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Member"]>> {
    return this.verbs.get(pathOf("members", id));
  }

  async update(id: string, fields: Schemas["MemberChanges"]): Promise<Answer<Schemas["Member"]>> {
    return this.verbs.patch(pathOf("members", id), fields);
  }

  async remove(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("members", id));
  }
}

/** Invitations. A link that does not go by mail is in what `create` and `renew` return, and nowhere else. */
export class Invitations extends Noun {
  list(filters: Filters<"/api/v1/invitations"> = {}): Listing<Schemas["Invitation"]> {
    return this.verbs.list(pathOf("invitations"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Invitation"]>> {
    return this.verbs.get(pathOf("invitations", id));
  }

  async create(fields: Schemas["NewInvitation"], options?: CallOptions): Promise<Answer<Schemas["Invited"]>> {
    return this.verbs.post(pathOf("invitations"), fields, options);
  }

  async renew(id: string, options?: CallOptions): Promise<Answer<Schemas["Invited"]>> {
    return this.verbs.post(pathOf("invitations", id, "renew"), undefined, options);
  }

  async revoke(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("invitations", id));
  }
}

/** Spaces, and who is in them. */
export class Spaces extends Noun {
  list(filters: Filters<"/api/v1/spaces"> = {}): Listing<Schemas["Space"]> {
    return this.verbs.list(pathOf("spaces"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Space"]>> {
    return this.verbs.get(pathOf("spaces", id));
  }

  async create(fields: Schemas["SpaceNamed"], options?: CallOptions): Promise<Answer<Schemas["Space"]>> {
    return this.verbs.post(pathOf("spaces"), fields, options);
  }

  async rename(id: string, name: string): Promise<Answer<Schemas["Space"]>> {
    return this.verbs.patch(pathOf("spaces", id), { name });
  }

  async delete(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("spaces", id));
  }

  members(id: string, filters: Filters<"/api/v1/spaces/{space_id}/members"> = {}): Listing<Schemas["Holder"]> {
    return this.verbs.list(pathOf("spaces", id, "members"), filters);
  }

  async setRole(id: string, holderId: string, role: Schemas["SpaceRole"]): Promise<Answer<Schemas["Holder"]>> {
    return this.verbs.put(pathOf("spaces", id, "members", holderId), { role });
  }

  async removeRole(id: string, holderId: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("spaces", id, "members", holderId));
  }
}

type Following = Pick<Filters<"/api/v1/events">, "type" | "object_type" | "object_id" | "actor_id">;
/** How long the server keeps a call waiting for the next event; the timeout of an attempt has to be longer. */
const WAIT_SECONDS = 20;

/** Events. `list({ sort: "created_at", starting_after: lastId })`, again and again, meets each one once. */
export class Events extends Noun {
  list(filters: Filters<"/api/v1/events"> = {}): Listing<Schemas["Event"]> {
    return this.verbs.list(pathOf("events"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Event"]>> {
    return this.verbs.get(pathOf("events", id));
  }

  /**
   * The events behind the one with the id `after`, or from now on, and each new one when it comes, without an end. A call that fails for
   * good throws out of the loop: keep the id of the last event to go on behind it.
   */
  async *follow(filters: Following = {}, after?: string): AsyncGenerator<Schemas["Event"], void, void> {
    let last = after ?? (await this.list({ limit: 1 }).page()).data[0]?.id;
    for (;;) {
      const behind = last === undefined ? {} : { starting_after: last };
      const asked = { ...filters, ...behind, sort: "created_at", limit: 100, wait_seconds: WAIT_SECONDS } as const;
      for (const event of (await this.list(asked).page()).data) {
        last = event.id;
        yield event;
      }
    }
  }
}

/** What can happen, and what endpoints are told of it. */
export class EventTypes extends Noun {
  list(filters: Filters<"/api/v1/event-types"> = {}): Listing<Schemas["EventType"]> {
    return this.verbs.list(pathOf("event-types"), filters);
  }

  async get(name: string): Promise<Answer<Schemas["EventType"]>> {
    return this.verbs.get(pathOf("event-types", name));
  }
}

/** Webhook endpoints. Their secret is in what `create` and `rotate` return, and nowhere else. */
export class Endpoints extends Noun {
  list(filters: Filters<"/api/v1/endpoints"> = {}): Listing<Schemas["Endpoint"]> {
    return this.verbs.list(pathOf("endpoints"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["Endpoint"]>> {
    return this.verbs.get(pathOf("endpoints", id));
  }

  async create(fields: Given<Schemas["NewEndpoint"], "url" | "events">, options?: CallOptions): Promise<Answer<Schemas["IssuedEndpoint"]>> {
    return this.verbs.post(pathOf("endpoints"), fields, options);
  }

  async update(id: string, fields: Schemas["EndpointChanges"]): Promise<Answer<Schemas["Endpoint"]>> {
    return this.verbs.patch(pathOf("endpoints", id), fields);
  }

  /** Delete an endpoint. When this returns, no attempt to deliver to it begins any more. */
  async delete(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("endpoints", id));
  }

  /** Give it a new secret. For the overlap (a day unless you say otherwise), deliveries are signed with the one before, too. */
  async rotate(id: string, overlapSeconds?: number, options?: CallOptions): Promise<Answer<Schemas["IssuedEndpoint"]>> {
    return this.verbs.post(pathOf("endpoints", id, "rotate"), overlapSeconds === undefined ? {} : { overlap_seconds: overlapSeconds }, options);
  }

  /** Send a sample of an event type, and see what was sent and answered. */
  async test(id: string, type: string): Promise<Answer<Schemas["Attempt"]>> {
    return this.verbs.post(pathOf("endpoints", id, "test"), { type });
  }

  /** Have sent again what it has missed since a moment. */
  async replay(id: string, since: string): Promise<Answer<Schemas["Replay"]>> {
    return this.verbs.post(pathOf("endpoints", id, "replay"), { since });
  }

  deliveries(id: string, filters: Filters<"/api/v1/endpoints/{endpoint_id}/deliveries"> = {}): Listing<Schemas["Delivery"]> {
    return this.verbs.list(pathOf("endpoints", id, "deliveries"), filters);
  }
}

/** What was sent to endpoints, and what is to be. */
export class Deliveries extends Noun {
  list(filters: Filters<"/api/v1/deliveries"> = {}): Listing<Schemas["Delivery"]> {
    return this.verbs.list(pathOf("deliveries"), filters);
  }

  async get(id: string): Promise<Answer<Schemas["WholeDelivery"]>> {
    return this.verbs.get(pathOf("deliveries", id));
  }

  /** Have it sent again at once. Its `webhook-id` stays the same. */
  async resend(id: string, options?: CallOptions): Promise<Answer<Schemas["Delivery"]>> {
    return this.verbs.post(pathOf("deliveries", id, "resend"), undefined, options);
  }
}

/** Connectors: accounts at vendors. Only an org-level Admin reads and changes them, and no test key changes any. */
export class Connectors extends Noun {
  list(filters: Filters<"/api/v1/connectors"> = {}): Listing<Schemas["Connector"]> {
    return this.verbs.list(pathOf("connectors"), filters);
  }

  /** Get a connector, without its secrets. */
  async get(id: string): Promise<Answer<Schemas["Connector"]>> {
    return this.verbs.get(pathOf("connectors", id));
  }

  /** Connect an account. Without events, all go there that can. */
  async create(fields: Schemas["NewConnector"], options?: CallOptions): Promise<Answer<Schemas["Connector"]>> {
    return this.verbs.post(pathOf("connectors"), fields, options);
  }

  /** Change fields of a connector. Of `settings` those that are named; an empty text takes one away. */
  async update(id: string, fields: Schemas["ConnectorChanges"], options?: CallOptions): Promise<Answer<Schemas["Connector"]>> {
    return this.verbs.patch(pathOf("connectors", id), fields, options);
  }

  /** Delete a connector, and destroy its credentials. When this returns, no call to its vendor begins any more. */
  async delete(id: string): Promise<Answer<undefined>> {
    return this.verbs.delete(pathOf("connectors", id));
  }

  /** Ask the vendor whether it takes the credentials. Nothing changes there. */
  async check(id: string): Promise<Answer<Schemas["ConnectorCheck"]>> {
    return this.verbs.post(pathOf("connectors", id, "check"));
  }

  /** What events became there. */
  calls(id: string, filters: Filters<"/api/v1/connectors/{connector_id}/calls"> = {}): Listing<Schemas["ConnectorCall"]> {
    return this.verbs.list(pathOf("connectors", id, "calls"), filters);
  }

  /** Get one call, with what was sent. */
  async call(id: string, callId: string): Promise<Answer<Schemas["ConnectorCall"]>> {
    return this.verbs.get(pathOf("connectors", id, "calls", callId));
  }

  /** Have a call sent again that was given up, or skipped while its connector was off. */
  async retry(id: string, callId: string, options?: CallOptions): Promise<Answer<Schemas["ConnectorCall"]>> {
    return this.verbs.post(pathOf("connectors", id, "calls", callId, "retry"), undefined, options);
  }
}

/** The calls of the caller's integration; for an org-level Admin all of the workspace. */
export class Logs extends Noun {
  list(filters: Filters<"/api/v1/logs"> = {}): Listing<Schemas["Log"]> {
    return this.verbs.list(pathOf("logs"), filters);
  }

  async get(requestId: string): Promise<Answer<Schemas["Log"]>> {
    return this.verbs.get(pathOf("logs", requestId));
  }
}
