// The settings of `serve` that say where to forward to, as the forwarder wants them. Throws TidemarkError with exit code 2.

import type { ServeConfig } from "../config.ts";
import { type ForwardSettings, forwardSettings } from "../forward/forward-settings.ts";
import { FORWARD_BATCH_SAMPLES_DEFAULT, FORWARD_TIMEOUT_MS_DEFAULT } from "../limits.ts";

export function forwardSettingsOf(config: ServeConfig): ForwardSettings {
  return forwardSettings(
    {
      target: config.forward,
      headers: config.forwardHeaders.split("\n").filter((text) => text.trim() !== ""),
      bearerToken: config.forwardBearerToken,
      bearerTokenFile: config.forwardBearerTokenPath,
      basicAuthFile: config.forwardBasicAuthPath,
      ca: config.forwardCaPath,
      connections: config.forwardConnections,
      batchSamples: FORWARD_BATCH_SAMPLES_DEFAULT,
      timeoutMs: FORWARD_TIMEOUT_MS_DEFAULT,
      resendMs: null,
      name: config.forwardName,
    },
    { target: "--forward", prefix: "--forward-" },
  );
}
