"""Owns the phrases WhatsApp itself writes into an export, in the languages listed here.

It never takes a person's words for the app's: what is not listed stays text.

Seen in exports of both systems; a language that is missing costs a mark, never a message.
"""

from __future__ import annotations

import re

_ATTACHED = "|".join(
    re.escape(words)
    for words in (
        "file attached", "Datei angehängt", "fichier joint", "archivo adjunto", "file allegato",
        "arquivo anexado", "ficheiro anexado", "bestand bijgevoegd", "添付ファイル", "文件附件",
        "文件附加", "附件", "첨부 파일", "파일 첨부됨", "файл добавлен", "файл прикреплён",
        "dosya ekli", "vedhæftet fil", "bifogad fil", "liitetiedosto", "plik dołączony",
        "załączono plik", "soubor přiložen", "berkas terlampir", "file terlampir", "ملف مرفق",
        "फ़ाइल संलग्न है", "attached file", "ไฟล์ที่แนบมา", "tệp đính kèm",
    )
)  # fmt: skip
_BRACKETED = "|".join(
    re.escape(words)
    for words in (
        "attached", "Anhang", "pièce jointe", "adjunto", "allegato", "anexado", "anexo",
        "bijgevoegd", "bijlage", "添付ファイル", "附件", "附加文件", "첨부", "첨부됨", "첨부 파일",
        "прикреплено", "вложение", "eklendi", "vedhæftet", "bifogad", "liite", "załącznik",
        "příloha", "terlampir", "مرفق", "संलग्न", "ไฟล์แนบ", "đính kèm",
    )
)  # fmt: skip
# iPhone: <attached: 00000012-PHOTO.jpg>; Android: IMG-20260721-WA0001.jpg (file attached)
FILE_IN_BRACKETS = re.compile(f"<(?:{_BRACKETED})\\s?[:：]\\s?([^<>\n]+)>", re.IGNORECASE)
FILE_BEFORE_WORDS = re.compile(f"([^\n]+?\\.\\w{{1,8}}) [(（](?:{_ATTACHED})[)）]", re.IGNORECASE)

_OMITTED = frozenset(
    each.casefold()
    for each in (
        "<Media omitted>", "<Medien ausgeschlossen>", "<Médias omis>", "<Multimedia omitido>",
        "<Media omessi>", "<Mídia oculta>", "<Ficheiro não revelado>", "<Media weggelaten>",
        "<メディアは含まれていません>", "<省略されたメディア>", "<省略多媒体文件>",
        "<已忽略多媒体文件>",
        "<多媒體檔案已略過>", "<略過多媒體檔案>", "<미디어 파일을 제외한 내보내기>",
        "<미디어 제외됨>",
        "<Без медиафайлов>", "<Файл пропущен>", "<Medya dahil edilmedi>", "<Medier udeladt>",
        "<Mediefiler utelämnade>", "<Media jätettiin pois>", "<pominięto multimedia>",
        "<Média vynechány>", "<Média vynechána>", "<Media tidak disertakan>",
        "<تم استبعاد الوسائط>", "<Archivo omitido>", "<Ficheiro omitido>", "<Mídia omitida>",
        "<Arquivo de mídia oculto>", "<pominięto media>", "<Медіафайл пропущено>",
        "<Без медіафайлів>", "<Медиафайл пропущен>", "<Media har utelämnats>",
        "<Mediefil utelämnad>", "<Medier utelatt>", "<Mediatiedosto jätetty pois>",
        "<Fișiere media omise>", "<Hiányzó médiafájl>", "<Τα πολυμέσα παραλείφθηκαν>",
        "<המדיה לא נכללה>", "<मीडिया छोड़ा गया>", "<ละเว้นสื่อ>", "<Bỏ qua tệp đa phương tiện>",
        "image omitted", "video omitted", "audio omitted", "sticker omitted", "GIF omitted",
        "document omitted", "Contact card omitted", "video note omitted",
        "Bild weggelassen", "Video weggelassen", "Audio weggelassen", "Sticker weggelassen",
        "GIF weggelassen", "Dokument weggelassen", "Kontaktkarte ausgelassen",
        "image absente", "vidéo absente", "audio omis", "sticker omis", "GIF retiré",
        "document manquant", "imagen omitida", "Video omitido", "audio omitido",
        "sticker omitido", "GIF omitido", "documento omitido", "immagine omessa",
        "video omesso", "audio omesso", "sticker non incluso", "documento omesso",
        "imagem ocultada", "vídeo omitido", "áudio ocultado", "figurinha omitida",
        "afbeelding weggelaten", "video weggelaten", "audio weggelaten", "sticker weggelaten",
        "画像は省略されました", "動画は省略されました", "音声は省略されました",
        "スタンプは省略されました", "画像を省略", "動画を省略", "图像已忽略", "视频已忽略",
        "音频已忽略", "表情已忽略", "文档已忽略", "圖片已略過", "影片已略過", "音訊已略過",
        "이미지 생략됨", "동영상 생략됨", "изображение отсутствует", "видео отсутствует",
        "аудиофайл отсутствует", "стикер отсутствует", "GIF отсутствует", "документ отсутствует",
        "görüntü dahil edilmedi", "video dahil edilmedi", "ses dahil edilmedi",
        "Çıkartma dahil edilmedi", "GIF dahil edilmedi", "belge dahil edilmedi",
        "Kontaktkarte weggelassen", "Videonachricht weggelassen", "GIF absent", "GIF omis",
        "carte de contact omise", "tarjeta de contacto omitida", "nota de video omitida",
        "GIF esclusa", "GIF omessa", "scheda contatto omessa", "GIF omitida",
        "documento ocultado", "GIF ocultado", "cartão do contato omitido", "imagem omitida",
        "áudio omitido", "figurinha ocultada", "vídeo ocultado", "GIF weggelaten",
        "document weggelaten", "contactkaart weggelaten", "billede udeladt", "video udeladt",
        "lyd udeladt", "klistermærke udeladt", "dokument udeladt", "bild utelämnad",
        "video utelämnad", "ljud utelämnat", "dokument utelämnat", "obraz pominięty",
        "wideo pominięte", "dźwięk pominięty", "dokument pominięty", "gambar tidak disertakan",
        "video tidak disertakan", "audio tidak disertakan", "dokumen tidak disertakan",
        "ドキュメントは省略されました", "GIFは省略されました", "連絡先カードは省略されました",
        "GIF已忽略", "联系人卡片已忽略", "文件已略過", "貼圖已略過", "오디오 생략됨", "문서 생략됨",
        "스티커 생략됨", "تم استبعاد الصورة", "تم استبعاد الفيديو", "تم استبعاد الصوت",
        "تم استبعاد المستند",
    )
)  # fmt: skip
_DELETED = frozenset(
    each.casefold().rstrip(".")
    for each in (
        "This message was deleted.", "You deleted this message.",
        "Diese Nachricht wurde gelöscht.", "Du hast diese Nachricht gelöscht.",
        "Ce message a été supprimé.", "Vous avez supprimé ce message.",
        "Este mensaje fue eliminado.", "Se eliminó este mensaje.", "Eliminaste este mensaje.",
        "Questo messaggio è stato eliminato.", "Hai eliminato questo messaggio.",
        "Esta mensagem foi apagada.", "Mensagem apagada", "Você apagou esta mensagem.",
        "Dit bericht is verwijderd.", "Je hebt dit bericht verwijderd.",
        "このメッセージは削除されました", "このメッセージを削除しました",
        "此消息已删除", "你删除了这条消息", "您删除了此消息", "這則訊息已刪除", "你刪除了這則訊息",
        "삭제된 메시지입니다", "이 메시지는 삭제되었습니다", "Данное сообщение удалено",
        "Сообщение удалено", "Вы удалили данное сообщение", "Bu mesaj silindi",
        "Bu mesajı sildiniz", "تم حذف هذه الرسالة", "Ten wiadomość została usunięta",
        "Ta wiadomość została usunięta.", "Pesan ini telah dihapus",
    )
)  # fmt: skip
_EDITED = "|".join(
    re.escape(words)
    for words in (
        "This message was edited", "Diese Nachricht wurde bearbeitet", "Ce message a été modifié",
        "Este mensaje fue editado", "Se editó este mensaje", "Questo messaggio è stato modificato",
        "Mensagem editada", "Esta mensagem foi editada", "Dit bericht is bewerkt",
        "このメッセージは編集されました", "此消息已编辑", "已编辑此消息", "這則訊息已編輯",
        "이 메시지는 편집되었습니다", "Сообщение изменено", "Данное сообщение изменено",
        "Bu mesaj düzenlendi", "تم تعديل هذه الرسالة", "Pesan ini diedit",
    )
)  # fmt: skip
EDITED_AT_END = re.compile(f"\\s?\u200e?<(?:{_EDITED})\\.?>$", re.IGNORECASE)


def is_omitted(text: str) -> bool:
    """Tell whether the app says that a file was left out of the export."""
    return text.casefold() in _OMITTED


def is_deleted(text: str) -> bool:
    """Tell whether the app says that a message was taken back."""
    return text.casefold().rstrip(".。") in _DELETED
