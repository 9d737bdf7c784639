// All plants, in the order of the table.

import type { Plant } from "./plant.ts";
import { clientPorts, generatorSlow } from "./plants/client-side.ts";
import { descriptorsForeign, descriptorsOwn } from "./plants/descriptors.ts";
import { diskFull, slowSync } from "./plants/disk.ts";
import { backlogShort, somaxconnShort } from "./plants/listen-queue.ts";
import { memorySmall, rateLimit } from "./plants/own-limits.ts";
import { poolAsleep, poolHeld } from "./plants/pool.ts";
import {
  cpuQuota,
  nothingNginx,
  nothingOwn,
  nothingPython,
  oneThread,
  rivalOnCore,
} from "./plants/processor.ts";
import { stallBlocked, stallStopped } from "./plants/stall.ts";

export const PLANTS: readonly Plant[] = [
  descriptorsOwn,
  descriptorsForeign,
  backlogShort,
  somaxconnShort,
  oneThread,
  cpuQuota,
  rivalOnCore,
  slowSync,
  diskFull,
  rateLimit,
  memorySmall,
  poolHeld,
  poolAsleep,
  generatorSlow,
  clientPorts,
  stallStopped,
  stallBlocked,
  nothingOwn,
  nothingNginx,
  nothingPython,
];
