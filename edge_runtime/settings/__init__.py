"""Every setting of fer-edge, as frozen tables that check themselves. One file a subject; `config.py` reads and overrides them, `text.py` writes them, `check.py` opens what they name."""
