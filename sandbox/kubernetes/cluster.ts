import { randomBytes } from 'node:crypto';
import type { SandboxOptions } from '../options.ts';
import { makeUid, type World } from '../world.ts';
import type { ContainerSpec, PodState, WorkloadState } from '../world-state.ts';

const TICK_MS = 20;

/**
 * What moves by itself in a cluster: Jobs end, Reloader notices Secrets, Deployments replace pods
 * one by one, old pods serve until they are gone.
 */
export class Cluster {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly world: World,
    private readonly options: SandboxOptions,
    /** Variables every container has, such as where the server applications are. */
    private readonly commonEnv: Record<string, string>,
  ) {}

  start(): void {
    if (this.world.state.pods.length === 0) this.settle();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Starts all pods at once, as they were before anybody looked. */
  private settle(): void {
    for (const workload of this.world.state.workloads)
      for (let replica = 0; replica < workload.replicas; replica++)
        this.run(this.makePod(workload, this.world.now() - 3_600_000));
    this.world.changed();
  }

  /** One Job of the sync CronJob; undefined where its name is taken. */
  createJob(name: string): boolean {
    const { state } = this.world;
    if (state.jobs.some((job) => job.name === name)) return false;
    const now = this.world.now();
    state.jobs.push({
      name,
      uid: makeUid(),
      cronJob: state.cronJob.name,
      createdAt: now,
      endsAt: now + this.options.jobMs,
      status: 'Progressing',
      read: this.world.secretsNow(),
      log: [],
    });
    this.world.happened.jobs.push({ name, at: now });
    this.world.changed();
    return true;
  }

  /** Deploys a workload, with all its pods at once. */
  deploy(workload: WorkloadState): void {
    this.world.state.workloads.push(workload);
    for (let replica = 0; replica < workload.replicas; replica++)
      this.run(this.makePod(workload, this.world.now()));
    this.world.changed();
  }

  /** One run of an application's CronJob: a Job with a pod that ends by itself. */
  runTask(cronJob: string, forMs: number): string {
    const { state } = this.world;
    const workload = state.workloads.find(
      ({ kind, name }) => kind === 'CronJob' && name === cronJob,
    );
    if (!workload) throw new Error(`the sandbox has no CronJob ${cronJob}`);
    const now = this.world.now();
    const name = `${cronJob}-${Math.floor(now / 60_000)}${randomBytes(2).toString('hex')}`;
    return this.runOnce(workload, { name, owner: { kind: 'CronJob', name: cronJob } }, forMs);
  }

  /**
   * A one-off Job with every token of an application, made from its Deployment's pod template:
   * `<app>-dbmigrate` at a deploy, or a rake task that somebody asked for as a JobRequest.
   */
  runJob(deployment: string, how: 'dbmigrate' | 'JobRequest', forMs: number): string {
    const workload = this.world.state.workloads.find(
      ({ kind, name }) => kind === 'Deployment' && name === deployment,
    );
    if (!workload) throw new Error(`the sandbox has no Deployment ${deployment}`);
    const name = `${deployment}-${how === 'dbmigrate' ? how : `task-${randomBytes(2).toString('hex')}`}`;
    const owner = how === 'JobRequest' ? { kind: how, name } : undefined;
    return this.runOnce(workload, { name, owner }, forMs);
  }

  /**
   * A pod of an Argo Workflow, as at each deploy: an image with curl and no Ruby, no
   * GOVUK_ENVIRONMENT, one token.
   */
  runWorkflow(secret: string, forMs: number): string {
    const name = `deploy-${randomBytes(3).toString('hex')}`;
    this.deploy({
      kind: 'Pod',
      name: `${name}-main`,
      uid: makeUid(),
      owner: { kind: 'Workflow', name },
      replicas: 1,
      generation: 1,
      containers: [
        {
          name: 'main',
          ruby: false,
          nowhere: true,
          tokens: [{ variable: 'RELEASE_API_TOKEN', secret }],
        },
      ],
    });
    const pod = this.world.state.pods.find(({ workload }) => workload === `${name}-main`)!;
    pod.endsAt = this.world.now() + forMs;
    return pod.name;
  }

  private runOnce(
    workload: WorkloadState,
    { name, owner }: { name: string; owner?: { kind: string; name: string } },
    forMs: number,
  ): string {
    const { state } = this.world;
    const now = this.world.now();
    state.tasks = state.tasks.filter((task) => task.name !== name); // a hook's Job is made anew
    state.tasks.push({
      name,
      uid: makeUid(),
      from: workload.name,
      ...(owner && { owner }),
      createdAt: now,
    });
    const pod = this.makePod(workload, now, name);
    pod.task = name;
    pod.endsAt = now + forMs;
    this.run(pod);
    this.world.changed();
    return pod.name;
  }

  /**
   * Changes a workload's template; its pods stay as they are, as with a paused rollout or a
   * StatefulSet that updates `OnDelete`.
   */
  retemplate(name: string, containers: ContainerSpec[]): void {
    const { state } = this.world;
    const workload = state.workloads.find((candidate) => candidate.name === name);
    if (!workload) throw new Error(`the sandbox has no workload ${name}`);
    for (const pod of state.pods) if (pod.workload === name) pod.specs ??= workload.containers;
    workload.containers = containers;
    this.world.changed();
  }

  /** Restarts a workload as Reloader and `kubectl rollout restart` do. */
  roll(name: string): void {
    const workload = this.world.state.workloads.find((candidate) => candidate.name === name);
    if (workload) workload.generation++;
    this.world.changed();
  }

  /** Kills a pod at once, as a lost node would; its Deployment makes another. */
  kill(name: string): void {
    this.world.state.pods = this.world.state.pods.filter((pod) => pod.name !== name);
    this.world.changed();
  }

  private tick(): void {
    for (let moved = true; moved;)
      moved = this.endJobs() || this.reload() || this.movePods() || this.rollDeployments();
  }

  private endJobs(): boolean {
    const { world } = this;
    const due = world.state.jobs.find(
      (job) => job.status === 'Progressing' && !job.suspended && job.endsAt <= world.now(),
    );
    if (!due) return false;
    const fails = world.sync.fails > 0;
    const idle = !fails && world.sync.writesNothing > 0;
    if (fails) world.sync.fails--;
    if (idle) world.sync.writesNothing--;
    const written = fails || idle ? [] : world.write(due.read);
    due.log.push(
      'Syncing tokens',
      ...written.map((name) => `Wrote ${name}`),
      ...world.sync.extraLog,
      fails ? 'Failed' : 'Done',
    );
    due.status = fails ? 'Degraded' : 'Healthy';
    due.endedAt = world.now();
    this.noticeChanges(written);
    this.keepHistory();
    world.changed();
    return true;
  }

  private noticeChanges(secrets: string[]): void {
    const { world } = this;
    for (const workload of world.state.workloads)
      if (
        ['Deployment', 'StatefulSet'].includes(workload.kind) &&
        !world.overlooked.has(workload.name) &&
        workload.containers.some(({ tokens, whole }) =>
          [...tokens, ...(whole && !whole.configMap ? [whole] : [])].some(({ secret }) =>
            secrets.includes(secret),
          ),
        )
      )
        world.state.reloads.push({
          workload: workload.name,
          at: world.now() + this.options.reloaderMs,
        });
  }

  /** A CronJob keeps 3 succeeded Jobs and 1 failed. */
  private keepHistory(): void {
    for (const [status, kept] of [
      ['Healthy', 3],
      ['Degraded', 1],
    ] as const) {
      const ended = this.world.state.jobs.filter((job) => job.status === status);
      const surplus = new Set(ended.slice(0, Math.max(0, ended.length - kept)));
      this.world.state.jobs = this.world.state.jobs.filter((job) => !surplus.has(job));
    }
  }

  private reload(): boolean {
    const { state } = this.world;
    const due = state.reloads.find(({ at }) => at <= this.world.now());
    if (!due) return false;
    state.reloads.splice(state.reloads.indexOf(due), 1);
    this.roll(due.workload);
    return true;
  }

  private movePods(): boolean {
    const { state } = this.world;
    const now = this.world.now();
    const ending = state.pods.find(
      (pod) => pod.running && pod.endsAt !== undefined && pod.endsAt <= now,
    );
    if (ending) {
      Object.assign(ending, { running: false, ended: true });
      Object.assign(state.tasks.find(({ name }) => name === ending.task) ?? {}, { endedAt: now });
      this.world.changed();
      return true;
    }
    const starting = state.pods.find((pod) => isComing(pod) && pod.startsAt <= now);
    if (starting) {
      const { workload } = starting;
      if (this.world.unschedulable.has(workload)) starting.stuck = 'unschedulable';
      else if (this.world.crashing.has(workload)) starting.stuck = 'crashing';
      else if (this.world.withoutImage.has(workload)) starting.stuck = 'without its image';
      else this.run(starting, this.options.readyMs);
      this.world.changed();
      return true;
    }
    const ready = state.pods.find(({ readyAt }) => readyAt !== undefined && readyAt <= now);
    if (ready) {
      ready.readyAt = undefined;
      this.world.changed();
      return true;
    }
    const left = state.pods.filter(({ goneAt }) => goneAt === undefined || goneAt > now);
    if (left.length === state.pods.length) return false;
    state.pods = left;
    this.world.changed();
    return true;
  }

  private rollDeployments(): boolean {
    for (const workload of this.world.state.workloads) {
      if (workload.kind !== 'Deployment' && workload.kind !== 'StatefulSet') continue;
      if (workload.paused || workload.failsToCreate !== undefined) continue;
      const pods = this.world.state.pods.filter(
        (pod) =>
          pod.workload === workload.name && pod.goneAt === undefined && pod.task === undefined,
      );
      const fresh = pods.filter(({ generation }) => generation === workload.generation);
      const old = pods.filter(({ generation }) => generation !== workload.generation);
      if (fresh.some(({ running, readyAt }) => !running || readyAt !== undefined)) continue;
      if (workload.kind === 'StatefulSet') {
        if (this.rollInPlace(workload, pods, old)) return true;
        continue;
      }
      if (
        pods.length < workload.replicas ||
        (old.length > 0 && pods.length === workload.replicas && fresh.length < workload.replicas)
      ) {
        this.makePod(workload, this.world.now() + this.options.podStartMs);
        this.world.changed();
        return true;
      }
      const surplus = pods.length > workload.replicas ? (old[0] ?? fresh[0]) : undefined;
      if (surplus) {
        surplus.goneAt = this.goneAt(workload);
        this.world.changed();
        return true;
      }
    }
    return false;
  }

  /** A StatefulSet replaces a pod by another of the same name: the old one goes first. */
  private rollInPlace(workload: WorkloadState, pods: PodState[], old: PodState[]): boolean {
    const { state } = this.world;
    if (state.pods.some((pod) => pod.workload === workload.name && pod.goneAt !== undefined))
      return false;
    if (old[0]) old[0].goneAt = this.goneAt(workload);
    else if (pods.length < workload.replicas)
      this.makePod(workload, this.world.now() + this.options.podStartMs);
    else return false;
    this.world.changed();
    return true;
  }

  private goneAt({ graceSeconds = 30 }: WorkloadState): number {
    return this.world.now() + (this.options.terminationMs * graceSeconds) / 30;
  }

  private makePod(workload: WorkloadState, startsAt: number, task?: string): PodState {
    const random = randomBytes(3).toString('hex').slice(0, 5);
    const taken = new Set(this.world.state.pods.map(({ name }) => name));
    const ordinals = Array.from(
      { length: workload.replicas },
      (_, ordinal) => `${workload.name}-${ordinal}`,
    );
    const names: Record<WorkloadState['kind'], string> = {
      Deployment: `${workload.name}-${hashOf(workload)}-${random}`,
      StatefulSet: ordinals.find((name) => !taken.has(name)) ?? `${workload.name}-0`,
      CronJob: workload.name,
      Pod: workload.name,
    };
    const pod: PodState = {
      name: task === undefined ? names[workload.kind] : `${task}-${random}`,
      uid: makeUid(),
      workload: workload.name,
      generation: workload.generation,
      containers: workload.containers.map(({ name }) => ({
        name,
        id: `containerd://${randomBytes(32).toString('hex')}`,
        env: {},
      })),
      startsAt,
      running: false,
    };
    this.world.state.pods.push(pod);
    return pod;
  }

  /** Env is resolved once, when a container starts. */
  private run(pod: PodState, readyMs = 0): void {
    for (const container of pod.containers) {
      const spec = specsOf(this.world, pod).find(({ name }) => name === container.name);
      container.startedAt = Math.max(pod.startsAt, 0);
      container.env = {
        ...this.commonEnv,
        ...(!spec?.nowhere && { GOVUK_ENVIRONMENT: this.world.state.environment }),
        ...Object.fromEntries(
          (spec?.tokens ?? []).map(({ variable, secret }) => [
            variable,
            this.world.state.secrets[secret] ?? '',
          ]),
        ),
        ...(spec?.whole && {
          [`${spec.whole.prefix ?? ''}bearer_token`]:
            this.world.state.secrets[spec.whole.secret] ?? '',
        }),
        ...spec?.literals,
      };
    }
    pod.running = true;
    if (readyMs > 0) pod.readyAt = this.world.now() + readyMs;
  }
}

/** What a pod is made of: its workload's template, or the older one it was made from. */
export function specsOf({ state }: World, { specs, workload }: PodState): ContainerSpec[] {
  return specs ?? state.workloads.find(({ name }) => name === workload)?.containers ?? [];
}

/** Whether a pod is still to start. */
function isComing(pod: PodState): boolean {
  return !pod.running && !pod.ended && pod.stuck === undefined;
}

/** What a ReplicaSet's name and the label `pod-template-hash` end in. */
export function hashOf(workload: Pick<WorkloadState, 'generation'>): string {
  return (0x6c9d0000 + workload.generation).toString(16);
}
