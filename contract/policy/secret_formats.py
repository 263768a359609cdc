"""Owns the forms that issuers give their keys and tokens: how they begin and how long they are.

It never looks for one in a text; secret_keys.py does.

Sources: the issuers' own documentation of their token formats (GitHub, GitLab, Slack, AWS, Google,
Stripe, and so on); the length is the least that may follow the beginning.
"""

from __future__ import annotations

_FORMS = """
    4b1d:38 A3-:26 ABIA:16 ABSK:60 ACCA:16 AccountKey:40 AGE-SECRET-KEY-1:58 AIza:35 AKCp:40
    AKIA:16 API-:26 api_org_:34 ASIA:16 atlasv1.:40 authress_:40 bedrock-api-key-:30
    CLOJARS_:40 cmVmd:50 dapi:32 doo_v1_:40 dop_v1_:40 dor_v1_:40 dp.pt.:40 dp.st.:40
    dt0c01.:60 duffel_live_:40 duffel_test_:40 EAAA:22 EAAC:60 EAAM:60 ext_:40 eyJrIjoi:60
    EZAK:40 EZTK:40 figd_:30 fio-u-:60 FLWPUBK_TEST-:20 FLWSECK_TEST-:12 fm1a_:60 fm1r_:60
    fm2_:60 fo1_:40 gho_:30 ghp_:30 ghr_:30 ghs_:30 ghu_:30 github_pat_:40 glagent-:20 glc_:32
    glcbt-:20 gldt-:20 glffct-:20 glft-:20 glimt-:20 gloas-:20 glpat-:20 glptt-:20 glrt-:20
    glsa_:32 glsoat-:20 GOCSPX-:24 GR1348941:20 hf_:30 HRKU-:30 hvb.:40 hvs.:24 ico-:32 ion_:40
    key-:32 lin_api_:30 lin_oauth_:30 live_:30 LTAI:12 nfp_:30 npm_:30 ntn_:40 nvapi-:40
    ops_ey:60 p8e-:30 pat-:30 pat.:40 pk_live_:16 PMAK-:40 pnu_:30 pplx-:30 pscale_oauth_:30
    pscale_pw_:30 pscale_tkn_:30 pul-:30 pypi-:40 rdme_:40 rk_live_:10 rk_prod_:10 rk_test_:10
    rubygems_:40 s-s4t2af-:60 s-s4t2ud-:60 sat.:40 sc_:40 scauth_:40 secret_:32 SG.:40 sgp_:40
    sha256~:40 shippo_live_:30 shippo_test_:30 shpat_:30 shpca_:30 shppa_:30 shpss_:30 sk-:32
    sk-ant-:40 sk-proj-:40 SK:32 sk_live_:10 sk_prod_:10 sk_test_:10 sl.:60 sm_aat_:16
    sm_pat_:16 sm_sat_:16 sntrys_:40 sntryu_:40 sq0atp-:22 sq0csp-:40 SSWS:40 tk-us-:40
    v1.0-:60 vercel_:24 whsec_:24 xapp-:15 xkeysib-:40 xoxa-:8 xoxb-:15 xoxc-:15 xoxd-:15
    xoxe-:20 xoxe.xox:40 xoxo-:15 xoxp-:20 xoxr-:8 xoxs-:15 ya29.:20 ZXlK:40
"""


def _table() -> dict[str, int]:
    pairs = (entry.rsplit(":", 1) for entry in _FORMS.split())
    return {start.lower(): int(length) for start, length in pairs}


LEAST_AFTER_PREFIX: dict[str, int] = _table()
"""What a key begins with, in small letters, to the least number of characters that follow."""

_ACCESS_KEYS = ("AKIA", "ASIA", "ABIA", "ACCA")
_ACCESS_KEY_CHARS = 20
_HEAD_CHARS = 2
_BY_HEAD: dict[str, list[str]] = {}
for _prefix in LEAST_AFTER_PREFIX:
    _BY_HEAD.setdefault(_prefix[:_HEAD_CHARS], []).append(_prefix)


def has_known_form(token: str) -> bool:
    """Tell whether a token begins like an issuer's keys, goes on long enough, and holds a figure.

    One issuer's keys are of letters alone; such a token counts when small and capital ones mix.
    """
    small = token[:24].lower()
    for prefix in _BY_HEAD.get(small[:_HEAD_CHARS], ()):
        if small.startswith(prefix) and len(token) - len(prefix) >= LEAST_AFTER_PREFIX[prefix]:
            rest = token[len(prefix) : len(prefix) + 300]
            mixed = rest.lower() != rest and rest.upper() != rest
            if mixed or any(char.isdigit() for char in rest) or _is_access_key(token):
                return True
    return False


def _is_access_key(token: str) -> bool:
    """Tell whether a token of letters alone has the form of an AWS access key id."""
    return len(token) == _ACCESS_KEY_CHARS and token.isupper() and token[:4] in _ACCESS_KEYS
