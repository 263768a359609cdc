"""Reads the administrators' templates as their own tools would: gpedit, regedit, Intune's client.

It does not know Parley's schema: what it finds stands in the files alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

PD = "{http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions}"
RegistryValue = int | str | list[str]
Registry = dict[str, dict[str, RegistryValue]]
_INTUNE_ENTRY_SEPARATOR = "\uf000"


def read_registry_file(content: bytes) -> Registry:
    """Return the values of a .reg file by full key, as the registry editor would import them."""
    text = content.decode("utf-16")
    assert text.startswith("Windows Registry Editor Version 5.00\r\n\r\n")
    found: Registry = {}
    key = ""
    for line in text.split("\r\n")[1:]:
        if not line or line.startswith(";"):
            continue
        if line.startswith("["):
            key = line.strip("[]")
            found[key] = {}
            continue
        match = re.fullmatch(r'"([^"\\]+)"=(.+)', line)
        assert match is not None, line
        found[key][match[1]] = _registry_data(match[2])
    return found


def _registry_data(data: str) -> RegistryValue:
    kind, _, rest = data.partition(":")
    if kind == "dword":
        return int(rest, 16)
    if kind in {"hex(2)", "hex(7)"}:
        text = bytes.fromhex(rest.replace(",", "")).decode("utf-16-le")
        assert text.endswith("\0")
        return text[:-1] if kind == "hex(2)" else text[:-2].split("\0")
    assert data.startswith('"')
    assert data.endswith('"')
    return re.sub(r"\\(.)", r"\1", data[1:-1])


@dataclass(frozen=True)
class Template:
    """An ADMX file, with what the policy editor does when an administrator sets something."""

    root: Element

    @classmethod
    def of(cls, content: bytes) -> Template:
        """Parse a file."""
        return cls(ElementTree.fromstring(content))

    def policies(self) -> dict[str, Element]:
        """Return the policies by name."""
        found = self.root.findall(f"{PD}policies/{PD}policy")
        assert len({policy.attrib["name"] for policy in found}) == len(found)
        return {policy.attrib["name"]: policy for policy in found}

    def category_path(self, name: str) -> list[str]:
        """Return the names of the categories down to a policy."""
        parents = {
            category.attrib["name"]: category.find(f"{PD}parentCategory")
            for category in self.root.findall(f"{PD}categories/{PD}category")
        }
        parent = self.policies()[name].find(f"{PD}parentCategory")
        path: list[str] = []
        while parent is not None:
            path.insert(0, parent.attrib["ref"])
            parent = parents[path[0]]
        return path

    def written(self, name: str, value: bool | int | str | list[str]) -> Registry:
        """Return what is written when an administrator enables a policy with a value.

        Refuses what the editor's own fields would refuse.
        """
        policy = self.policies()[name]
        key, elements = policy.attrib["key"], policy.find(f"{PD}elements")
        if elements is None:
            state = "enabledValue" if value else "disabledValue"
            decimal = policy.find(f"{PD}{state}/{PD}decimal")
            assert decimal is not None
            return {key: {policy.attrib["valueName"]: int(decimal.attrib["value"])}}
        (element,) = elements
        return {key: {element.attrib["valueName"]: _entered(element, value)}}

    def sent_by_intune(self, uri: str, payload: str) -> Registry:
        """Return what Windows writes for a row of a custom profile, after ingesting the file."""
        match = re.fullmatch(r"\./(Device|User)/Vendor/MSFT/Policy/Config/([^/]+)/([^/]+)", uri)
        assert match is not None
        assert match[2].split("~") == ["Parley", "Policy", *self.category_path(match[3])]
        state, *data = ElementTree.fromstring(f"<row>{payload}</row>")
        if not data:
            return self.written(match[3], state.tag == "enabled")
        (datum,), element = data, self._element(match[3])
        assert datum.attrib["id"] == element.attrib["id"]
        value: int | str | list[str] = datum.attrib["value"]
        if element.tag == f"{PD}multiText":
            value = str(value).split(_INTUNE_ENTRY_SEPARATOR)
        elif element.tag == f"{PD}decimal":
            value = int(str(value))
        return self.written(match[3], value)

    def _element(self, name: str) -> Element:
        elements = self.policies()[name].find(f"{PD}elements")
        assert elements is not None
        return elements[0]


def _entered(element: Element, value: bool | int | str | list[str]) -> RegistryValue:
    match element.tag.removeprefix(PD):
        case "decimal":
            assert isinstance(value, int)
            assert int(element.attrib["minValue"]) <= value <= int(element.attrib["maxValue"])
            return value
        case "text":
            assert isinstance(value, str)
            assert 0 < len(value) <= int(element.attrib["maxLength"])
            return value
        case "enum":
            values = [item.findtext(f"{PD}value/{PD}string") for item in element]
            assert value in values
            assert isinstance(value, str)
            return value
        case "multiText":
            assert isinstance(value, list)
            assert len(value) <= int(element.attrib["maxStrings"])
            assert all(len(text) <= int(element.attrib["maxLength"]) for text in value)
            return value
        case other:
            raise AssertionError(f"the policy editor knows no {other}")
