import fastify, { type FastifyInstance } from 'fastify';
import { randomBytes } from 'node:crypto';
import { Faults } from '../faults.ts';

/** How long Slack asks senders to wait that were too many, in seconds. */
const RETRY_AFTER = '30';

/**
 * A stand-in of one Slack incoming webhook: whoever knows its address may post, and is answered in
 * one word.
 */
export class SlackStandIn {
  readonly faults = new Faults();
  /** The texts that were posted, in order. */
  readonly messages: string[] = [];
  /** The secret part of the webhook's address, with the shape of a real one. */
  readonly path = `/services/T${code(10)}/B${code(10)}/${randomBytes(18).toString('base64url')}`;
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });

  constructor() {
    this.server.removeAllContentTypeParsers();
    this.server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );
    this.server.addHook('onSend', async (_request, reply) => {
      if (reply.statusCode === 429) reply.header('retry-after', RETRY_AFTER);
    });
    this.faults.install(this.server);
    this.server.all<{ Body?: string }>('/*', (request, reply) => {
      reply.type('text/plain');
      if (request.method !== 'POST') return reply.code(405).send('method_not_allowed');
      if (request.url !== this.path) return reply.code(404).send('no_service');
      const payload = parse(request.body);
      if (!payload) return reply.code(400).send('invalid_payload');
      const { text } = payload;
      if (typeof text !== 'string' || text.trim() === '') return reply.code(400).send('no_text');
      this.messages.push(text);
      return reply.send('ok');
    });
  }

  /** The webhook's address. */
  async listen(port = 0): Promise<string> {
    return (await this.server.listen({ port, host: '127.0.0.1' })) + this.path;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

/** A JSON object, or nothing. */
function parse(body = ''): { text?: unknown } | undefined {
  try {
    const given: unknown = JSON.parse(body);
    return typeof given === 'object' && given !== null && !Array.isArray(given) ? given : undefined;
  } catch {
    return undefined;
  }
}

/** As Slack names workspaces and webhooks. */
function code(length: number): string {
  return randomBytes(length).toString('hex').toUpperCase().slice(0, length);
}
