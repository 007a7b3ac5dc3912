// One step of the run machine in the making: the state so far and the commands so far. Seen from outside a step is a
// pure function; inside, rules are applied one after the other.

import type { CoordinatorMessage, CoordinatorMessageOf } from '../../../shared/protocol/control.ts';
import type { RunEvent } from './runRequest.ts';
import type { RunPlan } from './runPlan.ts';
import type { Member, RunCommand, RunState } from './runState.ts';

export class Turn {
  readonly plan: RunPlan;
  readonly atMs: number;
  readonly commands: RunCommand[] = [];
  state: RunState;

  constructor(plan: RunPlan, state: RunState, atMs: number) {
    this.plan = plan;
    this.state = state;
    this.atMs = atMs;
  }

  set(change: Partial<RunState>): void {
    this.state = { ...this.state, ...change };
  }

  setMember(workerId: string, change: Partial<Member>): void {
    this.set({
      members: this.state.members.map((member) =>
        member.workerId === workerId ? { ...member, ...change } : member,
      ),
    });
  }

  member(workerId: string): Member | undefined {
    return this.state.members.find((member) => member.workerId === workerId);
  }

  command(command: RunCommand): void {
    this.commands.push(command);
  }

  send(workerId: string, message: CoordinatorMessage): void {
    this.command({ type: 'send', workerId, message });
  }

  emit(event: RunEvent): void {
    this.command({ type: 'emit', event });
  }

  /** A message of a worker that can not be, though its form is right. */
  malformed(workerId: string, what: string): undefined {
    this.command({ type: 'malformed', workerId, what: what.slice(0, 500) });
  }

  log(level: 'info' | 'warn', message: string): void {
    this.command({ type: 'log', level, message });
  }

  /** Lets a worker go that has no place any more. @param outcome where the run is over. */
  release(workerId: string, reason: string, outcome?: CoordinatorMessageOf<'release'>['outcome']): void {
    const { plan, state } = this;
    if (!state.engaged.has(workerId)) return;
    if (state.workers.get(workerId)?.present === true) {
      this.send(workerId, {
        type: 'release',
        runId: plan.runId,
        reason: reason.slice(0, 500),
        ...(outcome && { outcome }),
      });
      this.set({
        engaged: new Set([...state.engaged].filter((id) => id !== workerId)),
        // What it has loaded goes with its place.
        prepared: new Map([...state.prepared].filter(([id]) => id !== workerId)),
      });
    }
    this.command({ type: 'unclaim', workerId });
  }
}
