// All that is fuzzed.

import { batchTarget } from "./batch-target.ts";
import { configTarget } from "./config-target.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { requestTarget } from "./request-target.ts";

export const TARGETS: readonly FuzzTarget[] = [requestTarget, batchTarget, configTarget] as FuzzTarget[];
