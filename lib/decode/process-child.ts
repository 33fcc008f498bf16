/** The child's side of {@link ProcessPool}: takes tasks from the parent, answers with results, dies with its parent. */

import { writeFileSync } from 'node:fs';
import { TubeletError, messageText } from '../core/index.ts';
import type { PlainError } from '../core/index.ts';

/** From parent to child. */
export interface ParentMessage {
  readonly id: number;
  readonly task: unknown;
}

/** From child to parent. */
export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly id: number; readonly kind: 'progress'; readonly done: number }
  | { readonly id: number; readonly kind: 'result'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly error: PlainError };

/**
 * Serves tasks until the parent goes away. The handler must turn the event loop now and then and report progress: a number
 * that changes while work goes on.
 *
 * Anything it throws goes back to the parent: errors with a code as they are, others as TUBE_INTERNAL.
 */
export function serveTasks(
  handle: (task: unknown, onProgress: (done: number) => void) => Promise<unknown>,
): void {
  process.on('message', ({ id, task }: ParentMessage) => {
    handle(task, (done) => send({ id, kind: 'progress', done })).then(
      (value) => send({ id, kind: 'result', value }),
      (error: unknown) => send({ id, kind: 'error', error: plainOf(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  volunteerForKilling();
  send({ kind: 'ready' });
  // Ctrl-C reaches the whole group of processes; what is to happen then is the parent's to decide.
  process.on('SIGINT', () => undefined);
}

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

/** Where memory runs out, the system is to end this process and not its parent (Linux). */
function volunteerForKilling(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Another system, or not allowed: nothing lost.
  }
}

function plainOf(error: unknown): PlainError {
  if (error instanceof TubeletError) return error.toPlain();
  return { code: 'TUBE_INTERNAL', details: { message: messageText(error) } };
}
