import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as after } from 'node:timers/promises';

/** One way for requests to fail: before their effect, or after it. */
export interface Fault {
  method?: string;
  path: RegExp;
  when: 'before' | 'after';
  /**
   * `late` answers, and has its effect, only after `ms`. `truncated` and `changed` are of answers:
   * half of one, and one of another shape.
   */
  kind: 'status' | 'cut' | 'hang' | 'late' | 'truncated' | 'changed';
  status?: number;
  ms?: number;
  headers?: Record<string, string>;
  /** How many requests it hits; 1 where absent. */
  times?: number;
}

/** How a request fails that was chosen for it. */
export type Failing = Pick<Fault, 'kind' | 'status' | 'ms' | 'headers'>;

/** Makes requests of one stand-in fail. */
export class Faults {
  private readonly active: (Fault & { left: number })[] = [];
  hits = 0;
  /** Asked of every request that nothing else hits: how it is to fail, if at all. */
  byChance: (
    request: { method: string; path: string },
    when: Fault['when'],
  ) => Failing | undefined = () => undefined;

  add(fault: Fault): void {
    this.active.push({ ...fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.active.length = 0;
  }

  install(server: FastifyInstance): void {
    server.addHook('preHandler', async (request, reply) => {
      const failing = this.take(request.method, request.url, 'before');
      if (failing) await strike(failing, request, reply);
    });
    server.addHook('onSend', async (request, reply, payload) => {
      const failing = reply.hasHeader('x-struck')
        ? undefined
        : this.take(request.method, request.url, 'after');
      reply.removeHeader('x-struck');
      if (!failing) return payload;
      const body = typeof payload === 'string' ? payload : '';
      if (failing.kind === 'changed') return changed(body);
      if (failing.kind === 'status') {
        reply.code(failing.status ?? 500).removeHeader('location');
        return debugPage(request);
      }
      if (failing.kind === 'truncated' && body !== '') sendHalf(reply, body);
      else await strike(failing, request, reply);
      return payload;
    });
  }

  private take(method: string, url: string, when: Fault['when']): Failing | undefined {
    const path = url.split('?')[0]!;
    const failing = this.told(method, path, when) ?? this.byChance({ method, path }, when);
    if (failing) this.hits++;
    return failing;
  }

  private told(method: string, path: string, when: Fault['when']): Failing | undefined {
    const found = this.active.find(
      (fault) =>
        fault.left > 0 &&
        fault.when === when &&
        (fault.method ?? method) === method &&
        fault.path.test(path),
    );
    if (found) found.left--;
    return found;
  }
}

/** True for a moment, again and again; each begins when it is asked, so that none passes unmet. */
export function nowAndThen({ everyMs, forMs }: { everyMs: number; forMs: number }): () => boolean {
  let since = Date.now() - forMs;
  return () => {
    if (Date.now() - since >= everyMs) since = Date.now();
    return Date.now() - since < forMs;
  };
}

/**
 * Lets so many requests through in each span of time, and answers the others 429, as a load
 * balancer does.
 */
export function rateLimited(
  { requests, everyMs, retryAfterS }: { requests: number; everyMs: number; retryAfterS: number },
  now: () => number = Date.now,
): Faults['byChance'] {
  let since = 0;
  let passed = 0;
  return (_request, when) => {
    if (when === 'after') return undefined;
    if (now() - since >= everyMs) [since, passed] = [now(), 0];
    if (++passed <= requests) return undefined;
    return { kind: 'status', status: 429, headers: { 'Retry-After': String(retryAfterS) } };
  };
}

async function strike(
  failing: Failing,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (failing.kind === 'late') return after(failing.ms ?? 1000, undefined, { ref: false });
  if (failing.kind === 'status') {
    await reply
      .code(failing.status ?? 503)
      .headers({ 'x-struck': '1', ...failing.headers })
      .send(debugPage(request));
    return;
  }
  if (failing.kind !== 'hang') reply.raw.socket?.destroy();
  reply.hijack();
}

/** As frameworks show errors to developers: with the request and all that was in it. */
function debugPage({ method, url, headers, body }: FastifyRequest): string {
  return JSON.stringify({ error: 'Something went wrong', request: { method, url, headers, body } });
}

/** Announces all of an answer, sends half and hangs up. */
function sendHalf(reply: FastifyReply, body: string): void {
  const bytes = Buffer.from(body);
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.setHeader('content-length', bytes.length);
  reply.hijack();
  reply.raw.writeHead(reply.statusCode);
  reply.raw.write(bytes.subarray(0, bytes.length / 2), () => reply.raw.socket?.destroy());
}

/**
 * The same answer after a redesign: other names for the parts of a page, and for the fields of
 * JSON.
 */
function changed(body: string): string {
  return body
    .replaceAll('govuk-', 'gds-')
    .replaceAll('gem-c-', 'pub-c-')
    .replaceAll('authenticity_token', 'form_token')
    .replaceAll('authorisation[application_id]', 'token[application_id]')
    .replaceAll(/<(\/?)(table|thead|tbody|tr|t[hd])\b/g, '<$1div')
    .replaceAll(/"(items|nodes|metadata|result|health|status)":/g, '"x-$1":');
}
