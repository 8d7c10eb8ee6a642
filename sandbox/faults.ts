import type { FastifyInstance, FastifyReply } from 'fastify';
import { setTimeout as after } from 'node:timers/promises';

/** One way for requests to fail: before their effect, or after it. */
export interface Fault {
  method?: string;
  path: RegExp;
  when: 'before' | 'after';
  /** `late` answers, and has its effect, only after `ms`. */
  kind: 'status' | 'cut' | 'hang' | 'late';
  status?: number;
  ms?: number;
  /** How many requests it hits; 1 where absent. */
  times?: number;
}

/** Makes requests of one stand-in fail. */
export class Faults {
  private readonly active: (Fault & { left: number })[] = [];
  hits = 0;
  /** Asked of every request that nothing else hits: how it is to fail, if at all. */
  byChance: (path: string, when: Fault['when']) => Omit<Fault, 'path' | 'when'> | undefined = () => undefined;

  add(fault: Fault): void {
    this.active.push({ ...fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.active.length = 0;
  }

  install(server: FastifyInstance): void {
    server.addHook('preHandler', async (request, reply) => {
      const fault = this.take(request.method, request.url, 'before');
      if (fault) await this.strike(fault, reply);
    });
    server.addHook('onSend', async (request, reply, payload) => {
      const fault = reply.hasHeader('x-struck') ? undefined : this.take(request.method, request.url, 'after');
      reply.removeHeader('x-struck');
      if (!fault) return payload;
      if (fault.kind !== 'status') {
        await this.strike(fault, reply);
        return payload;
      }
      reply.code(fault.status ?? 500);
      return '';
    });
  }

  private async strike(fault: Fault, reply: FastifyReply): Promise<void> {
    if (fault.kind === 'late') return after(fault.ms ?? 1000, undefined, { ref: false });
    if (fault.kind === 'cut') reply.raw.socket?.destroy();
    if (fault.kind === 'status') {
      await reply
        .code(fault.status ?? 503)
        .header('x-struck', '1')
        .send('');
      return;
    }
    reply.hijack();
  }

  private take(method: string, url: string, when: Fault['when']): Fault | undefined {
    const told = this.told(method, url, when);
    if (told) return told;
    const path = url.split('?')[0]!;
    const chosen = this.byChance(path, when);
    if (chosen) this.hits++;
    return chosen && { ...chosen, path: /./, when };
  }

  private told(method: string, url: string, when: Fault['when']): Fault | undefined {
    const found = this.active.find(
      (fault) =>
        fault.left > 0 &&
        fault.when === when &&
        (fault.method ?? method) === method &&
        fault.path.test(url.split('?')[0]!),
    );
    if (!found) return undefined;
    found.left--;
    this.hits++;
    return found;
  }
}
