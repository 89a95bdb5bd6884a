/** Calls an API that Keyrack guards, and verifies its webhooks. */

export { Answer, type Budget } from "./answers.ts";
export { Client, type ClientOptions } from "./client.ts";
export {
  AlreadyDoneError,
  AuthenticationError,
  ConflictError,
  type FieldError,
  GoneError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  KeyrackError,
  type Made,
  NoAnswerError,
  NotFoundError,
  PermissionDeniedError,
  QuotaExceededError,
  RateLimitError,
  ServerError,
  StatusError,
  TimedOutError,
  UnreadableAnswerError,
  WebhookVerificationError,
} from "./errors.ts";
export type { Listing, Page } from "./pages.ts";
export type { CallOptions, Query } from "./requests.ts";
export type { Resource, Schemas } from "./resources.ts";
export type { components, paths } from "./schema.ts";
export * as webhooks from "./webhooks.ts";
