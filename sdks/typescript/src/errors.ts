/** What the client throws. Every error is a KeyrackError; a mistake in how the client itself is used is a TypeError. */

import { type Answer, isObject } from "./answers.ts";

/** A call went wrong. Its text never holds a secret. */
export class KeyrackError extends Error {
  override name = "KeyrackError";
}

/** No answer came: the connection could not be made, or was cut. Whether the call was carried out is unknown. */
export class NoAnswerError extends KeyrackError {
  override name = "NoAnswerError";
}

/** No answer came in time. Whether the call was carried out is unknown. */
export class TimedOutError extends NoAnswerError {
  override name = "TimedOutError";
}

/** An answer came that is none of this API: a redirect, no JSON, another shape, or too large. */
export class UnreadableAnswerError extends KeyrackError {
  override name = "UnreadableAnswerError";
  readonly answer: Answer | undefined;

  constructor(message: string, answer?: Answer) {
    super(message);
    this.answer = answer;
  }
}

/** A delivery that nobody signed with these secrets, or too long ago. */
export class WebhookVerificationError extends KeyrackError {
  override name = "WebhookVerificationError";
}

/** What is wrong with one field. */
export interface FieldError {
  code?: string;
  param?: string | null;
  pointer?: string | null;
  detail?: string;
  fix?: string | null;
}

/** Something that a call made. */
export interface Made {
  object: string;
  id: string;
}

/** An answer that says no: its status is 400 or more. Its facts are those of the problem document (RFC 9457), if it is one. */
export class StatusError extends KeyrackError {
  override name = "StatusError";
  readonly answer: Answer;
  readonly status: number;

  constructor(answer: Answer) {
    super(told(answer));
    this.answer = answer;
    this.status = answer.status;
  }

  /** Which refusal it is: `insufficient_permission`. The page `docUrl` explains it. */
  get code(): string | undefined {
    return text(this.answer, "code");
  }

  /** What is particular to this call, for people. */
  get detail(): string | undefined {
    return text(this.answer, "detail");
  }

  /** The field or parameter at fault. */
  get param(): string | undefined {
    return text(this.answer, "param");
  }

  /** The call's line in the request log; tell it to support. */
  get requestId(): string | undefined {
    return text(this.answer, "request_id") ?? this.answer.requestId;
  }

  /** Where people read that line. */
  get requestLogUrl(): string | undefined {
    return text(this.answer, "request_log_url");
  }

  /** The page that explains the code. */
  get docUrl(): string | undefined {
    return text(this.answer, "doc_url");
  }

  /** Whether the very same call may succeed later without a change. */
  get retryable(): boolean {
    return member(this.answer, "retryable") === true;
  }

  /** What is wrong with each field. */
  get errors(): FieldError[] {
    return objects(this.answer, "errors");
  }

  /** What to send instead, where the server has said so for one of the `errors`. */
  get fix(): string | undefined {
    return this.errors.find((one) => typeof one.fix === "string")?.fix ?? undefined;
  }

  /** How long the server asks to wait. */
  get retryAfterSeconds(): number | undefined {
    return this.answer.retryAfterSeconds;
  }
}

/** The call itself is wrong: `param` and `errors` say where. 400, and other statuses below 500 that have no class of their own. */
export class InvalidRequestError extends StatusError {
  override name = "InvalidRequestError";
}

/** The idempotency key was sent before with another call. */
export class IdempotencyKeyReusedError extends InvalidRequestError {
  override name = "IdempotencyKeyReusedError";
}

/** 401: the credential is missing, unknown, expired, disabled or revoked. */
export class AuthenticationError extends StatusError {
  override name = "AuthenticationError";
}

/** 403: the credential is good and lacks a right. */
export class PermissionDeniedError extends StatusError {
  override name = "PermissionDeniedError";
}

/** 404: nothing there that this credential may know of. */
export class NotFoundError extends StatusError {
  override name = "NotFoundError";
}

/** 409: the object's present state forbids it. */
export class ConflictError extends StatusError {
  override name = "ConflictError";
}

/** A retry of a call that was carried out, whose answer was not kept: for it held a secret (`shown_once`), or was lost. */
export class AlreadyDoneError extends ConflictError {
  override name = "AlreadyDoneError";

  /** What the call made. A key among it can be rotated to get a secret. */
  get made(): Made[] {
    return objects(this.answer, "made");
  }
}

/** 410: a link, or a version of the API, whose end is over. */
export class GoneError extends StatusError {
  override name = "GoneError";
}

/** 429: a limit is used up. `retryAfterSeconds` says until when. */
export class RateLimitError extends StatusError {
  override name = "RateLimitError";

  /** The names of the limits or meters that refused the call. */
  get violatedPolicies(): string[] {
    const found = member(this.answer, "violated-policies");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  }
}

/** What the plan allows is used: in this day or month, or of what may exist. */
export class QuotaExceededError extends RateLimitError {
  override name = "QuotaExceededError";
}

/** 5xx: an error on the other side. */
export class ServerError extends StatusError {
  override name = "ServerError";
}

const BY_CODE: Partial<Record<string, typeof StatusError>> = {
  answer_lost: AlreadyDoneError,
  idempotency_key_reused: IdempotencyKeyReusedError,
  quota_exceeded: QuotaExceededError,
  shown_once: AlreadyDoneError,
};
const BY_STATUS: Partial<Record<number, typeof StatusError>> = {
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  410: GoneError,
  429: RateLimitError,
};

/** The error that an answer which is no success stands for. */
export function errorOf(answer: Answer): KeyrackError {
  if (answer.status < 400) {
    return new UnreadableAnswerError(`The address answers ${answer.status}, which is not followed: is it the API's?`, answer);
  }
  const other = answer.status >= 500 ? ServerError : InvalidRequestError;
  const kind = BY_CODE[text(answer, "code") ?? ""] ?? BY_STATUS[answer.status] ?? other;
  return new kind(answer);
}

/** A member of an answer that is a JSON object. */
export function member(answer: Answer, name: string): unknown {
  return isObject(answer.data) && Object.hasOwn(answer.data, name) ? answer.data[name] : undefined;
}

function text(answer: Answer, name: string): string | undefined {
  const value = member(answer, name);
  return typeof value === "string" ? value : undefined;
}

function objects<T>(answer: Answer, name: string): T[] {
  const found = member(answer, name);
  return Array.isArray(found) ? found.filter(isObject).map((one) => one as T) : [];
}

function told(answer: Answer): string {
  const code = text(answer, "code");
  const what = code ? `${answer.status} ${code}: ${text(answer, "detail") ?? ""}` : `${answer.status}, in no form that this API has`;
  const id = text(answer, "request_id") ?? answer.requestId;
  return id ? `${what} (request ${id})` : what;
}
