"""One description of an operation, which both clients have: the blocking one returns what is read, the other one waits for it."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from keyrack.client.answers import Answer
from keyrack.client.errors import UnreadableAnswerError
from keyrack.client.requests import Request
from keyrack.client.send import AsyncSender, SyncSender

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=SyncSender | AsyncSender)


class Part(Generic[S]):
    """A part of a client: it holds the sender, and describes operations."""

    def __init__(self, sender: S) -> None:
        self._sender = sender


class Operation(Generic[P, T]):
    """A method of a part, written once: it builds the call, and the part's sender runs it."""

    def __init__(self, build: Callable[Concatenate[Any, P], Request[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, part: None, owner: object = None) -> Self: ...

    @overload
    def __get__(self, part: Part[SyncSender], owner: object = None) -> Callable[P, T]: ...

    @overload
    def __get__(self, part: Part[AsyncSender], owner: object = None) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, part: Part[Any] | None, owner: object = None) -> Any:
        if part is None:
            return self
        sender = part._sender

        @wraps(self._build)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return sender.run(self._build(part, *args, **kwargs))

        return call


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` leads to the next one, where there is more."""

    data: list[T]
    has_more: bool
    next_cursor: str | None
    answer: Answer


class Pages(Generic[S, T]):
    """A list, page by page: `for page in client.keys.list().pages()`. Each walk begins anew."""

    def __init__(self, sender: S, first: Request[Page[T]]) -> None:
        self._sender = sender
        self._first = first

    def __iter__(self: "Pages[SyncSender, T]") -> Iterator[Page[T]]:
        if not isinstance(self._sender, SyncSender):
            raise TypeError("this list is of an AsyncClient: async for")
        request: Request[Page[T]] | None = self._first
        while request is not None:
            page = self._sender.run(request)
            yield page
            request = _following(request, page)

    async def __aiter__(self: "Pages[AsyncSender, T]") -> AsyncIterator[Page[T]]:
        if not isinstance(self._sender, AsyncSender):
            raise TypeError("this list is of a Client: for, without async")
        request: Request[Page[T]] | None = self._first
        while request is not None:
            page = await self._sender.run(request)
            yield page
            request = _following(request, page)


class Listing(Part[S], Generic[S, T]):
    """A list, over all its pages: `for key in client.keys.list()`, or `async for`. Each walk begins anew."""

    def __init__(self, sender: S, first: Request[Page[T]]) -> None:
        super().__init__(sender)
        self._first = first

    def pages(self) -> Pages[S, T]:
        """Return it page by page, to keep a cursor or to see the answers."""
        return Pages(self._sender, self._first)

    @Operation
    def page(self) -> Request[Page[T]]:
        """Get the first page alone."""
        return self._first

    def __iter__(self: "Listing[SyncSender, T]") -> Iterator[T]:
        for page in self.pages():
            yield from page.data

    async def __aiter__(self: "Listing[AsyncSender, T]") -> AsyncIterator[T]:
        async for page in self.pages():
            for one in page.data:
                yield one


def page_of(read: Callable[[Any, Answer], T]) -> Callable[[Answer], Page[T]]:
    """Return what reads a page, whose objects `read` does. Raises UnreadableAnswerError for what is no list."""

    def page(answer: Answer) -> Page[T]:
        data, has_more, cursor = answer.get("data"), answer.get("has_more"), answer.get("next_cursor")
        if not isinstance(data, list) or not isinstance(has_more, bool) or not isinstance(cursor, str | None) or has_more != bool(cursor):
            raise UnreadableAnswerError("The answer is no page of a list.", answer)
        return Page([read(one, answer) for one in data], has_more, cursor, answer)

    return page


def _following(request: Request[Page[T]], page: Page[T]) -> Request[Page[T]] | None:
    """Return the call for the page that follows. Raises UnreadableAnswerError for a list that goes in circles."""
    if page.next_cursor is None:
        return None
    if page.next_cursor == request.query.get("cursor"):
        raise UnreadableAnswerError("The list goes on with the page that it has just shown.", page.answer)
    return request.with_query(cursor=page.next_cursor, starting_after=None)
