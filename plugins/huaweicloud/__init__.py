"""What the Huawei Cloud services share: hosts, settings, signatures, tokens, gateway errors."""
