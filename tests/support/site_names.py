"""Entry names that are legal and hard: for paths, links, layout and readers."""

MODEL = "payments/fraud-detector"
PROMPT = "support/triage"
DATASET = "payments/transactions"
BUNDLE = "support/assistant"
WORDS = "a-model-with-a-name-as-long-as-the-registry-takes-"

ONLY_CASE = ("Fraud", "fraud", "FRAUD", "fRaud/Card", "Fraud/card")
RESERVED = ("CON", "aux/nul", "com1", "LPT9.log", "prn.txt", "nul")
ODD = (
    "trailing.",
    "dots...",
    ".hidden",
    "...",
    "-",
    "_",
    "two  spaces in it",
    "a file.html",
    "000123",
    "v1",
    "latest",
)
# each could be taken for a page of the first
LIKE_PAGES = (
    "clash",
    "clash/v",
    "clash/v/1.html",
    "clash/index.html",
    "clash/index",
    "clash/versions/1.html",
    "clash/compare.html",
    "clash/feed.xml",
    "clash/prod.svg",
    "index.html",
    "api/v1/index.json",
)
SCRIPTS = (
    "反欺诈/模型",
    "反欺诈/支付卡片交易风险评分与异常检测模型",
    "احتيال/بطاقة",
    "הונאה/כרטיס",
    "mixed אבג latin 123",
    "धोखाधड़ी पहचान",
    "ตรวจจับการทุจริต",
    "Betrugsprüfung/Straße",
    "naïve-bayes",
    "ΣΊΣΥΦΟΣ",
    "İstanbul",
    "ﬁligree",
    "x" + "\u0301\u0323\u0330" * 20,
    "ก็" * 40,
)
LONG = (
    (WORDS * 6)[:255],
    "x" * 255,
    "UPPER" * 51,
    "模" * 255,
    "/".join(["deep"] * 51),
    "team/" + "y" * 250,
)
DIFFICULT = (*ONLY_CASE, *RESERVED, *ODD, *LIKE_PAGES, *SCRIPTS, *LONG)
