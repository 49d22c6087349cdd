"""What the pages say, in the languages of `expression_names.py`."""

from __future__ import annotations

from collections.abc import Mapping

from edge_runtime.expression_names import LANGUAGES

__all__ = ["WORDS"]

_ROWS: dict[str, tuple[str, ...]] = {
    "title": ("Faces, read here", "Gesichter, hier gelesen", "Visages, lus ici", "Rostros, leídos aquí", "就地识别表情"),
    "invite": ("Come a little closer", "Komm ein wenig näher", "Approchez un peu", "Acércate un poco", "请走近一点"),
    "invite_more": (
        "Look into the camera. A small computer guesses what your face expresses.",
        "Schau in die Kamera. Ein kleiner Computer schätzt, was dein Gesicht ausdrückt.",
        "Regardez la caméra. Un petit ordinateur devine ce qu’exprime votre visage.",
        "Mira a la cámara. Un pequeño ordenador estima lo que expresa tu rostro.",
        "请看镜头。一台小电脑会猜测你的表情。",
    ),
    "not_kept": (
        "No picture is kept. No network is needed.",
        "Kein Bild wird aufgehoben. Es braucht kein Netz.",
        "Aucune image n’est conservée. Aucun réseau n’est nécessaire.",
        "No se guarda ninguna imagen. No hace falta red.",
        "不保存任何图像，也不需要网络。",
    ),
    "kept": (
        "This station records its pictures.",
        "Diese Station zeichnet ihre Bilder auf.",
        "Cette station enregistre ses images.",
        "Esta estación graba sus imágenes.",
        "本站会录制图像。",
    ),
    "guess": (
        "A guess from a face, not what someone feels.",
        "Eine Schätzung aus dem Gesicht, kein Gefühl.",
        "Une estimation d’après le visage, pas un sentiment.",
        "Una estimación del rostro, no lo que se siente.",
        "仅根据面部推测，不代表内心感受。",
    ),
    "minutes": ("Last minutes", "Letzte Minuten", "Dernières minutes", "Últimos minutos", "最近几分钟"),
    "now": ("now", "jetzt", "maintenant", "ahora", "现在"),
    "ago": ("{n} min ago", "vor {n} min", "il y a {n} min", "hace {n} min", "{n} 分钟前"),
    "fps": ("frames/s", "Bilder/s", "images/s", "imágenes/s", "帧/秒"),
    "more": ("{n} more", "{n} weitere", "{n} de plus", "{n} más", "另有 {n} 人"),
    "live": ("Live picture", "Live-Bild", "Image en direct", "Imagen en directo", "实时画面"),
    "lost_server": (
        "Waiting for the computer …",
        "Warten auf den Computer …",
        "En attente de l’ordinateur …",
        "Esperando al ordenador …",
        "正在等待计算机……",
    ),
    "lost_camera": (
        "The camera does not answer. It is being looked for.",
        "Die Kamera antwortet nicht. Sie wird gesucht.",
        "La caméra ne répond pas. On la recherche.",
        "La cámara no responde. Se está buscando.",
        "摄像头没有响应，正在重新连接。",
    ),
    "opening": (
        "The camera is being opened.",
        "Die Kamera wird geöffnet.",
        "La caméra s’ouvre.",
        "Se está abriendo la cámara.",
        "正在打开摄像头。",
    ),
    "ended": (
        "The recording has ended.",
        "Die Aufnahme ist zu Ende.",
        "L’enregistrement est terminé.",
        "La grabación ha terminado.",
        "录像已播放完毕。",
    ),
    "degraded": ("Works with less", "Läuft eingeschränkt", "Mode dégradé", "Modo reducido", "降级运行"),
    "settling": ("looking …", "schaut …", "observe …", "mirando …", "观察中……"),
    "unclear": ("nothing stands out", "nichts sticht heraus", "rien de net", "nada destaca", "不明显"),
    "small": ("too far away", "zu weit weg", "trop loin", "demasiado lejos", "太远"),
    "blurred": ("blurred", "unscharf", "flou", "borroso", "模糊"),
    "turned": ("turned away", "abgewandt", "de profil", "girado", "未正对镜头"),
    "picture_title": ("Read a picture", "Ein Bild lesen", "Lire une image", "Leer una imagen", "识别一张图片"),
    "picture_lead": (
        "Choose a picture, drop one here, or use this device’s camera. It is read and then forgotten.",
        "Wähle ein Bild, zieh eines hierher oder nimm die Kamera dieses Geräts. Es wird gelesen und dann vergessen.",
        "Choisissez une image, déposez-la ici ou utilisez la caméra de cet appareil. Elle est lue puis oubliée.",
        "Elige una imagen, suéltala aquí o usa la cámara de este dispositivo. Se lee y se olvida.",
        "选择或拖入一张图片，或使用本设备的摄像头。图片识别后即被丢弃。",
    ),
    "choose": ("Choose a picture", "Bild wählen", "Choisir une image", "Elegir imagen", "选择图片"),
    "webcam": ("Use the camera", "Kamera benutzen", "Utiliser la caméra", "Usar la cámara", "使用摄像头"),
    "take": ("Take the picture", "Aufnehmen", "Prendre la photo", "Tomar la foto", "拍照"),
    "no_webcam": (
        "A browser lends its camera only to pages of this machine itself or over HTTPS.",
        "Ein Browser gibt seine Kamera nur Seiten dieses Geräts selbst oder über HTTPS.",
        "Un navigateur ne prête sa caméra qu’aux pages de cette machine ou en HTTPS.",
        "El navegador solo presta su cámara a páginas de este equipo o por HTTPS.",
        "浏览器仅允许本机页面或 HTTPS 页面使用摄像头。",
    ),
    "webcam_refused": (
        "The camera was not lent: {why}",
        "Die Kamera wurde nicht gegeben: {why}",
        "La caméra n’a pas été prêtée : {why}",
        "No se prestó la cámara: {why}",
        "无法使用摄像头：{why}",
    ),
    "reading": ("Reading …", "Wird gelesen …", "Lecture …", "Leyendo …", "识别中……"),
    "no_face": (
        "No face was found. That is an answer too: try a larger or brighter face.",
        "Kein Gesicht gefunden. Auch das ist eine Antwort: versuch ein größeres oder helleres Gesicht.",
        "Aucun visage trouvé. C’est aussi une réponse : essayez un visage plus grand ou plus clair.",
        "No se encontró ningún rostro. También es una respuesta: prueba uno más grande o más claro.",
        "没有找到人脸。这也是一个答案：请试试更大或更亮的人脸。",
    ),
    "found": ("{n} found in {ms} ms", "{n} gefunden in {ms} ms", "{n} trouvé(s) en {ms} ms", "{n} en {ms} ms", "找到 {n} 张，用时 {ms} 毫秒"),
    "face": ("Face {n}", "Gesicht {n}", "Visage {n}", "Rostro {n}", "人脸 {n}"),
    "to_live": ("Live", "Live", "Direct", "Directo", "实时"),
    "to_picture": ("Picture", "Bild", "Image", "Imagen", "图片"),
    "to_keeper": ("Keeper", "Wartung", "Gardien", "Encargado", "维护"),
}  # fmt: skip

WORDS: Mapping[str, Mapping[str, str]] = {key: dict(zip(LANGUAGES, row, strict=True)) for key, row in _ROWS.items()}
"""Key → language → text. The keeper's page is in English, as the log and the messages are."""
