import { OwnProcess } from './own-process.ts';

/** A worker in a process of its own. */
export class WorkerProcess extends OwnProcess {
  constructor(env: Record<string, string>) {
    super('worker/main', env);
  }
}
