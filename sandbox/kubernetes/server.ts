import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { Faults } from '../faults.ts';
import type { World } from '../world.ts';
import type { WorkloadState } from '../world-state.ts';
import type { SandboxOptions } from '../options.ts';
import { ExecEndpoint } from './exec.ts';
import { listOf } from './objects.ts';

/**
 * What the worker's role allows: `<group>/<resource>: verbs`. No Secrets; `patch` on deployments
 * only where restarting is wanted.
 */
const ROLE: Record<string, string[]> = {
  deployments: ['list'],
  statefulsets: ['list'],
  cronjobs: ['get', 'list'],
  jobs: ['get', 'list'],
  pods: ['list', 'watch'],
  'pods/exec': ['get', 'create'],
};

/** The API groups of those that are in one. */
const GROUPS: Record<string, string> = {
  deployments: 'apps',
  statefulsets: 'apps',
  cronjobs: 'batch',
  jobs: 'batch',
};

interface AccessReview {
  spec?: {
    resourceAttributes?: {
      namespace?: string;
      group?: string;
      resource?: string;
      subresource?: string;
      verb?: string;
    };
  };
}

/** Since Kubernetes 1.35, an exec over WebSocket needs both. */
const EXEC_VERBS = ['get', 'create'];

/** How long a watch lasts that does not say. */
const WATCHES_FOR_S = 1800;
/** Changes of a resource that a watch may begin before. */
const EVENTS_KEPT = 1000;

/** The only kind of patch it takes. */
const STRATEGIC_MERGE = 'application/strategic-merge-patch+json';

/** A stand-in of the Kubernetes API: paged lists, watch, exec, and a role that is enforced. */
export class KubernetesStandIn {
  readonly faults = new Faults();
  readonly exec: ExecEndpoint;
  readonly role = structuredClone(ROLE);
  /** Every right that was asked for, as `pods list`. */
  readonly asked = new Set<string>();
  private readonly server: FastifyInstance = fastify({ forceCloseConnections: true });
  /** How many of the next continuations have expired when they are used, as after a compaction. */
  pagesThatExpire = 0;
  /** How many of the next watches begin at a version that is gone, as after a compaction. */
  watchesThatAreGone = 0;
  private readonly pages = new Map<string, object[]>();
  private readonly watches = new Set<FastifyReply>();
  private readonly logs = new Map<string, WatchLog>();

  constructor(
    private readonly world: World,
    programs: string,
    execs: SandboxOptions['execs'] = 'processes',
  ) {
    this.exec = new ExecEndpoint(world, programs, execs);
    this.server.addHook('onRequest', async (request, reply) => {
      world.happened.requests.kubernetes++;
      if (request.headers.authorization !== undefined) return undefined;
      return refuse(reply, 403, 'Forbidden', 'User "system:anonymous" cannot do that');
    });
    this.faults.install(this.server);
    this.server.get<{
      Params: { '*': string; name?: string };
      Querystring: Record<string, string>;
    }>('/*', async (request, reply) => {
      const [, namespace, resource, name] =
        /^(?:api\/v1|apis\/(?:apps|batch)\/v1)\/namespaces\/([^/]+)\/([a-z]+)(?:\/([^/]+))?$/.exec(
          request.params['*'],
        ) ?? [];
      if (!resource) return refuse(reply, 404, 'NotFound');
      const verb = name ? 'get' : request.query.watch === 'true' ? 'watch' : 'list';
      const allowed = this.allowed(request.headers.authorization, namespace, resource, verb);
      if (allowed === undefined) return refuse(reply, 401, 'Unauthorized');
      if (!allowed) return refuse(reply, 403, 'Forbidden');
      if (verb === 'watch') return this.watch(reply, resource, request.query);
      if (this.role[resource]?.includes('watch')) this.logOf(resource);
      const items = listOf(world, resource) as { metadata: { name: string } }[];
      if (!name) return this.page(reply, items, request.query);
      const found = items.find(({ metadata }) => metadata.name === name);
      return found ?? refuse(reply, 404, 'NotFound');
    });
    this.server.post<{ Body: AccessReview }>(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      (request, reply) => {
        const role = this.roleOf(request.headers.authorization);
        if (role === undefined) return refuse(reply, 401, 'Unauthorized');
        const { spec } = request.body;
        const {
          namespace,
          group = '',
          resource = '',
          subresource,
          verb = '',
        } = spec?.resourceAttributes ?? {};
        const asked = subresource ? `${resource}/${subresource}` : resource;
        const allowed =
          group === (GROUPS[asked] ?? '') && this.grants(role, namespace, asked).includes(verb);
        // As RBAC says it: what no rule allows is neither allowed nor denied.
        const status = allowed ? { allowed, reason: 'RBAC: allowed by RoleBinding' } : { allowed };
        return reply.code(201).send({
          kind: 'SelfSubjectAccessReview',
          apiVersion: 'authorization.k8s.io/v1',
          metadata: {},
          spec,
          status,
        });
      },
    );
    this.server.addContentTypeParser(
      STRATEGIC_MERGE,
      { parseAs: 'string' },
      (_request, body, done) => done(null, body),
    );
    this.server.patch<{ Params: { namespace: string; name: string }; Body: string }>(
      '/apis/apps/v1/namespaces/:namespace/deployments/:name',
      (request, reply) => {
        const { namespace, name } = request.params;
        const allowed = this.allowed(
          request.headers.authorization,
          namespace,
          'deployments',
          'patch',
        );
        if (allowed === undefined) return refuse(reply, 401, 'Unauthorized');
        if (!allowed) return refuse(reply, 403, 'Forbidden');
        const workload = world.state.workloads.find(
          (one) => one.kind === 'Deployment' && one.name === name,
        );
        if (!workload) return refuse(reply, 404, 'NotFound');
        this.patchTemplate(workload, request.body);
        return listOf(world, 'deployments').find(
          (deployment) => (deployment as { metadata: { name: string } }).metadata.name === name,
        );
      },
    );
    this.server.server.on('upgrade', (request, socket, head) => {
      world.happened.requests.kubernetes++;
      world.happened.execs++;
      const namespace = request.url?.split('/')[4];
      const { authorization } = request.headers;
      const allowed = this.allowed(authorization, namespace, 'pods/exec', 'get');
      const isAnonymous = authorization === undefined;
      this.exec.upgrade(request, socket, head, isAnonymous ? false : allowed);
    });
  }

  listen(port = 0): Promise<string> {
    return this.server.listen({ port, host: '127.0.0.1' });
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** How many watch now. */
  get watching(): number {
    return this.watches.size;
  }

  /** Cuts every watch, as an API server that restarts. */
  cutWatches(): void {
    for (const { raw } of this.watches) raw.destroy();
  }

  /** A pod template that changed makes new pods; one that is as it was makes none. */
  private patchTemplate(workload: WorkloadState, body: string): void {
    const patch = JSON.parse(body) as {
      spec?: { template?: { metadata?: { annotations?: Record<string, string> } } };
    };
    const restartedAt =
      patch.spec?.template?.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt'];
    if (restartedAt === undefined || restartedAt === workload.restartedAt) return;
    workload.restartedAt = restartedAt;
    workload.generation++;
    this.world.changed();
  }

  /** Undefined where the token is not known. From 1.35 on, a WebSocket exec needs both verbs. */
  private allowed(
    authorization: string | undefined,
    namespace: string | undefined,
    resource: string,
    verb: string,
  ): boolean | undefined {
    for (const one of resource === 'pods/exec' ? EXEC_VERBS : [verb])
      this.asked.add(`${resource} ${one}`);
    const role = this.roleOf(authorization);
    if (role === undefined) return undefined;
    const verbs = this.grants(role, namespace, resource);
    return resource === 'pods/exec'
      ? EXEC_VERBS.every((needed) => verbs.includes(needed))
      : verbs.includes(verb);
  }

  private roleOf(authorization: string | undefined): string | undefined {
    return this.world.state.kubernetesTokens[authorization?.replace(/^Bearer /, '') ?? ''];
  }

  /** The verbs that a role has. */
  private grants(role: string, namespace: string | undefined, resource: string): string[] {
    return role === 'worker' && namespace === 'apps' ? (this.role[resource] ?? []) : [];
  }

  private page(reply: FastifyReply, all: object[], query: Record<string, string>): object {
    const limit = Number(query.limit ?? 0);
    const known = query.continue ? this.pages.get(query.continue) : undefined;
    if (query.continue && !known) return refuse(reply, 410, 'Expired');
    const items = known ?? all;
    const metadata: { resourceVersion: string; continue?: string } = {
      resourceVersion: String(this.world.version),
    };
    if (limit > 0 && items.length > limit) {
      metadata.continue = randomBytes(16).toString('base64url');
      if (this.pagesThatExpire > 0) this.pagesThatExpire--;
      else this.pages.set(metadata.continue, items.slice(limit));
    }
    return {
      kind: 'List',
      apiVersion: 'v1',
      metadata,
      items: limit > 0 ? items.slice(0, limit) : items,
    };
  }

  /** What changed since a version, then what changes, until the time is over. */
  private watch(reply: FastifyReply, resource: string, query: Record<string, string>): void {
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
    const write = (type: WatchEvent['type'] | 'BOOKMARK' | 'ERROR', object: object): void =>
      void reply.raw.write(`${JSON.stringify({ type, object })}\n`);
    const log = this.logOf(resource);
    const isGone = this.watchesThatAreGone > 0 || Number(query.resourceVersion) < log.since;
    if (isGone) {
      this.watchesThatAreGone = Math.max(0, this.watchesThatAreGone - 1);
      const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure' };
      write('ERROR', { ...status, reason: 'Expired', code: 410 });
      reply.raw.end();
      return;
    }
    this.watches.add(reply);
    // Without a version it begins with what is there.
    if (!query.resourceVersion)
      for (const object of listOf(this.world, resource)) write('ADDED', object);
    let sent = Number(query.resourceVersion || this.world.version);
    const send = (): void => {
      for (const { version, type, object } of log.events)
        if (version > sent) write(type, versioned(object, version));
      sent = this.world.version;
    };
    send();
    log.told.on('event', send);
    const timer = setTimeout(
      () => {
        if (query.allowWatchBookmarks === 'true') write('BOOKMARK', versioned({}, sent));
        reply.raw.end();
      },
      Number(query.timeoutSeconds ?? WATCHES_FOR_S) * 1000,
    );
    reply.raw.on('close', () => {
      clearTimeout(timer);
      log.told.off('event', send);
      this.watches.delete(reply);
    });
  }

  /** What changed of a resource since it was first listed; older versions are gone. */
  private logOf(resource: string): WatchLog {
    const known = this.logs.get(resource);
    if (known) return known;
    const { world } = this;
    const snapshot = (): Map<string, string> =>
      new Map(
        (listOf(world, resource) as Listed[]).map((item) => [
          item.metadata.name,
          JSON.stringify(versioned(item, undefined)),
        ]),
      );
    const log: WatchLog = { since: world.version, events: [], told: new EventEmitter() };
    log.told.setMaxListeners(0);
    let before = snapshot();
    world.events.on('changed', () => {
      const now = snapshot();
      const add = (type: WatchEvent['type'], object: string): void =>
        void log.events.push({
          version: world.version,
          type,
          object: JSON.parse(object) as object,
        });
      for (const [name, object] of now)
        if (before.get(name) !== object) add(before.has(name) ? 'MODIFIED' : 'ADDED', object);
      for (const [name, object] of before) if (!now.has(name)) add('DELETED', object);
      before = now;
      for (const { version } of log.events.splice(0, log.events.length - EVENTS_KEPT))
        log.since = version;
      log.told.emit('event');
    });
    this.logs.set(resource, log);
    return log;
  }
}

interface Listed {
  metadata: { name: string; resourceVersion: string };
}

interface WatchEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: object;
}

interface WatchLog {
  /** A watch from before this version is refused as expired. */
  since: number;
  events: WatchEvent[];
  told: EventEmitter;
}

function versioned(object: object, version: number | undefined): object {
  const { metadata } = object as Partial<Listed>;
  const resourceVersion = version === undefined ? undefined : String(version);
  return { ...object, metadata: { ...metadata, resourceVersion } };
}

function refuse(reply: FastifyReply, code: number, reason: string, message = reason): FastifyReply {
  return reply.code(code).send({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  });
}
