import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { generateSecret } from 'otplib';
import type { Environment } from '../domain/request/index.ts';
import { tokenSecretName } from '../domain/text/index.ts';
import { makeToken, makeUid, World } from './world.ts';
import type { WorkloadState, WorldState } from './world-state.ts';

/** An application that reads a token's Secret through a variable. */
export interface Reading {
  secret: string;
  application: string;
  envVar: string;
  replicas: number;
  hasWorkerDeployment: boolean;
  cronTasks: number;
}

const DAY = 86_400_000;

/** The real topology: which application reads which token's Secret through which variable. */
export function readTopology(): Reading[] {
  return JSON.parse(
    readFileSync(new URL('./data/token-consumers.json', import.meta.url), 'utf8'),
  ) as Reading[];
}

/**
 * A made-up world over the real topology; tokens live between 300 and 700 days more.
 * @param only applications to deploy, all where absent
 * @param readings another topology than the real one
 * @param estate with what runs beside the topology: workers of two replicas and of several
 * containers, a suspended CronJob, an application without a web Deployment, grace periods from 5 to
 * 80 s, a Secret that an Argo Workflow alone reads, and integration's further reading
 */
export function seedWorld({
  environment = 'integration',
  only,
  readings: given = readTopology(),
  estate = false,
}: {
  environment?: Environment;
  only?: string[];
  readings?: Reading[];
  estate?: boolean;
} = {}): World {
  const readings = estate && environment === 'integration' ? [...given, DRAFT_FRONTEND] : given;
  const fromVariables = readings.map(({ envVar }) =>
    envVar
      .replace(/_BEARER_TOKEN$/, '')
      .toLowerCase()
      .replaceAll('_', '-'),
  );
  if (estate) fromVariables.push('release');
  const names = [
    ...new Set(fromVariables.map((name) => (name === 'rummager' ? 'search-api' : name))),
  ].toSorted();
  const state: WorldState = {
    environment,
    clockOffsetMs: 0,
    account: {
      email: 'token-rotation@digital.cabinet-office.gov.uk',
      password: `made-up ${randomBytes(12).toString('hex')}`,
      totpSecret: generateSecret(),
      superadmin: true,
      suspended: false,
      secondStepMissing: false,
      failures: 0,
      wrongCodes: 0,
      lockedUntil: 0,
      sessionEpoch: 0,
    },
    argoToken: makeToken(),
    kubernetesTokens: { [makeToken()]: 'worker' },
    cookieKey: randomBytes(32).toString('hex'),
    apiUsers: [],
    applications: names.map((name, index) => ({
      id: index + 1,
      name: displayName(name),
      retired: false,
    })),
    authorisations: [],
    nextId: 101,
    secrets: {},
    reloads: [],
    workloads: [],
    pods: [],
    jobs: [],
    tasks: [],
    cronJob: { name: 'signon-sync-token-secrets-to-k8s', uid: makeUid() },
  };
  const world = new World(state);
  for (const { secret } of readings) addPair(world, secret, names);
  if (estate) addPair(world, WORKFLOW_SECRET, names);
  for (const name of new Set(readings.map(({ application }) => application)))
    if (!only || only.includes(name))
      addApplication(
        state,
        readings.filter(({ application }) => application === name),
        estate,
      );
  world.syncSecrets();
  world.happened.created.length = 0;
  return world;
}

/** Sets the end of a pair's tokens, counted from now. */
export function expireIn(world: World, email: string, application: string, days: number): void {
  const { user, server } = pairOf(world, email, application);
  for (const token of world.state.authorisations)
    if (token.apiUserId === user.id && token.applicationId === server.id)
      token.expiresAt = world.now() + days * DAY;
  world.changed();
}

/** Sets the end of all tokens, counted from now. */
export function expireAllIn(world: World, days: number): void {
  for (const token of world.state.authorisations) token.expiresAt = world.now() + days * DAY;
  world.changed();
}

/** A pair of the world by e-mail and parameterized name. */
export function pairOf(
  world: World,
  email: string,
  application: string,
): { user: WorldState['apiUsers'][number]; server: WorldState['applications'][number] } {
  const user = world.state.apiUsers.find((candidate) => candidate.email === email);
  const server = world.state.applications.find(({ name }) => name === displayName(application));
  if (!user || !server) throw new Error(`the sandbox has no pair ${email} → ${application}`);
  return { user, server };
}

function addPair(world: World, secret: string, applications: string[]): void {
  const { state } = world;
  const { client, application } = splitSecret(secret, applications);
  let user = state.apiUsers.find(({ email }) => email === `${client}@alphagov.co.uk`);
  if (!user) {
    user = {
      id: state.apiUsers.length + 1,
      name: displayName(client),
      email: `${client}@alphagov.co.uk`,
      suspended: false,
    };
    state.apiUsers.push(user);
  }
  const server = state.applications.find(({ name }) => name === displayName(application))!;
  if (tokenSecretName(user.name, server.name) !== secret)
    throw new Error(`the seed does not name ${secret}`);
  if (
    !state.authorisations.some(
      (token) => token.apiUserId === user.id && token.applicationId === server.id,
    )
  )
    state.authorisations.push({
      id: state.nextId++,
      apiUserId: user.id,
      applicationId: server.id,
      token: makeToken(),
      createdAt: world.now() - 100 * DAY,
      expiresAt: world.now() + (300 + ((state.nextId * 37) % 400)) * DAY,
    });
}

/** In integration, draft-frontend reads frontend's token as well. */
const DRAFT_FRONTEND: Reading = {
  secret: 'signon-token-frontend-publishing-api',
  application: 'draft-frontend',
  envVar: 'PUBLISHING_API_BEARER_TOKEN',
  replicas: 2,
  hasWorkerDeployment: false,
  cronTasks: 0,
};
/** Of no application in the topology: pods of Argo Workflows read it at each deploy. */
const WORKFLOW_SECRET = 'signon-token-argo-workflows-release';
/** Workers with several containers that have the tokens. */
const SEVERAL_IN_A_WORKER = ['content-data-api', 'search-api'];
/** It has a worker Deployment alone, whose container has the application's name. */
const WITHOUT_WEB = 'email-alert-service';
/** Grace periods in seconds, as the estate's workloads have them. */
const GRACES = [30, 5, 80, 30, 45, 60];

function addApplication(state: WorldState, readings: Reading[], estate: boolean): void {
  const [first] = readings;
  if (!first) return;
  const tokens = readings.map(({ envVar, secret }) => ({ variable: envVar, secret }));
  const workload = (
    kind: WorkloadState['kind'],
    name: string,
    replicas: number,
    main: string,
  ): WorkloadState => ({
    kind,
    name,
    uid: makeUid(),
    replicas,
    generation: 1,
    ...(estate && { graceSeconds: GRACES[state.workloads.length % GRACES.length] }),
    containers: [
      { name: main, tokens, ruby: true },
      ...(main === 'app' ? [{ name: 'nginx', tokens: [], ruby: false }] : []),
    ],
  });
  const { application, replicas } = first;
  const isWorkerAlone = estate && application === WITHOUT_WEB;
  if (!isWorkerAlone) state.workloads.push(workload('Deployment', application, replicas, 'app'));
  if (first.hasWorkerDeployment) {
    const main = isWorkerAlone ? application : 'worker';
    const worker = workload('Deployment', `${application}-worker`, estate ? 2 : 1, main);
    if (estate && SEVERAL_IN_A_WORKER.includes(application))
      worker.containers.push({ name: 'publishing-queue-listener', tokens, ruby: true });
    state.workloads.push(worker);
  }
  if (estate && application === 'search-api')
    state.workloads.push({
      ...workload('CronJob', 'search-api-elasticdump', 0, 'elasticdump'),
      suspended: true,
    });
  for (let task = 1; task <= first.cronTasks; task++)
    state.workloads.push(workload('CronJob', `${first.application}-task-${task}`, 0, 'cron-task'));
}

/** `signon-token-<client>-<application>`: the application is the longest known name at the end. */
function splitSecret(
  secret: string,
  applications: string[],
): { client: string; application: string } {
  const pair = secret.replace(/^signon-token-/, '');
  const application = applications
    .filter((name) => pair.endsWith(`-${name}`))
    .toSorted((a, b) => b.length - a.length)[0];
  if (!application) throw new Error(`no application is known for ${secret}`);
  return { client: pair.slice(0, -application.length - 1), application };
}

/** `short-url-manager` → `Short URL Manager`, which parameterizes to itself. */
function displayName(name: string): string {
  return name
    .split('-')
    .map((word) =>
      ['api', 'url'].includes(word)
        ? word.toUpperCase()
        : word.charAt(0).toUpperCase() + word.slice(1),
    )
    .join(' ');
}
