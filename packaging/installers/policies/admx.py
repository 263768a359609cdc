"""Writes the administrative template for Windows: ADMX, and one ADML for each language.

It names no template of Windows' own, so that it can be imported where none is.

Elements and their order follow Microsoft's schema of policy definition files, [MS-GPREG] 7.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from app.settings.sources import POLICIES_KEY_WINDOWS
from installers.policies.catalogue import Policy, RegistryKind
from installers.policies.words import Words

NAMESPACE = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
TARGET_NAMESPACE = "Parley.Policies.Parley"
ROOT_CATEGORY = "Parley"
REVISION = "1.0"
_SUPPORTED = "SUPPORTED_Parley"


def admx(policies: tuple[Policy, ...]) -> bytes:
    """Return Parley.admx: which registry value each policy writes."""
    root = _root("policyDefinitions")
    namespaces = SubElement(root, "policyNamespaces")
    SubElement(namespaces, "target", prefix="parley", namespace=TARGET_NAMESPACE)
    SubElement(root, "resources", minRequiredRevision=REVISION)
    definitions = SubElement(SubElement(root, "supportedOn"), "definitions")
    SubElement(definitions, "definition", name=_SUPPORTED, displayName=f"$(string.{_SUPPORTED})")
    _categories(SubElement(root, "categories"), policies)
    listed = SubElement(root, "policies")
    for policy in policies:
        _policy(listed, policy)
    return _written(root)


def adml(policies: tuple[Policy, ...], words: Words) -> bytes:
    """Return Parley.adml in one language: every text that the template refers to."""
    root = _root("policyDefinitionResources")
    SubElement(root, "displayName").text = words.product
    SubElement(root, "description").text = words.about
    resources = SubElement(root, "resources")
    strings = SubElement(resources, "stringTable")
    for name, text in _strings(policies, words).items():
        SubElement(strings, "string", id=name).text = text
    presentations = SubElement(resources, "presentationTable")
    for policy in policies:
        if policy.setting.type != "boolean":
            _presentation(SubElement(presentations, "presentation", id=policy.key), policy, words)
    return _written(root)


def categories(policies: tuple[Policy, ...]) -> tuple[str, ...]:
    """Return the categories below Parley's own, in the schema's order."""
    return tuple(dict.fromkeys(policy.setting.category for policy in policies))


def _root(name: str) -> Element:
    return Element(name, xmlns=NAMESPACE, revision=REVISION, schemaVersion="1.0")


def _categories(parent: Element, policies: tuple[Policy, ...]) -> None:
    SubElement(parent, "category", name=ROOT_CATEGORY, displayName="$(string.Category_Parley)")
    for name in categories(policies):
        shown = f"$(string.Category_{name})"
        category = SubElement(parent, "category", name=name, displayName=shown)
        SubElement(category, "parentCategory", ref=ROOT_CATEGORY)


def _policy(parent: Element, policy: Policy) -> None:
    key, is_switch = policy.key, policy.setting.type == "boolean"
    attributes = {
        "name": key,
        "class": "Both",
        "displayName": f"$(string.{key})",
        "explainText": f"$(string.{key}_Explain)",
        "key": POLICIES_KEY_WINDOWS,
    }
    attributes |= {"valueName": key} if is_switch else {"presentation": f"$(presentation.{key})"}
    element = SubElement(parent, "policy", attributes)
    SubElement(element, "parentCategory", ref=policy.setting.category)
    SubElement(element, "supportedOn", ref=_SUPPORTED)
    if is_switch:
        for name, number in (("enabledValue", "1"), ("disabledValue", "0")):
            SubElement(SubElement(element, name), "decimal", value=number)
    else:
        _element(SubElement(element, "elements"), policy)


def _element(parent: Element, policy: Policy) -> None:
    setting = policy.setting
    common = {"id": policy.key, "valueName": policy.key, "required": "true"}
    if policy.registry_kind is RegistryKind.TEXTS:
        limits = {"maxLength": str(setting.items.max_length), "maxStrings": str(setting.max_items)}
        SubElement(parent, "multiText", common | limits)
    elif policy.registry_kind is RegistryKind.DWORD:
        limits = {"minValue": str(setting.minimum), "maxValue": str(setting.maximum)}
        SubElement(parent, "decimal", common | limits)
    elif setting.enum:
        choice = SubElement(parent, "enum", common)
        for value in setting.enum:
            shown = f"$(string.{policy.key}_{value})"
            item = SubElement(choice, "item", displayName=shown)
            SubElement(SubElement(item, "value"), "string").text = value
    else:
        limits = {"maxLength": str(setting.max_length)}
        if policy.registry_kind is RegistryKind.EXPANDABLE:
            limits["expandable"] = "true"
        SubElement(parent, "text", common | limits)


def _strings(policies: tuple[Policy, ...], words: Words) -> dict[str, str]:
    strings = {_SUPPORTED: words.supported, "Category_Parley": words.product}
    strings |= {f"Category_{name}": words.categories[name] for name in categories(policies)}
    for policy in policies:
        strings[policy.key] = words.title(policy)
        strings[f"{policy.key}_Explain"] = words.explanation(policy)
        for value in policy.setting.enum:
            strings[f"{policy.key}_{value}"] = words.value_label(policy, value)
    return strings


def _presentation(parent: Element, policy: Policy, words: Words) -> None:
    setting, label = policy.setting, words.title(policy)
    if setting.type == "array":
        SubElement(parent, "multiTextBox", refId=policy.key).text = label
    elif setting.type == "integer":
        default = str(setting.default)
        box = SubElement(parent, "decimalTextBox", refId=policy.key, defaultValue=default)
        box.text = label
    elif setting.enum:
        default = str(setting.enum.index(str(setting.default)))
        attributes = {"refId": policy.key, "noSort": "true", "defaultItem": default}
        SubElement(parent, "dropdownList", attributes).text = label
    else:
        box = SubElement(parent, "textBox", refId=policy.key)
        SubElement(box, "label").text = label


def _written(root: Element) -> bytes:
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    whole = f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
    return whole.replace("\n", "\r\n").encode()
