"""The brand's colour, in shades that can be read on every ground (WCAG 2.2 §1.4.3)."""

CONTRAST_MIN = 4.5
LIGHT_GROUND, DARK_GROUND = "#ececee", "#28282c"
"""The grounds on which text is hardest to read: a row that somebody points at."""


def brand_sheet(color: str) -> str:
    """Return the style sheet that holds a brand's colour: as a ground, for text on it, and as text on a light and on a dark page."""
    on_light, on_dark = readable(color, LIGHT_GROUND), readable(color, DARK_GROUND)
    return f":root {{ --brand: {color}; --on-brand: {readable_on(color)}; --brand-text: light-dark({on_light}, {on_dark}); }}\n"


def readable_on(color: str) -> str:
    """Return black or white, whichever has more contrast on a colour `#rrggbb`: at least 4.5 to 1."""
    return max("#000000", "#ffffff", key=lambda text: contrast(text, color))


def readable(color: str, ground: str) -> str:
    """Return the colour, moved towards black or white as far as text in it needs to be read on a ground."""
    towards = readable_on(ground)
    for step in range(101):
        mixed = _mixed(color, towards, step / 100)
        if contrast(mixed, ground) >= CONTRAST_MIN:
            return mixed
    return towards


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 (none) to 21 (black and white), as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _parts(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]


def _mixed(color: str, towards: str, share: float) -> str:
    parts = (round(own + (other - own) * share) for own, other in zip(_parts(color), _parts(towards), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _luminance(color: str) -> float:
    """Relative luminance, 0 (black) to 1 (white)."""
    shares = (part / 255 for part in _parts(color))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
