"""The whitelist catalogue (白名单目录): what may be asked, of whom, on what basis."""
