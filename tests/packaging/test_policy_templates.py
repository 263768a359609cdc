"""The administrators' templates as documents: whole, translated, within their formats' rules.

It does not read values back; test_policies.py does.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from app.settings.keys import Key
from app.settings.schema import Origin, load_schema
from installers.places import ROOT
from installers.policies import reference
from installers.policies.admx import adml, admx
from installers.policies.catalogue import Policy, managed_policies
from installers.policies.oma_uri import INGESTION_URI, oma_uri_page, setting_uri
from installers.policies.words import LANGUAGES, Words, load_words, missing_words
from tests.packaging.policy_readers import PD, Template

POLICIES = managed_policies()
WORDS = load_words(POLICIES)
TEMPLATE = Template.of(admx(POLICIES))
ADML = {culture: ElementTree.fromstring(adml(POLICIES, words)) for culture, words in WORDS.items()}
# What stands for which element in the editor, [MS-GPREG] 7.2.
BOXES = {
    "text": "textBox",
    "decimal": "decimalTextBox",
    "enum": "dropdownList",
    "multiText": "multiTextBox",
}

in_each_language = pytest.mark.parametrize("culture", sorted(LANGUAGES))
by_key = pytest.mark.parametrize("policy", POLICIES, ids=[policy.key for policy in POLICIES])


def strings(culture: str) -> dict[str, str]:
    """Return a language's texts by their id; each id stands once."""
    found = ADML[culture].findall(f"{PD}resources/{PD}stringTable/{PD}string")
    assert len({one.attrib["id"] for one in found}) == len(found)
    return {one.attrib["id"]: one.text or "" for one in found}


def presentations(culture: str) -> dict[str, Element]:
    """Return a language's presentations by their id."""
    found = ADML[culture].findall(f"{PD}resources/{PD}presentationTable/{PD}presentation")
    return {one.attrib["id"]: one for one in found}


def test_every_setting_that_may_be_managed_has_a_policy() -> None:
    managed = {key for key, one in load_schema().items() if Origin.MANAGED in one.origins}
    assert set(TEMPLATE.policies()) == managed == {policy.key for policy in POLICIES}


def test_the_template_keeps_to_its_format() -> None:
    assert [part.tag.removeprefix(PD) for part in TEMPLATE.root] == [
        "policyNamespaces",
        "resources",
        "supportedOn",
        "categories",
        "policies",
    ]
    values = []
    for name, policy in TEMPLATE.policies().items():
        assert re.fullmatch(r"\w+", name)
        assert policy.attrib["key"] == r"Software\Policies\Parley"
        assert policy.attrib["class"] in {"Machine", "User", "Both"}
        parts = [part.tag.removeprefix(PD) for part in policy]
        switch = ["parentCategory", "supportedOn", "enabledValue", "disabledValue"]
        assert parts in (switch, ["parentCategory", "supportedOn", "elements"])
        assert TEMPLATE.category_path(name)[0] == "Parley"
        (value,) = {one.attrib["valueName"] for one in policy.iter() if "valueName" in one.attrib}
        values.append(value)
        assert value == name
        for one in policy.iter(f"{PD}elements"):
            assert [child.attrib["id"] for child in one] == [name]
    assert len(set(values)) == len(values)


@in_each_language
def test_each_language_has_every_text_and_box_that_the_template_names(culture: str) -> None:
    texts, boxes = strings(culture), presentations(culture)
    raw = ElementTree.tostring(TEMPLATE.root, encoding="unicode")
    assert set(re.findall(r"\$\(string\.(\w+)\)", raw)) == set(texts)
    assert set(re.findall(r"\$\(presentation\.(\w+)\)", raw)) == set(boxes)
    assert all(text.strip() for text in texts.values())
    for name, presentation in boxes.items():
        (element,) = TEMPLATE.policies()[name].iter(f"{PD}elements")
        kind = element[0].tag.removeprefix(PD)
        (box,) = presentation
        assert box.tag == f"{PD}{BOXES[kind]}"
        assert box.attrib["refId"] == element[0].attrib["id"]
        assert (box.text or "").strip() or box.findtext(f"{PD}label")
        if kind == "enum":
            assert 0 <= int(box.attrib["defaultItem"]) < len(element[0])
    for part in (TEMPLATE.root, ADML[culture]):
        assert (part.attrib["revision"], part.attrib["schemaVersion"]) == ("1.0", "1.0")


@pytest.mark.parametrize("culture", sorted(set(LANGUAGES) - {"en-US"}))
def test_a_translation_says_everything_in_its_own_words(culture: str) -> None:
    english, words = WORDS["en-US"], WORDS[culture]
    assert missing_words(words, POLICIES, translated=True) == []
    assert set(words.phrases) == set(english.phrases)
    for policy in POLICIES:
        assert words.description(policy) != english.description(policy)
        for name in re.findall(r"\{\w+\}|https?://[\w.:]+\w", english.description(policy)):
            assert name in words.description(policy)
    for name, phrase in english.phrases.items():
        assert set(re.findall(r"\{\w+\}", words.phrases[name])) == set(
            re.findall(r"\{\w+\}", phrase)
        )
        assert words.phrases[name] != phrase
    if culture == "ja-JP":
        own = [words.title(policy) for policy in POLICIES]
        assert all(re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text) for text in own)


def test_a_missing_translation_is_named() -> None:
    gap = Words(
        **{name: getattr(WORDS["de-DE"], name) for name in Words.__struct_fields__}
        | {"settings": {}, "values": {"Gone": {}}}
    )
    gaps = missing_words(gap, POLICIES, translated=True)
    assert gaps[0] == "-Gone"
    assert {"BackendUrl", "Theme", "Theme.dark"} <= set(gaps)


@in_each_language
@by_key
def test_an_explanation_tells_limits_registry_value_and_what_is_not_done_yet(
    culture: str, policy: Policy
) -> None:
    words = WORDS[culture]
    text = words.explanation(policy)
    opening = words.description(policy) if policy.acted_on else words.phrases["not_yet"]
    assert text.startswith(opening)
    assert words.description(policy) in text
    assert text.endswith(f"{policy.key} ({policy.registry_kind})")
    assert (words.phrases["not_yet"] in text) is not policy.acted_on
    mark = words.phrases["no_effect"].format(title="")
    assert words.title(policy).endswith(mark) is not policy.acted_on
    assert policy.acted_on or not policy.starter
    if policy.setting.type == "integer":
        assert str(policy.setting.maximum) in text
    assert "{" not in text


def test_the_page_for_intune_names_every_setting_once() -> None:
    page = oma_uri_page(POLICIES)
    assert page.count(f"`{INGESTION_URI}`") == 1
    for policy in POLICIES:
        assert page.count(f"`{setting_uri(policy)}`") == 1
    assert not re.search(r"Data type: (?!String\n)", page)


def test_the_committed_reference_is_up_to_date() -> None:
    committed = reference.PAGE.read_text(encoding="utf-8")
    fresh = "write it anew: PYTHONPATH=packaging python -m installers.policies.reference"
    assert committed == reference.reference(), fresh
    assert all(f"\n### {policy.key}\n" in committed for policy in POLICIES)


@by_key
def test_a_setting_is_acted_on_as_the_schema_says(policy: Policy) -> None:
    shown = {ROOT / "ui/models/settings_rows.py", ROOT / "app/settings/keys.py"}
    words = f"Key.{Key(policy.key).name}"
    users = [
        path
        for room in ("app", "ui")
        for path in Path(ROOT / room).rglob("*.py")
        if path not in shown and words in path.read_text(encoding="utf-8")
    ]
    say = "say so in packaging/policy/schema.json (x-stands-at) and write the reference anew"
    assert bool(users) is policy.acted_on, say
