// Which request has to wait for the answers owed before it. Pure.

import { PIPELINE_DEPTH_MAX } from "../limits.ts";
import { METHOD_POST, type RequestHead } from "./request-head.ts";

/** How the answers that are owed will be sent. */
export interface OwedForm {
  readonly owed: number;
  readonly keepAlive: boolean;
  readonly isHttp10: boolean;
  readonly ackAsked: number;
}

/** True where the answer to this request could overtake, or differ in form from, those that are owed. */
export function mustWait(head: RequestHead, keepAlive: boolean, before: OwedForm): boolean {
  return (
    before.owed >= PIPELINE_DEPTH_MAX ||
    head.method !== METHOD_POST ||
    head.expectsContinue ||
    keepAlive !== before.keepAlive ||
    head.isHttp10 !== before.isHttp10 ||
    head.ackAsked !== before.ackAsked
  );
}
