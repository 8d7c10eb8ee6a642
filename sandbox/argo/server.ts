import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { Faults } from '../faults.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import type { SandboxOptions } from '../options.ts';
import type { World } from '../world.ts';

const APPLICATION = '/api/v1/applications/signon';
const iso = (ms: number): string =>
  new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

type Node = { name: string } & Record<string, unknown>;

interface Scope {
  appNamespace?: string;
  project?: string;
}
/** A resource of the application, as requests name it. */
interface Named extends Scope {
  namespace?: string;
  group?: string;
  kind?: string;
  version?: string;
  resourceName?: string;
}

/**
 * A stand-in of Argo CD's API: the tree, create-job with names that collide, logs, rights.
 */
export class ArgoStandIn {
  readonly faults = new Faults();
  /** An older server: no v2 of the actions. */
  withoutV2 = false;
  /** The Kubernetes API is down: a 403 for the application itself, 500 elsewhere. */
  kubernetesDown = false;
  /**
   * The pods of Jobs are gone while the tree shows them still: their logs are errors of Kubernetes.
   */
  podsGone = false;
  /** Words of Kubernetes, where Argo CD acts as an account that may not: 403. */
  readonly forbidden: { createJob?: string; logs?: string } = {};
  /**
   * What the account's role allows. A right that is missing answers 403, as an unknown application
   * does.
   */
  readonly rights = { get: true, createJob: true, logs: true };
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });
  private stale?: Node[];

  constructor(
    private readonly world: World,
    private readonly cluster: Cluster,
    private readonly options: SandboxOptions,
  ) {
    this.server.removeAllContentTypeParsers();
    this.server.addContentTypeParser(
      'application/json',
      { parseAs: 'string' },
      (_request, body, done) => {
        try {
          done(null, JSON.parse(String(body) || '{}'));
        } catch (error) {
          done(error as Error);
        }
      },
    );
    this.server.addHook('onRequest', async () => {
      world.happened.requests.argo++;
    });
    this.server.addHook('onRequest', async (request, reply) => {
      if (request.method === 'POST' && request.headers['content-type'] !== 'application/json')
        await reply.code(415).type('text/plain').send('Invalid content type');
    });
    this.server.addHook('onRequest', async (request, reply) => {
      if (
        request.headers.authorization !== `Bearer ${world.state.argoToken}` &&
        !request.url.startsWith('/api/v1/session/userinfo')
      )
        await refuse(reply, 401, 16, 'invalid session: token is not valid');
    });
    this.faults.install(this.server);
    this.routes();
  }

  listen(port = 0): Promise<string> {
    return this.server.listen({ port, host: '127.0.0.1' });
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** The application controller is down: the tree stays as it is and never shows a new Job. */
  set controllerDown(down: boolean) {
    this.stale = down ? this.nodes() : undefined;
  }

  private routes(): void {
    const { world } = this;
    this.server.get('/api/v1/session/userinfo', (request) =>
      request.headers.authorization === `Bearer ${world.state.argoToken}`
        ? { loggedIn: true, username: 'token-rotation' }
        : {},
    );
    this.server.get<{ Querystring: Scope }>(APPLICATION, (request, reply) =>
      this.rights.get && inScope(request.query) && !this.kubernetesDown
        ? {
            metadata: { name: 'signon', namespace: 'cluster-services' },
            status: { health: { status: 'Healthy' } },
          }
        : denied(reply),
    );
    this.server.get<{ Querystring: Scope }>(`${APPLICATION}/resource-tree`, (request, reply) =>
      this.rights.get && inScope(request.query) ? { nodes: this.nodes() } : denied(reply),
    );
    this.server.post<{ Body: Named & { action?: string } }>(
      `${APPLICATION}/resource/actions/v2`,
      (request, reply) => {
        if (this.withoutV2) return reply.code(404).type('text/plain').send('Not Found');
        return inScope(request.body)
          ? this.act(reply, request.body, request.body.action)
          : denied(reply);
      },
    );
    this.server.post<{ Body: unknown; Querystring: Named }>(
      `${APPLICATION}/resource/actions`,
      (request, reply) =>
        inScope(request.query) ? this.act(reply, request.query, request.body) : denied(reply),
    );
    this.server.get<{ Querystring: Named & { container?: string; tailLines?: string } }>(
      `${APPLICATION}/logs`,
      (request, reply) => {
        if (!this.rights.logs || !inScope(request.query)) return denied(reply);
        if (this.kubernetesDown) return unavailable(reply);
        if (this.forbidden.logs) return refuse(reply, 403, 7, this.forbidden.logs);
        const { namespace, group, kind, resourceName, container } = request.query;
        const isJob = namespace === 'apps' && group === 'batch' && kind === 'Job';
        const isShown = this.nodes().some((node) => node.name === resourceName);
        const job = isJob && isShown && world.state.jobs.find(({ name }) => name === resourceName);
        if (!job) return reply.code(200).send('');
        const unread =
          container !== 'cron-task'
            ? `container ${container} is not valid for pod ${job.name}-abcde`
            : this.podsGone && `pods "${job.name}-abcde" not found`;
        if (unread)
          return reply
            .type('application/json')
            .send(JSON.stringify({ result: { content: unread, podName: '' } }));
        const lines = job.log.slice(-Number(request.query.tailLines ?? 100)).map((content) => ({
          content,
          timeStamp: iso(world.now()),
          timeStampStr: iso(world.now()),
          podName: `${job.name}-abcde`,
          last: false,
        }));
        return reply
          .type('application/json')
          .send(
            [...lines, { content: '', timeStampStr: iso(world.now()), podName: '', last: true }]
              .map((result) => JSON.stringify({ result }))
              .join('\n'),
          );
      },
    );
    // An application that its role does not name; with a role for more of them it would be a 404.
    this.server.all('/api/v1/applications/*', (_request, reply) => denied(reply));
  }

  private act(reply: FastifyReply, named: Named, action: unknown): FastifyReply | object {
    if (!this.rights.createJob) return denied(reply);
    if (this.kubernetesDown) return unavailable(reply);
    const { namespace, group, kind, version, resourceName: cronJob } = named;
    const isCronJob =
      namespace === 'apps' && group === 'batch' && kind === 'CronJob' && version === 'v1';
    if (!isCronJob || cronJob !== this.world.state.cronJob.name)
      return refuse(
        reply,
        400,
        3,
        `${kind} ${group} ${cronJob} not found as part of application signon`,
      );
    if (action !== 'create-job')
      return refuse(reply, 500, 2, `error getting Lua resource action: ${String(action)}`);
    if (this.forbidden.createJob) return refuse(reply, 403, 7, this.forbidden.createJob);
    const name = this.jobName(cronJob);
    if (name.length > 63)
      return refuse(
        reply,
        500,
        2,
        `error creating resource: Job.batch "${name}" is invalid: metadata.labels: Invalid value: "${name}": must be no more than 63 characters`,
      );
    return this.cluster.createJob(name)
      ? {}
      : refuse(reply, 409, 6, `jobs.batch "${name}" already exists`);
  }

  /** By the server's clock, to the minute; finer where the option says so. */
  private jobName(cronJob: string): string {
    const { jobNameEveryMs } = this.options;
    const slot = new Date(Math.floor(this.world.now() / jobNameEveryMs) * jobNameEveryMs)
      .toISOString()
      .replace(/\D/g, '');
    return `${cronJob}-${slot.slice(2, jobNameEveryMs < 60_000 ? 17 : 12)}`;
  }

  private shownJobs(): World['state']['jobs'] {
    return this.world.state.jobs.filter(
      ({ createdAt }) => createdAt + this.options.treeLagMs <= this.world.now(),
    );
  }

  private nodes(): Node[] {
    if (this.stale) return this.stale;
    const { state } = this.world;
    const messages = {
      Healthy: 'Reached expected number of succeeded pods',
      Degraded: 'Job has reached the specified backoff limit',
      Progressing: '',
    };
    return [
      {
        group: 'batch',
        version: 'v1',
        kind: 'CronJob',
        namespace: 'apps',
        name: state.cronJob.name,
        uid: state.cronJob.uid,
        createdAt: '2024-10-10T00:00:00Z',
      },
      ...this.shownJobs().map((job) => ({
        group: 'batch',
        version: 'v1',
        kind: 'Job',
        namespace: 'apps',
        name: job.name,
        uid: job.uid,
        parentRefs: [
          {
            group: 'batch',
            kind: 'CronJob',
            namespace: 'apps',
            name: job.cronJob,
            uid: state.cronJob.uid,
          },
        ],
        health: job.suspended
          ? { status: 'Suspended', message: 'Job is suspended' }
          : { status: job.status, message: messages[job.status] },
        createdAt: iso(job.createdAt),
      })),
    ];
  }
}

function inScope({ appNamespace, project }: Scope): boolean {
  return appNamespace === 'cluster-services' && project === 'govuk';
}

function denied(reply: FastifyReply): FastifyReply {
  return refuse(reply, 403, 7, 'permission denied');
}

function unavailable(reply: FastifyReply): FastifyReply {
  return refuse(reply, 500, 2, 'connection refused');
}

function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ error: message, code, message });
}
