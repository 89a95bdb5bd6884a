/** Lists, over all their pages. */

import { type Answer, isObject } from "./answers.ts";
import { UnreadableAnswerError } from "./errors.ts";
import type { Query } from "./requests.ts";

/** One page of a list. `nextCursor` leads to the next one, where there is more. */
export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
  readonly nextCursor: string | undefined;
  readonly answer: Answer;
}

/** A list: `for await (const customer of client.list("/customers"))`. Each walk begins anew. */
export class Listing<T> implements AsyncIterable<T> {
  readonly #get: (query: Query) => Promise<Answer>;
  readonly #query: Query;

  constructor(get: (query: Query) => Promise<Answer>, query: Query) {
    this.#get = get;
    this.#query = query;
  }

  /** The first page alone. */
  async page(): Promise<Page<T>> {
    return pageOf(await this.#get(this.#query));
  }

  /** Page by page, to keep a cursor or to see the answers. */
  async *pages(): AsyncGenerator<Page<T>, void, void> {
    let query = this.#query;
    for (;;) {
      const page = pageOf<T>(await this.#get(query));
      yield page;
      if (page.nextCursor === undefined) return;
      if (page.nextCursor === query["cursor"]) {
        throw new UnreadableAnswerError("The list goes on with the page that it has just shown.", page.answer);
      }
      query = { ...query, cursor: page.nextCursor, starting_after: undefined };
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for await (const page of this.pages()) yield* page.data;
  }
}

function pageOf<T>(answer: Answer): Page<T> {
  const { data, has_more: hasMore, next_cursor: cursor } = isObject(answer.data) ? answer.data : {};
  const isCursor = typeof cursor === "string" && cursor !== "";
  if (!Array.isArray(data) || typeof hasMore !== "boolean" || hasMore !== isCursor) {
    throw new UnreadableAnswerError("The answer is no page of a list.", answer);
  }
  return { data: data as T[], hasMore, nextCursor: isCursor ? cursor : undefined, answer };
}
