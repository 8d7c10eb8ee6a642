import type { Client } from '@temporalio/client';
import fastify, { LogController, type FastifyError, type FastifyInstance } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../config/secret.ts';
import type { ReceiverConfiguration } from './configuration.ts';
import { createMetrics } from './metrics.ts';
import { OpenRotations } from './open-rotations.ts';
import { readPayload } from './payload.ts';
import { Starts } from './starts.ts';
import { takeAlerts, type Taken } from './take-alerts.ts';

/** What the largest estate sends in one payload, many times over. */
const BODY_LIMIT_BYTES = 1024 * 1024;
/** Throttling is logged once an hour at most; the metric counts each alert. */
const SAID_EVERY_MS = 3_600_000;
/**
 * How long requests have to end once the receiver is told to stop; a caller that sends nothing, or
 * half a request, has no longer either.
 */
const CLOSES_WITHIN_MS = 10_000;
/** How alerts are logged, by what became of them; the others as information. */
const LEVELS: Partial<Record<Taken['result'], 'debug' | 'warn'>> = {
  throttled: 'debug', // a sender can cause any number of these
  later: 'warn',
  refused: 'warn',
};
export const WEBHOOK_PATH = '/alerts';

/**
 * The alert receiver: `POST /alerts` takes Alertmanager's v4 webhook and answers with what became
 * of each alert. 503 where any of them is to come again; `GET /healthz` and `GET /metrics`, which
 * tells what is open, ask for no token.
 * @param options.stream where its JSON lines go; standard output where absent
 */
export function createReceiver(
  client: Client,
  {
    ROTATION_ENVIRONMENT: environment,
    RECEIVER_TOKEN: token,
    RECEIVER_STARTS_PER_HOUR: startsPerHour,
    LOG_LEVEL,
  }: Omit<ReceiverConfiguration, 'RECEIVER_ADDRESS' | 'ALERT_RECEIVER_IDENTITY'>,
  {
    stream,
    closesWithinMs = CLOSES_WITHIN_MS,
    now = Date.now,
  }: {
    stream?: { write: (line: string) => void };
    closesWithinMs?: number;
    now?: () => number;
  } = {},
): FastifyInstance {
  const starts = new Starts(startsPerHour);
  let saidThrottled = -Infinity;
  const metrics = createMetrics(environment);
  const openRotations = new OpenRotations(client, environment, metrics.registry);
  const server = fastify({
    logger: {
      level: LOG_LEVEL.toLowerCase(),
      stream,
      // At TRACE, Fastify tells all of a request that it could not parse: its token, too.
      serializers: { err: ({ name, code }) => ({ type: name, message: code, stack: '' }) },
    },
    // Requested addresses come from outside.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
  });

  let endWatch = (): Promise<void> => Promise.resolve();
  server.addHook('onListen', (done) => {
    endWatch = openRotations.watch((error) => {
      server.log.warn(
        { reason: error instanceof Error ? error.name : typeof error },
        'Temporal did not say what is open',
      );
    });
    done();
  });
  server.addHook('preClose', (done) => {
    setTimeout(() => server.server.closeAllConnections(), closesWithinMs).unref();
    done();
  });
  server.addHook('onClose', () => endWatch());

  server.get('/healthz', () => ({ status: 'ok', environment }));
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  server.post(
    WEBHOOK_PATH,
    {
      onRequest: async (request, reply) => {
        if (bears(request.headers.authorization, token)) return;
        await reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'no such token' });
      },
      onResponse: (_request, reply, done) => {
        metrics.requests.inc({ status: String(reply.statusCode) });
        done();
      },
    },
    async (request, reply) => {
      const payload = readPayload(request.body);
      if (!payload) return reply.code(400).send({ error: 'not a v4 payload of Alertmanager' });
      const results = await takeAlerts(client, environment, payload.alerts, starts, now());
      for (const taken of results) {
        metrics.alerts.inc({ result: taken.result });
        request.log[LEVELS[taken.result] ?? 'info']({ ...taken, environment }, 'alert');
      }
      if (payload.truncated > 0) {
        metrics.leftOut.inc({ environment }, payload.truncated);
        request.log.warn({ truncated: payload.truncated }, 'Alertmanager left alerts out');
      }
      const throttled = results.filter(({ result }) => result === 'throttled').length;
      if (throttled > 0 && now() - saidThrottled >= SAID_EVERY_MS) {
        saidThrottled = now();
        request.log.warn(
          { throttled, startsPerHour },
          'more rotations are asked for than RECEIVER_STARTS_PER_HOUR allows',
        );
      }
      const again = throttled > 0 || results.some(({ result }) => result === 'later');
      return reply.code(again ? 503 : 200).send({ results });
    },
  );
  server.setErrorHandler((error: FastifyError, request, reply) => {
    const status =
      error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    request.log.warn({ status, code: error.code }, 'refused');
    return reply.code(status).send({ error: status === 500 ? 'not answered' : error.code });
  });
  return server;
}

/** Whether a header carries the token, compared in constant time. */
function bears(header: string | undefined, token: Secret): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(token.reveal()));
}
