"""The words of the templates in each language: titles, explanations, labels.

It does not write a file; a missing translation stops the build.
"""

from __future__ import annotations

import msgspec

from app.settings.schema import Origin, Value
from installers.faults import BuildFault
from installers.places import PACKAGING
from installers.policies.catalogue import Policy

LANGUAGES = {"en-US": "en", "de-DE": "de", "ja-JP": "ja"}
TRANSLATIONS = PACKAGING / "policy" / "translations"


class SettingWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting's title and description."""

    title: str
    description: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything said in one language; English takes titles and descriptions from the schema."""

    product: str
    about: str
    supported: str
    yes: str
    no: str
    empty: str
    categories: dict[str, str]
    values: dict[str, dict[str, str]]
    phrases: dict[str, str]
    settings: dict[str, SettingWords] = {}

    def title(self, policy: Policy) -> str:
        """Return a setting's title, and with it whether it has no effect yet."""
        title = self._setting(policy).title
        return title if policy.acted_on else self.phrases["no_effect"].format(title=title)

    def description(self, policy: Policy) -> str:
        """Return what a setting does."""
        return self._setting(policy).description

    def value_label(self, policy: Policy, value: str) -> str:
        """Return the label of one of several allowed values."""
        return self.values[policy.key][value]

    def shown(self, policy: Policy, value: Value) -> str:
        """Return a value in words."""
        if isinstance(value, bool):
            return self.yes if value else self.no
        if value in ("", ()):
            return self.empty
        if isinstance(value, tuple):
            return ", ".join(value)
        if isinstance(value, str) and policy.setting.enum:
            return self.value_label(policy, value)
        return str(value)

    def explanation(self, policy: Policy) -> str:
        """Return the whole explanation of a policy, in paragraphs."""
        setting, phrases = policy.setting, self.phrases
        default = self.shown(policy, setting.default_value)
        is_switch = setting.type == "boolean"
        limits = [phrases["switch"] if is_switch else phrases["value"]]
        if setting.type == "integer":
            limits.append(phrases["range"].format(minimum=setting.minimum, maximum=setting.maximum))
        if setting.type == "array":
            limits.append(phrases["entries"].format(maximum=setting.max_items))
        if setting.format == "absolute-path":
            limits.append(phrases["path"])
        if not is_switch:
            limits.append(phrases["disabled"])
        limits.append(phrases[_otherwise(policy)].format(default=default))
        opening = [] if policy.acted_on else [phrases["not_yet"]]
        parts = [*opening, self.description(policy), "\n".join(limits), phrases["takes_effect"]]
        return "\n\n".join([*parts, f"{policy.key} ({policy.registry_kind})"])

    def _setting(self, policy: Policy) -> SettingWords:
        return self.settings.get(policy.key) or SettingWords(
            policy.setting.title, policy.setting.description
        )


def load_words(policies: tuple[Policy, ...]) -> dict[str, Words]:
    """Return the words by the language's name on Windows; raises BuildFault for a gap."""
    found: dict[str, Words] = {}
    for culture, language in LANGUAGES.items():
        path = TRANSLATIONS / f"{language}.json"
        try:
            found[culture] = msgspec.json.decode(path.read_bytes(), type=Words)
        except (OSError, msgspec.DecodeError) as fault:
            raise BuildFault(f"{path.name} can't be read: {fault}") from fault
        if gaps := missing_words(found[culture], policies, translated=language != "en"):
            raise BuildFault(f"{path.name} lacks {', '.join(gaps)}.")
    return found


def missing_words(words: Words, policies: tuple[Policy, ...], *, translated: bool) -> list[str]:
    """Return what a language lacks, or says of settings that don't exist (`-` in front)."""
    keys = {policy.key for policy in policies}
    wanted_values = {policy.key: set(policy.setting.enum) for policy in policies}
    gaps = sorted(f"-{key}" for key in {*words.settings, *words.values} - keys)
    for policy in policies:
        if translated and policy.key not in words.settings:
            gaps.append(policy.key)
        if policy.setting.category not in words.categories:
            gaps.append(policy.setting.category)
        labels = set(words.values.get(policy.key, {}))
        gaps.extend(f"{policy.key}.{value}" for value in sorted(wanted_values[policy.key] ^ labels))
    return gaps


def _otherwise(policy: Policy) -> str:
    setting = policy.setting
    if Origin.INSTALLER not in setting.origins:
        return "otherwise_managed"
    if Origin.USER not in setting.origins:
        return "otherwise_installed"
    suggested = setting.installer == "suggested"
    return "otherwise_suggested" if suggested else "otherwise_fixed"
