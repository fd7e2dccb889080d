"""Code shared by the Huawei Cloud plugins: endpoints, settings, signing, tokens, gateway errors."""
