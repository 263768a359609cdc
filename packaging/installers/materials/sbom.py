"""Writes the bill of materials: CycloneDX 1.6, of all that ships, the same bytes each time.

It names nothing that no bundle holds. What the wheels say of themselves is gathered by
cyclonedx-py; systems, files, parts inside and hashes are added to that.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from installers.materials.inventory import Item

SPEC_VERSION = "1.6"
Node = dict[str, Any]


def bill(
    items: Sequence[Item],
    gathered: Mapping[str, Node],
    hashes: Mapping[str, Sequence[str]],
    *,
    version: str,
    at_s: int,
) -> str:
    """Return the document as JSON.

    `gathered` holds cyclonedx-py's documents by system, `hashes` the SHA-256 of each wheel's
    published files by the wheel's name, `at_s` the build's time in seconds since 1970.
    """
    described = _described(gathered)
    components = [
        _component(item, items, described.get(item.name, {}), hashes.get(item.name, ()))
        for item in items
        if not item.inside
    ]
    root = f"pkg:generic/parley@{version}"
    document: Node = {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(at_s, UTC).isoformat(),
            "lifecycles": [{"phase": "post-build"}],
            "tools": _tools(gathered),
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "Parley",
                "version": version,
                "purl": root,
            },
        },
        "components": components,
        "dependencies": _dependencies(root, items, gathered),
    }
    digest = hashlib.sha256(_json(document).encode()).hexdigest()
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}"
    return _json(document)


def _component(item: Item, items: Sequence[Item], described: Node, hashes: Sequence[str]) -> Node:
    node = _plain(item)
    for key in ("description", "author", "authors"):
        if key in described:
            node[key] = described[key]
    references = [
        one for one in described.get("externalReferences", []) if one.get("type") != "distribution"
    ]
    if item.home:
        references.append({"type": "website", "url": item.home})
    if hashes:
        references.append(
            {
                "type": "distribution",
                "url": item.purl,
                "comment": "The lock admits no other published file of this version.",
                "hashes": [{"alg": "SHA-256", "content": one} for one in sorted(hashes)],
            }
        )
    if references:
        node["externalReferences"] = references
    inner = [_plain(one) for one in items if one.inside == item.key]
    inner += [_file(one.system, str(one.path), one.sha256) for one in item.files]
    if inner:
        node["components"] = inner
    return node


def _plain(item: Item) -> Node:
    node: Node = {"type": "library", "bom-ref": item.key, "name": item.name}
    if item.version:
        node["version"] = item.version
    if item.holder:
        node["copyright"] = item.holder
    node["licenses"] = [{"expression": item.licence, "acknowledgement": "concluded"}]
    # A bill has one entry per purl and place: the same crate may be inside two wheels.
    node["purl"] = (
        f"{item.purl}@{item.version}" if item.version and "@" not in item.purl else (item.purl)
    )
    node["properties"] = [
        {"name": "parley:system", "value": system} for system in sorted(item.systems)
    ]
    return node


def _file(system: str, path: str, sha256: str) -> Node:
    return {
        "type": "file",
        "bom-ref": f"file:{system}/{path}",
        "name": path,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "properties": [{"name": "parley:system", "value": system}],
    }


def _described(gathered: Mapping[str, Node]) -> dict[str, Node]:
    """Return what cyclonedx-py says of each wheel, the first system's word where they differ."""
    found: dict[str, Node] = {}
    for system in sorted(gathered):
        for one in gathered[system].get("components", []):
            found.setdefault(_lock_name(one), one)
    return found


def _lock_name(component: Node) -> str:
    purl = str(component.get("purl", ""))
    return purl.removeprefix("pkg:pypi/").partition("@")[0]


def _tools(gathered: Mapping[str, Node]) -> Node:
    for system in sorted(gathered):
        tools = gathered[system].get("metadata", {}).get("tools")
        if isinstance(tools, dict):
            return tools
    return {"components": []}


def _dependencies(root: str, items: Sequence[Item], gathered: Mapping[str, Node]) -> list[Node]:
    """Return the graph: the wheels' own, Parley's on what nothing else asks for, parts inside."""
    shipped = {item.name: item.key for item in items if item.wheel}
    graph: dict[str, set[str]] = {item.key: set() for item in items}
    for document in gathered.values():
        names = {one["bom-ref"]: _lock_name(one) for one in document.get("components", [])}
        for edge in document.get("dependencies", []):
            source = shipped.get(names.get(edge["ref"], ""))
            targets = (shipped.get(names.get(one, "")) for one in edge.get("dependsOn", []))
            if source:
                graph[source].update(one for one in targets if one and one != source)
    for item in items:
        if item.inside:
            graph[item.inside].add(item.key)
    wanted = {one for targets in graph.values() for one in targets}
    graph[root] = {item.key for item in items if item.key not in wanted}
    return [_edge(source, graph[source]) for source in sorted(graph)]


def _edge(source: str, targets: Iterable[str]) -> Node:
    ordered = sorted(targets)
    return {"ref": source, "dependsOn": ordered} if ordered else {"ref": source}


def _json(document: Node) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
