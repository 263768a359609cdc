"""Owns the made-up texts of the benchmark's data set: what clients and bankers would write.

It never quotes anybody: every sentence and name was written for it, and a seed decides all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

Chance = random.Random


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """Return the phrases of a text, which bars part."""
    return tuple(text.split("|"))


_GIVEN = words(
    "Hana Marcus Camille Priya Tomas Sofia Johan Oliver Greta Kenji Elena Ruth Anton Beatrice"
    " Carlo Daria Emil Farah Gustav Helene Ivo Jana Klaus Leonie Matteo Nadia Otto Petra Quentin"
    " Rosa Stefan Teresa Ulrich Valérie Werner Yasmin Zoé Aurel Bruna Cyrill Doris Étienne Fiona"
    " Gabriel Hedwig Inès Jürg Karin Lorenz Mireille Niklas Océane Pascal Regula Silvan Tanja"
)
_SYLLABLES = words(
    "ba bel ber brun car dal den dor el fal feld fer gar gro hal hein her jan kar kel lan lem lin"
    " mar mei mon nau nor pel per quen ral ren ros sal schen sel stan tal ter thal ul van vel wal"
    " wen zel zim"
)
_FAMILY_CJK = {
    "ja": words("渡辺 佐藤 鈴木 高橋 田中 伊藤 山本 中村 小林 加藤 吉田 山田 松本 井上 木村 清水"),
    "zh": words("李 王 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗"),
    "ko": words("김 이 박 최 정 강 조 윤 장 임 한 오 서 신 권 황"),
    "th": words("สมชาย สมหญิง อนันต์ กิตติ ปรีชา วิภา ศิริ ธนา มาลี ชัย"),
}
_GIVEN_CJK = {
    "ja": words("花 健二 陽子 直樹 美咲 翔太 由美 大輔 恵 拓也 さくら 和夫"),
    "zh": words("伟 芳 娜 敏 静 强 磊 洋 艳 勇 军 杰 娟 涛 明 超 秀英 丽华 建国 思远"),
    "ko": words("민준 서연 지훈 하은 도윤 수아 예준 지우 현우 은지"),
    "th": words("จันทร์ ใจดี ทองคำ แก้ว สุขสันต์ รุ่งเรือง บุญมี วงศ์ไทย"),
}
CITIES = words(
    "Zürich Geneva Lugano Basel Milan Munich Frankfurt Vienna Paris Lyon London Dublin Madrid"
    " Lisbon Stockholm Oslo Helsinki Warsaw Prague Singapore Tokyo Osaka Taipei Seoul Bangkok"
)
_ORGANISATIONS = ("Family Office", "Holding", "Foundation", "Partners", "Trust", "& Söhne", "Group")
_SLOTS: dict[str, Sequence[str]] = {
    "what": phrases(
        "the quarterly report|the account statement|the portfolio review|the term sheet|"
        "the custody agreement|the tax certificate|the settlement note|the mandate|the valuation|"
        "the fee schedule|the minutes|the order confirmation|the power of attorney|the invoice|"
        "the signature card|the risk profile|the liquidity plan|the performance table"
    ),
    "asset": phrases(
        "short bonds|the gold position|the dollar account|emerging markets|the mortgage|"
        "the pension plan|structured notes|the yen deposit|Swiss equities|the infrastructure fund|"
        "private debt|the money market|convertible bonds|the real estate fund|the hedge"
    ),
    "when": phrases(
        "on Monday|tomorrow|next week|before the weekend|by noon|at the end of the quarter|"
        "after the holidays|on Thursday afternoon|in March|today|within ten days|this evening"
    ),
    "place": phrases(
        "at your office|in the café by the lake|by telephone|in the archive room|on the fourth"
        " floor|at the airport|in our branch|over video|at the notary's"
    ),
}
_SENTENCES = {
    "en": phrases(
        "Thank you, that works for me.|Could you send me {what} {when}?|I have just received {what}"
        " and will look at it {when}.|Please move {amount} into {asset} {when}.|Let us meet {place}"
        " {when}.|{name} from our side will join.|The reference is {code}.|What do you think of"
        " {asset} at this level?|I spoke to {name} about {what}.|We would rather keep {asset} for"
        " now.|The transfer of {amount} has arrived.|Good morning, how are things {place}?|As"
        " discussed, {what} needs a second signature.|My brother asks whether {asset} could be"
        " pledged.|I am travelling and can only answer {when}.|Please call me back on that."
        "|Perfect.|Understood, thanks.|"
        "Order {code} was filled at {price}.|Nothing urgent, {when} is fine."
        "|Is {what} for {name} ready?|The committee decides on {asset} {when}.|Could we lower the"
        " fee to {price} per cent?|I will be {place} {when}, {name} as well.|Best regards"
    ),
    "de": phrases(
        "Vielen Dank für die schnelle Antwort.|Könnten Sie mir bitte den Depotauszug schicken?|Ich"
        " melde mich {when} wieder.|Die Überweisung über {amount} ist eingegangen.|Grüße aus"
        " {city}|Wir möchten {asset} noch etwas halten.|Herr {name} kommt zur Besprechung mit.|Die"
        " Vollmacht liegt bei Ihnen im Büro.|Der Auftrag {code} wurde zu {price} ausgeführt.|Passt"
        " Ihnen Dienstag um vierzehn Uhr?|Bitte prüfen Sie die Gebühren für das dritte Quartal.|In"
        " Ordnung.|Könnten wir die Hypothek vorzeitig verlängern?"
    ),
    "fr": phrases(
        "Merci beaucoup, c'est noté.|Pourriez-vous m'envoyer le relevé du trimestre ?|Je serai à"
        " {city} la semaine prochaine.|Le virement de {amount} est bien arrivé.|Nous préférons"
        " garder les obligations pour l'instant.|Madame {name} participera à la réunion.|L'ordre"
        " {code} a été exécuté à {price}.|Très bien, à jeudi.|Avez-vous reçu la procuration"
        " signée ?|Je vous rappelle après le déjeuner."
    ),
    "ja": phrases(
        "ありがとうございます。|来週の会議は何時からでしょうか。|四半期報告書を確認しました。|"
        "{amount}を円預金に移してください。|木曜日の午後はいかがですか。|承知しました。|"
        "{name}さんも同席します。|注文番号は{code}です。|残高証明書を郵送していただけますか。|"
        "金利の見通しについて教えてください。|東京に戻り次第ご連絡します。|もう少し様子を見たいです。|"
        "手数料の件、社内で検討いたします。|先週の約定分はもう決済されましたか。|資料を拝見しました。"
    ),
    "zh": phrases(
        "谢谢您。|请问季度报告什么时候可以收到？|{amount}已经到账了。|我们下周在苏黎世见面吧。|"
        "好的，没问题。|{name}先生也会参加会议。|订单编号是{code}。|请把账户对账单发给我。|"
        "我想了解一下最近的利率情况。|这笔定期存款到期后请续存。|手续费能不能再优惠一些？|收到，明天给您答复。|"
        "黄金的仓位先不要动。|家族信托的文件准备好了吗？|您看星期四上午方便吗？"
    ),
    "ko": phrases(
        "감사합니다.|분기 보고서를 보내 주시겠어요?|{amount} 입금을 확인했습니다.|"
        "다음 주 목요일에 뵙겠습니다.|"
        "{name} 님도 회의에 참석합니다.|주문 번호는 {code}입니다.|"
        "금리 전망이 궁금합니다.|네, 알겠습니다.|"
        "수수료를 다시 검토해 주세요.|계좌 명세서를 받았습니다."
    ),
    "th": phrases(
        "ขอบคุณมากครับ|ช่วยส่งรายงานไตรมาสให้หน่อยได้ไหมคะ|ได้รับเงินโอน {amount} แล้ว|"
        "นัดประชุมวันพฤหัสบดีหน้าได้ไหมครับ|คุณ{name}จะเข้าร่วมด้วย|เลขที่คำสั่งคือ {code}|"
        "อยากทราบแนวโน้มอัตราดอกเบี้ย|ตกลงค่ะ|กรุณาตรวจสอบค่าธรรมเนียม|ได้รับใบแจ้งยอดบัญชีแล้ว"
    ),
}
# Of conversations, by language; messages of Chinese and Japanese come to a tenth of all.
LANGUAGES = ("en", "de", "fr", "ja", "zh", "ko", "th")
_SHARES = (73, 11, 5, 4, 4, 1.5, 1.5)
_HOW_MANY = (1, 2, 3, 4, 6, 9)
_HOW_MANY_SHARES = tuple(accumulate((37, 30, 17, 10, 4, 2)))
_FILE_NAMES = (
    "Trade confirmation {code}.pdf",
    "Minutes {city}.pdf",
    "Indicative terms {code}.pdf",
    "Signature {name}.jpg",
    "对账单 {code}.pdf",
    "報告書 {code}.pdf",
)


class Person(NamedTuple):
    """A made-up client: name, initials, language, where from."""

    name: str
    initials: str
    language: str
    organisation: str
    city: str


def person(chance: Chance) -> Person:
    """Return a client."""
    language = chance.choices(LANGUAGES, _SHARES)[0]
    if language in _FAMILY_CJK:
        family, given = chance.choice(_FAMILY_CJK[language]), chance.choice(_GIVEN_CJK[language])
        name = f"{given} {family}" if language == "th" else f"{family}{given}"
        initials = family[0] + given[0]
    else:
        family, given = _family(chance), chance.choice(_GIVEN)
        name, initials = f"{given} {family}", given[0] + family[0]
    organisation = ""
    if chance.random() < 0.4:
        organisation = f"{_family(chance)} {chance.choice(_ORGANISATIONS)}"
    return Person(name, initials, language, organisation, chance.choice(CITIES))


def message_text(chance: Chance, language: str) -> str:
    """Return a message of one to nine sentences: 86 characters in the mean of all languages."""
    how_many = chance.choices(_HOW_MANY, cum_weights=_HOW_MANY_SHARES)[0]
    bank = _SENTENCES[language]
    between = "" if language in {"ja", "zh"} else " "
    said = [filled(chance, each) for each in chance.sample(bank, how_many)]
    return between.join(said)


def file_name(chance: Chance) -> str:
    """Return the name of a file that came with a message."""
    return filled(chance, chance.choice(_FILE_NAMES))


def filled(chance: Chance, pattern: str) -> str:
    """Return a pattern with its `{slots}` drawn."""
    if "{" not in pattern:
        return pattern
    parts = pattern.split("{")
    said = [parts[0]]
    for part in parts[1:]:
        slot, _, rest = part.partition("}")
        said.append(_DRAWN[slot](chance) if slot in _DRAWN else chance.choice(_SLOTS[slot]))
        said.append(rest)
    return "".join(said)


def _family(chance: Chance) -> str:
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 3))).capitalize()


def _amount(chance: Chance) -> str:
    currency = chance.choice(("CHF", "EUR", "USD", "JPY"))
    return f"{currency} {chance.randint(1, 999) * 1000 + chance.choice((0, 0, 500)):,}"


def _code(chance: Chance) -> str:
    return f"{chance.choice('ABDKRTX')}{chance.choice('CHLNS')}-{chance.randint(10_000, 9_999_999)}"


_DRAWN: dict[str, Callable[[Chance], str]] = {
    "name": _family,
    "amount": _amount,
    "code": _code,
    "price": lambda chance: f"{chance.uniform(0.2, 140):.2f}",
    "city": lambda chance: chance.choice(CITIES),
}
