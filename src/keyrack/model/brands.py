"""Brands: what makes one product's page of keys look unlike another's. Everything here is configuration of one model, never a branch."""

import re
from dataclasses import dataclass, field, fields

from keyrack.model.permissions import ALL, Level, Rights
from keyrack.model.principals import Mode

TEST_SUFFIX, TOKEN_SUFFIX, EMBED_SUFFIX, VISIT_SUFFIX = "_test", "_pat", "_embed", "_visit"
OAUTH_SUFFIXES = {"access_token": "_oat", "refresh_token": "_ort", "code": "_oac", "client_secret": "_ocs"}
PREFIX_LENGTH_MAX = 24
TEXT_LENGTH_MAX = 60
LOGO_LENGTH_MAX = 100_000
LISTS = frozenset({"keys", "integrations"})
_PREFIX = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_EMAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}")
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]{0,500})?")
_HOME = re.compile(r"(https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?)?/(?![/\\])[!-~]{0,500}")


@dataclass(frozen=True, slots=True)
class Words:
    """What a brand calls our nouns: singular, as they stand inside a sentence. Raises ValueError for an empty or overlong word.

    `name` is what a key's name is called (name, label), `create` stands on the button that leads to a new key (Create key, Create new),
    `end` is the verb on the button that ends one (Revoke, Delete). `docs` and `reference` are what links to the docs and to the list of
    endpoints are called.
    """

    workspace: str = "workspace"
    integration: str = "integration"
    key: str = "API key"
    name: str = "name"
    create: str = "Create key"
    end: str = "Revoke"
    docs: str = "Docs"
    reference: str = "API reference"

    def __post_init__(self) -> None:
        for word in fields(self):
            _check_text(f"words.{word.name}", getattr(self, word.name))

    @property
    def workspaces(self) -> str:
        """What several workspaces are called: `companies` where one is a company."""
        ends_in_y = self.workspace[-1] == "y" and self.workspace[-2:-1] not in "aeiou"
        return f"{self.workspace[:-1]}ies" if ends_in_y else f"{self.workspace}s"


@dataclass(frozen=True, slots=True)
class Brand:
    """How a host presents Keyrack to its customers. Raises ValueError for values that could not work.

    `name` is the product's name. `key_prefix` is what every secret begins with: `pivotal` makes `pivotal_…`, and `pivotal_test_…` for
    test keys, which exist only with `test_mode`. `all_by_default` gives a key that names neither an integration nor permissions all
    of them; otherwise it gets none. `several_keys` lets an integration hold more than one usable key, so that a swap needs no downtime.

    `public_prefix` is what embed keys begin with, where `key_prefix` says of a key that it is secret: `pivra` makes `pivra_embed_…` beside
    `pivra_sk_…`.

    `edits_levels` offers the level of each category for editing, `edits_org_and_spaces` the org-level access and the space roles; with
    neither, people see no rights at all. With `personal_tokens`, members who may use the API hold tokens of their own. `lists` are the
    lists of credentials that the console shows: `keys`, `integrations`, both, or none where there are personal tokens.
    With `reveals`, new workspaces keep the secrets of their keys, sealed, for admins who ask to see one again: each can switch it off.
    `api_toggle` shows the switch of the API, `api_enabled_at_first` says whether new workspaces begin with it on. `webhooks` shows the
    page on which endpoints are managed. `home` is where the console leads back to the product: a path of this host below its root, or an
    https address; without one nothing does.
    `navigation` are the titles that lead to the first of them, from the outside in; `section` is the list's own title on its page, where
    that holds more. `creates_in_place` has the field for a new key's name beside the list: it gets the default rights.
    `color` is the console's accent, written `#rrggbb`; text on it is black or white, whichever can be read. `logo` is an SVG document;
    without one the console shows the name's first letter.
    `support_email`, `support_url` and `status_url` are where the docs send people who need help, each where there is one. `community` is
    where developers meet, written as `home`: docs and console lead there.
    """

    name: str
    key_prefix: str
    public_prefix: str = ""
    test_mode: bool = True
    all_by_default: bool = False
    several_keys: bool = True
    edits_levels: bool = True
    edits_org_and_spaces: bool = True
    personal_tokens: bool = True
    reveals: bool = False
    api_toggle: bool = True
    api_enabled_at_first: bool = True
    webhooks: bool = True
    lists: tuple[str, ...] = ("keys", "integrations")
    navigation: tuple[str, ...] = ("Settings", "API & Webhooks")
    section: str = ""
    creates_in_place: bool = False
    words: Words = field(default_factory=Words)
    color: str = "#3451b2"
    logo: str = field(default="", repr=False)
    support_email: str = ""
    support_url: str = ""
    status_url: str = ""
    home: str = ""
    community: str = ""

    def __post_init__(self) -> None:
        _check_text("name", self.name)
        if len(self.key_prefix) > PREFIX_LENGTH_MAX or not _PREFIX.fullmatch(self.key_prefix):
            raise ValueError(f"key_prefix {self.key_prefix!r}: use a-z, 0-9 and single _ between them, at most {PREFIX_LENGTH_MAX} places")
        if self.public_prefix and (len(self.public_prefix) > PREFIX_LENGTH_MAX or not _PREFIX.fullmatch(self.public_prefix)):
            raise ValueError(f"public_prefix {self.public_prefix!r}: write it as key_prefix is written")
        of_oauth = ((suffix, "what apps hold") for suffix in OAUTH_SUFFIXES.values())
        of_pages = ((EMBED_SUFFIX, "embed keys"), (VISIT_SUFFIX, "visitors' sessions"))
        for suffix, others in ((TEST_SUFFIX, "test keys"), (TOKEN_SUFFIX, "personal tokens"), *of_oauth, *of_pages):
            # `embed` alone, too: the head of a key would stand inside its embed keys.
            if self.key_prefix.endswith(suffix) or f"_{self.key_prefix}" == suffix == EMBED_SUFFIX:
                raise ValueError(f"key_prefix {self.key_prefix!r} ends in {suffix}: live keys would look like {others}")
        if isinstance(self.navigation, str) or not self.navigation:
            raise ValueError('navigation is a tuple of at least one title, like ("Settings", "API keys")')
        needs_one = not self.lists and not self.personal_tokens
        if needs_one or len(set(self.lists)) < len(self.lists) or not set(self.lists) <= LISTS:
            raise ValueError(f"lists {self.lists!r}: name at least one of {', '.join(sorted(LISTS))}, each once")
        for title in (*self.navigation, self.section or self.navigation[0]):
            _check_text("navigation", title)
        if self.creates_in_place and self.edits_levels:
            raise ValueError("creates_in_place with edits_levels: whoever makes a key there could not choose what it may do")
        if not (self.api_toggle or self.api_enabled_at_first):
            raise ValueError("api_enabled_at_first is False without an api_toggle: nobody could switch the API on")
        for what, place in (("home", self.home), ("community", self.community)):
            if place and not _HOME.fullmatch(place):
                raise ValueError(f"{what} {place!r}: write a path like /customers, or an address that begins with https://")
        if not _COLOR.fullmatch(self.color):
            raise ValueError(f"color {self.color!r}: write #rrggbb in lower case, like #3451b2")
        if self.logo and (not self.logo.startswith("<svg") or len(self.logo) > LOGO_LENGTH_MAX):
            raise ValueError(f"logo: give the text of an SVG document, which begins with <svg and has at most {LOGO_LENGTH_MAX} characters")
        if self.support_email and not _EMAIL.fullmatch(self.support_email):
            raise ValueError(f"support_email {self.support_email!r}: write an address like support@example.com")
        for name, url in (("support_url", self.support_url), ("status_url", self.status_url)):
            if url and not _URL.fullmatch(url):
                raise ValueError(f"{name} {url!r}: write an address that begins with https://")

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that keys may have."""
        return (Mode.LIVE, Mode.TEST) if self.test_mode else (Mode.LIVE,)

    @property
    def token_prefix(self) -> str:
        """What a personal token begins with, without the underscore that follows."""
        return self.key_prefix + TOKEN_SUFFIX

    @property
    def embed_prefix(self) -> str:
        """What an embed key begins with, without the underscore that follows. No secret begins so."""
        return (self.public_prefix or self.key_prefix) + EMBED_SUFFIX

    @property
    def visit_prefix(self) -> str:
        """What the token of a visit begins with, without the underscore that follows."""
        return self.key_prefix + VISIT_SUFFIX

    def oauth_prefix(self, what: str) -> str:
        """Return what an `access_token`, a `refresh_token`, a `code` or a `client_secret` begins with, without the underscore."""
        return self.key_prefix + OAUTH_SUFFIXES[what]

    @property
    def lasting_prefixes(self) -> tuple[str, ...]:
        """What every secret begins with that works for more than a minute: what scanners look for, without the underscore that follows."""
        of_oauth = (self.oauth_prefix(what) for what in OAUTH_SUFFIXES if what != "code")
        return (*(self.prefix(mode) for mode in self.modes), self.token_prefix, *of_oauth)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What every secret begins with: what is masked wherever it stands."""
        return (*self.lasting_prefixes, self.oauth_prefix("code"), self.visit_prefix)

    @property
    def default_rights(self) -> Rights:
        """The rights of an integration that was made for a key, where nobody chose any."""
        return Rights(permissions={ALL: Level.WRITE}) if self.all_by_default else Rights()

    def prefix(self, mode: Mode) -> str:
        """Return what a secret of this mode begins with, without the underscore that follows."""
        return self.key_prefix + (TEST_SUFFIX if mode is Mode.TEST else "")


def _check_text(what: str, text: str) -> None:
    if not text.strip() or len(text) > TEXT_LENGTH_MAX or not text.isprintable():
        raise ValueError(f"{what} {text!r}: write 1 to {TEXT_LENGTH_MAX} printable characters")
