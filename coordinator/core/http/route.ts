// What the coordinator answers, as values: method, path, who may, and what to do.

import type { Exchange } from '../../http/exchange.ts';
import type { RouteParams, RoutePlace } from '../../http/routeTable.ts';
import type { Access } from './access.ts';
import type { TrafficClass } from './trafficMeter.ts';

/** What is known of a request when its route gets it. */
export interface RouteCall {
  /** Values of the path's `:name` segments. */
  readonly params: RouteParams;
  /** The worker that asks; undefined where it is an owner, or anybody. */
  readonly workerId: string | undefined;
}

export interface Route extends RoutePlace {
  readonly access: Access;
  readonly traffic: TrafficClass;
  handle(exchange: Exchange, call: RouteCall): Promise<void> | void;
}
