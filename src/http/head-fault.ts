// How the scans of a head say "not all here yet" and "wrong": in place of the index they return, so that a scan costs
// one comparison of its caller. What is wrong is left in the sink; details are constants, never text of the client's.

import { REFUSAL, type Refusal } from "../errors.ts";

/** The bytes end before the scan does. */
export const NEED_MORE = -1;
/** The sink holds what is wrong. */
export const FAULTED = -2;

export interface FaultSink {
  fault: Refusal;
  faultDetail: string;
}

export function refuse(sink: FaultSink, refusal: Refusal, detail: string): number {
  sink.fault = refusal;
  sink.faultDetail = detail;
  return FAULTED;
}

/** refuse() with the refusal that most faults are. */
export function refuseBad(sink: FaultSink, detail: string): number {
  return refuse(sink, REFUSAL.bad_request, detail);
}
