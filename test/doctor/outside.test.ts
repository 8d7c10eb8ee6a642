import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  test,
} from '../support/jest.ts';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { smokeWithRuby, textOf } from '../../activities/kubernetes/scripts.ts';
import { RIGHTS } from '../../activities/kubernetes/rights.ts';
import { EXIT } from '../../client/cli/exit-codes.ts';
import { isPolled } from '../../client/polling.ts';
import { ARGO_CHECKS } from '../../doctor/argo.ts';
import type { Finding } from '../../doctor/finding.ts';
import { KUBERNETES_CHECKS } from '../../doctor/kubernetes.ts';
import { SIGNON_CHECKS } from '../../doctor/signon.ts';
import { IMMEDIATE } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { seedWorld } from '../../sandbox/seed.ts';
import { SlackStandIn } from '../../sandbox/slack/server.ts';
import { doctorLine } from '../support/command-line.ts';
import { policyFrom, SHIPPED_POLICY } from '../support/exec-policy.ts';
import { SHORTENED, Stage } from '../support/stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let sandbox: Sandbox;
let settings: string;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage.strike());
beforeEach(async () => {
  sandbox = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), IMMEDIATE);
  sandbox.kubernetes.exec.allows = policyFrom(SHIPPED_POLICY);
  settings = join(sandbox.folder, 'settings.json');
  writeFileSync(settings, JSON.stringify(SHORTENED));
});
afterEach(() => sandbox.stop());

/** Runs doctor with a worker's variables; what is not changed is well. */
async function doctor(
  change: Record<string, string> = {},
  args: string[] = ['--sign-in'],
  beside = stage,
): Promise<{ code: number; findings: Finding[]; err: string; out: string }> {
  const env = { ...sandbox.workerEnv(), ROTATION_SETTINGS: settings, ...change };
  const ran = await doctorLine(beside)(['--json', ...args], { env });
  return { ...ran, findings: ran.json as unknown as Finding[] };
}

/** What a check came to. */
async function found(
  check: string,
  change: Record<string, string> = {},
  args?: string[],
): Promise<Finding> {
  const { findings } = await doctor(change, args);
  return findings.find((finding) => finding.check === check)!;
}

const verdicts = (findings: readonly Finding[], checks: readonly string[]): string[] =>
  checks.map((check) => findings.find((finding) => finding.check === check)!.verdict);

test('where all is well but the worker, that alone is wrong, and what cannot be told is said', async () => {
  const { code, findings } = await doctor();
  expect(code).toBe(EXIT.failed);
  expect(findings.filter(({ verdict }) => verdict === 'wrong').map(({ check }) => check)).toEqual([
    'worker',
  ]);
  expect(findings.filter(({ verdict }) => verdict === 'not checked')).toEqual([
    expect.objectContaining({ check: 'Argo CD logs' }),
    expect.objectContaining({
      check: 'Argo CD create-job',
      found: expect.stringContaining('argocd-rbac.csv'),
    }),
    expect.objectContaining({ check: 'restarts' }),
    expect.objectContaining({ check: 'Slack' }),
  ]);
});

test('it changes nothing: no token, no Job, no pod', async () => {
  const before = structuredClone(sandbox.world.state);
  await doctor();
  const { authorisations, jobs, pods, workloads } = sandbox.world.state;
  expect({ authorisations, jobs, pods: pods.map(({ name }) => name), workloads }).toEqual({
    authorisations: before.authorisations,
    jobs: before.jobs,
    pods: before.pods.map(({ name }) => name),
    workloads: before.workloads,
  });
});

test('--exec-policy prints the policy for the worker’s settings, and checks nothing', async () => {
  const smokeCalls = {
    'publishing-api': {
      adapter: 'PublishingApi',
      requires: 'gds_api/publishing_api',
      method: 'get_health',
      positional: [],
      keyword: {},
    },
  };
  writeFileSync(settings, JSON.stringify({ ...SHORTENED, smokeCalls }));
  const own = await doctorLine(stage)(['--exec-policy'], { env: { ROTATION_SETTINGS: settings } });
  expect(own).toMatchObject({ code: EXIT.done, err: '' });
  const call = smokeWithRuby(textOf(smokeCalls['publishing-api']), 'publishing-api', 'A_TOKEN');
  expect([
    policyFrom(own.out)({ command: call }),
    policyFrom(SHIPPED_POLICY)({ command: call }),
  ]).toEqual([true, false]);
  const before = join(sandbox.folder, 'before.yaml');
  writeFileSync(before, own.out);
  const both = await doctorLine(stage)(['--exec-policy', '--beside', before]);
  expect(policyFrom(both.out)({ command: call })).toBe(true);
  writeFileSync(before, 'kind: Deployment');
  expect((await doctorLine(stage)(['--exec-policy', '--beside', before])).code).toBe(EXIT.failed);
});

test('no secret is printed, whatever fails', async () => {
  const env: Record<string, string> = {
    ...sandbox.workerEnv(),
    SIGNON_PASSWORD: 'a-password-that-is-wrong',
    ARGOCD_TOKEN: 'an-argo-token-that-is-wrong',
  };
  const ran = await doctorLine(stage)(['--sign-in'], {
    env: { ...env, ROTATION_SETTINGS: settings },
  });
  const [kubernetesToken] = Object.keys(sandbox.world.state.kubernetesTokens);
  const tokens = sandbox.world.state.authorisations.map(({ token }) => token);
  for (const secret of [
    env.SIGNON_PASSWORD!,
    env.SIGNON_TOTP_SECRET!,
    env.ARGOCD_TOKEN!,
    kubernetesToken!,
    ...tokens,
  ])
    expect(ran.out + ran.err).not.toContain(secret);
});

test('questions that the cluster leaves unanswered midway are findings, and the rest is checked', async () => {
  let asked = 0;
  sandbox.kubernetes.faults.byChance = ({ path }, when) =>
    when === 'before' && path.endsWith('/selfsubjectaccessreviews') && ++asked > RIGHTS.length
      ? { kind: 'cut' }
      : undefined;
  const { findings } = await doctor();
  expect(verdicts(findings, KUBERNETES_CHECKS)).toEqual([
    'well',
    'wrong',
    'wrong',
    ...Array<string>(6).fill('well'),
  ]);
});

test.each([
  ['not YAML', 'apiVersion: v1\ntoken: a-token-in-a-broken-file: x\n'],
  ['empty', ''],
])('a kubeconfig that is %s is named, and not quoted', async (_, content) => {
  const KUBECONFIG = join(sandbox.folder, 'broken');
  writeFileSync(KUBECONFIG, content);
  const { findings, out, err } = await doctor({ KUBECONFIG });
  expect(findings.find(({ check }) => check === 'kubeconfig')).toMatchObject({
    verdict: 'wrong',
    found: 'KUBECONFIG: cannot be read as a kubeconfig',
  });
  expect(out + err).not.toContain('a-token-in-a-broken-file');
});

test('several kubeconfigs are merged, as kubectl does', async () => {
  const other = join(sandbox.folder, 'other');
  writeFileSync(
    other,
    JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [] }),
  );
  const { KUBECONFIG } = sandbox.workerEnv();
  expect(await found('Kubernetes rights', { KUBECONFIG: `${KUBECONFIG}:${other}` })).toMatchObject({
    verdict: 'well',
  });
});

test('variables of Temporal’s that cannot be read are a finding', async () => {
  const { findings } = await doctor({ TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such/file' });
  expect(findings.find(({ check }) => check === 'Temporal')).toMatchObject({ verdict: 'wrong' });
  expect(findings.find(({ check }) => check === 'Argo CD')).toMatchObject({ verdict: 'well' });
});

describe('configuration', () => {
  test('names every bad variable, never its value', async () => {
    const { findings, out } = await doctor({
      SIGNON_URL: 'gopher://hole',
      SIGNON_TOTP_SECRET: 'not-base-32!',
    });
    expect(findings[0]).toMatchObject({
      verdict: 'wrong',
      found: expect.stringMatching(/SIGNON_URL: .*SIGNON_TOTP_SECRET: /),
    });
    expect(out).not.toContain('gopher');
    expect(findings.map(({ check }) => check)).not.toContain('Argo CD');
  });

  test('a mistake in the settings is named by its line', async () => {
    writeFileSync(settings, 'window: 14 days\nsoak: 10 minuets\n');
    expect(await found('configuration')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('line 2: soak'),
    });
  });

  test('a secret’s file that cannot be read is named', async () => {
    const file = join(sandbox.folder, 'password');
    const change = { SIGNON_PASSWORD: '', SIGNON_PASSWORD_FILE: file };
    expect(await found('configuration', change)).toMatchObject({
      verdict: 'wrong',
      found: 'SIGNON_PASSWORD_FILE: the file cannot be read',
    });
    writeFileSync(file, sandbox.workerEnv().SIGNON_PASSWORD!);
    chmodSync(file, 0o600);
    expect(await found('configuration', change)).toMatchObject({ verdict: 'well' });
  });

  test('variables of another environment than is asked about are not used', async () => {
    const { findings } = await doctor({ ROTATION_ENVIRONMENT: 'production' }, [
      '--sign-in',
      '-e',
      'integration',
    ]);
    expect(findings[0]).toMatchObject({
      verdict: 'wrong',
      found: 'the variables here are of production',
    });
    expect(sandbox.world.happened.requests).toMatchObject({ signon: 0, argo: 0 });
  });

  test('no credential goes to a host of another environment', async () => {
    writeFileSync(
      settings,
      JSON.stringify({ ...SHORTENED, hosts: { integration: '^.*\\.integration\\.example$' } }),
    );
    const { findings } = await doctor();
    expect(findings.find(({ check }) => check === 'hosts')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('SIGNON_URL is 127.0.0.1; ARGOCD_URL is 127.0.0.1'),
    });
    expect(sandbox.world.happened.requests).toMatchObject({ signon: 0, argo: 0, kubernetes: 0 });
    for (const checks of [SIGNON_CHECKS, ARGO_CHECKS, KUBERNETES_CHECKS])
      expect(new Set(verdicts(findings, checks))).toEqual(new Set(['not checked']));
  });
});

describe('Signon', () => {
  test('without a worker that counts refusals nobody signs in, unless asked to', async () => {
    const { findings, err } = await doctor({}, []);
    expect(verdicts(findings, SIGNON_CHECKS)).toEqual([
      'not checked',
      'not checked',
      'not checked',
    ]);
    expect(findings.find(({ check }) => check === 'Signon sign-in')!.todo).toContain('--sign-in');
    expect({ err, signon: sandbox.world.happened.requests.signon }).toEqual({ err: '', signon: 0 });
  });

  test('--no-sign-in leaves Signon alone', async () => {
    const { findings } = await doctor({}, ['--no-sign-in']);
    expect(verdicts(findings, SIGNON_CHECKS)).toEqual([
      'not checked',
      'not checked',
      'not checked',
    ]);
    expect(sandbox.world.happened.requests.signon).toBe(0);
  });

  test('a sign-in is warned of before it is made', async () => {
    expect((await doctor()).err).toMatch(
      /^Signs in to http:\/\/127\.0\.0\.1:\d+ once, as token-rotation@.*lock\.$/,
    );
  });

  test('a refused password is one refusal, and no more', async () => {
    const { findings } = await doctor({ SIGNON_PASSWORD: 'another' });
    expect(verdicts(findings, SIGNON_CHECKS)).toEqual(['wrong', 'not checked', 'not checked']);
    expect(sandbox.world.state.account.failures).toBe(1);
  });

  test('a refused code is one wrong code, and no more', async () => {
    expect(
      await found('Signon sign-in', { SIGNON_TOTP_SECRET: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' }),
    ).toMatchObject({
      verdict: 'wrong',
    });
    expect(sandbox.world.state.account.wrongCodes).toBe(1);
  });

  test('an account that is no superadmin is let in and shown nothing', async () => {
    sandbox.world.state.account.superadmin = false;
    const { findings } = await doctor();
    expect(verdicts(findings, SIGNON_CHECKS)).toEqual(['well', 'wrong', 'not checked']);
  });

  test('an account whose second step is not set up is told of', async () => {
    sandbox.world.state.account.secondStepMissing = true;
    expect(await found('Signon sign-in')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('second step is required but not set up'),
    });
  });

  test.each([
    ['/api_users'],
    ['/manage_tokens'],
    ['/edit'],
    ['/authorisations/new'],
    ['/authorisations/\\d+/edit'],
  ])('a page %s that changed is named', async (path) => {
    sandbox.signon.faults.add({
      path: new RegExp(`${path}$`),
      when: 'after',
      kind: 'changed',
      times: 100,
    });
    expect(await found('Signon pages')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringMatching(/^Signon’s .* page does not hold /),
    });
  });

  test('one that is down is said to be', async () => {
    sandbox.signon.faults.add({
      path: /./,
      when: 'before',
      kind: 'status',
      status: 503,
      times: 100,
    });
    expect(await found('Signon sign-in')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('503'),
    });
  });

  test('API users without any token leave the pages unread', async () => {
    for (const token of sandbox.world.state.authorisations) token.revokedAt = sandbox.world.now();
    expect(await found('Signon pages')).toMatchObject({ verdict: 'not checked' });
  });
});

describe('Argo CD', () => {
  test('a token that it does not accept is told from a right that is missing', async () => {
    const { findings } = await doctor({ ARGOCD_TOKEN: 'another' });
    expect(verdicts(findings, ARGO_CHECKS)).toEqual([
      'wrong',
      'not checked',
      'not checked',
      'not checked',
    ]);
    expect(findings.find(({ check }) => check === 'Argo CD')!.found).toContain(
      'it does not accept the token',
    );
    sandbox.argo.rights.get = false;
    expect((await found('Argo CD')).found).toContain('403');
  });

  test('an application without the sync’s CronJob', async () => {
    const { findings } = await doctor({ ARGOCD_SYNC_CRONJOBS: 'another-sync' });
    expect(verdicts(findings, ARGO_CHECKS)).toEqual([
      'well',
      'wrong',
      'not checked',
      'not checked',
    ]);
  });

  test('logs are read where there is a Job, and the right to read them is told of where it is missing', async () => {
    sandbox.cluster.createJob('signon-sync-token-secrets-to-k8s-1');
    expect(await found('Argo CD logs')).toMatchObject({ verdict: 'well' });
    sandbox.argo.rights.logs = false;
    expect(await found('Argo CD logs')).toMatchObject({
      verdict: 'wrong',
      todo: expect.stringContaining('argocd-rbac.csv'),
    });
  });

  test('that is down is said to be', async () => {
    sandbox.argo.faults.add({ path: /./, when: 'before', kind: 'cut', times: 100 });
    expect(await found('Argo CD')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('did not answer'),
    });
  });
});

describe('Kubernetes', () => {
  test.each([
    [{ tokenFile: 'token' }, 'a token file that is read for each request'],
    [{ token: 'x' }, 'a token in the kubeconfig, which is read again where it is refused'],
    [{}, 'none: the cluster sees nobody'],
  ])('how the worker proves who it is: %j', async (user, says) => {
    const whole = JSON.parse(readFileSync(sandbox.workerEnv().KUBECONFIG!, 'utf8')) as {
      users: [{ user: object }];
    };
    whole.users[0].user = user;
    const KUBECONFIG = join(sandbox.folder, 'other-kubeconfig');
    writeFileSync(KUBECONFIG, JSON.stringify(whole));
    writeFileSync(join(sandbox.folder, 'token'), 'x');
    expect(await found('Kubernetes credential', { KUBECONFIG })).toMatchObject({
      verdict: 'well',
      found: says,
    });
  });

  test('the kinds of workloads that read a token, with how many there are of each', async () => {
    expect(await found('readers')).toMatchObject({
      verdict: 'well',
      found: 'read a token: 1 CronJob, 2 Deployments',
    });
  });

  test('an account that it does not know', async () => {
    sandbox.world.state.kubernetesTokens = {};
    const { findings } = await doctor();
    expect(verdicts(findings, KUBERNETES_CHECKS)).toEqual([
      'wrong',
      ...Array<string>(8).fill('not checked'),
    ]);
  });

  test.each(RIGHTS.map((right) => [right.verb, right.resource] as const))(
    'the missing right to %s %s is named',
    async (verb, resource) => {
      const { role } = sandbox.kubernetes;
      role[resource] = role[resource]!.filter((one) => one !== verb);
      expect(await found('Kubernetes rights')).toMatchObject({
        verdict: 'wrong',
        found: `it may not ${verb} ${resource}`,
      });
    },
  );

  test('more rights than it needs are told of, and the one that restarts need', async () => {
    Object.assign(sandbox.kubernetes.role, { secrets: ['list'] });
    sandbox.kubernetes.role.deployments = ['list', 'patch'];
    const { findings } = await doctor();
    expect(verdicts(findings, ['Kubernetes Secrets', 'restarts'])).toEqual(['not checked', 'well']);
  });

  test('a CronJob of another cluster than Argo CD’s', async () => {
    const other = await Sandbox.start(seedWorld({ only: ['short-url-manager'] }), IMMEDIATE);
    try {
      expect(
        await found('same cluster', { KUBECONFIG: other.workerEnv().KUBECONFIG! }),
      ).toMatchObject({
        verdict: 'wrong',
        found: expect.stringMatching(/has uid \S+ in Argo CD, and \S+ in Kubernetes/),
        todo: expect.stringContaining('two clusters'),
      });
    } finally {
      await other.stop();
    }
  });

  test('a pod that gives no answer', async () => {
    sandbox.kubernetes.exec.faults.push('refused');
    const { findings } = await doctor();
    expect(verdicts(findings, ['exec', 'environment of pods', 'Ruby in pods'])).toEqual([
      'wrong',
      'not checked',
      'not checked',
    ]);
  });

  test('a cluster where no policy says what may be executed', async () => {
    sandbox.kubernetes.exec.allows = () => true;
    expect(await found('exec policy')).toEqual({
      check: 'exec policy',
      verdict: 'not checked',
      found: 'none is in force: this account may run any program in any container of the namespace',
      todo: 'Apply deploy/kubernetes/exec-policy.yaml.',
    });
  });

  test('a policy that does not know the programs of this version', async () => {
    sandbox.kubernetes.exec.allows = () => false;
    expect(await found('exec')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringMatching(
        /with 422: its policy for exec does not allow the program “census \(sh\)”$/,
      ),
      todo: expect.stringContaining('--exec-policy'),
    });
  });

  test('a policy that refuses a smoke call of the settings', async () => {
    const shipped = policyFrom(SHIPPED_POLICY);
    sandbox.kubernetes.exec.allows = (exec) =>
      shipped(exec) && !exec.command.includes('publishing-api');
    const { execs } = sandbox.world.happened;
    expect(await found('exec policy')).toMatchObject({
      verdict: 'wrong',
      found: 'it refuses the settings’ smoke calls of publishing-api',
      todo: expect.stringContaining('--exec-policy'),
    });
    expect(sandbox.world.happened.execs).toBeGreaterThan(execs);
  });

  test('pods of another environment', async () => {
    for (const { containers } of sandbox.world.state.pods)
      for (const { env } of containers) env.GOVUK_ENVIRONMENT = 'production';
    expect(await found('environment of pods')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('“production”'),
    });
  });

  test('a container without Ruby', async () => {
    for (const { containers } of sandbox.world.state.workloads)
      for (const spec of containers) spec.ruby = false;
    const { findings } = await doctor();
    expect(verdicts(findings, ['exec', 'environment of pods', 'Ruby in pods'])).toEqual([
      'well',
      'well',
      'not checked',
    ]);
  });

  test('a namespace where nothing reads a token', async () => {
    sandbox.world.state.pods = [];
    sandbox.world.state.workloads = [];
    expect(await found('exec')).toMatchObject({
      verdict: 'not checked',
      found: 'no running container reads a token',
    });
  });
});

describe('Slack', () => {
  let slack: SlackStandIn;
  let webhook: string;
  beforeEach(async () => {
    slack = new SlackStandIn();
    webhook = await slack.listen();
  });
  afterEach(() => slack.close());

  test('is sent nothing unless asked for', async () => {
    expect(await found('Slack', { SLACK_WEBHOOK_URL: webhook })).toMatchObject({
      verdict: 'not checked',
    });
    expect(slack.messages).toEqual([]);
  });

  test('is sent one line where asked for', async () => {
    expect(await found('Slack', { SLACK_WEBHOOK_URL: webhook }, ['--slack'])).toMatchObject({
      verdict: 'well',
    });
    expect(slack.messages).toEqual([
      'signon-rotation-doctor, integration: notices of rotations will come here.',
    ]);
  });

  test('that refuses is said to, without its address', async () => {
    slack.faults.add({ path: /./, when: 'before', kind: 'status', status: 404 });
    const { findings, out } = await doctor({ SLACK_WEBHOOK_URL: webhook }, ['--slack']);
    expect(findings.at(-1)).toMatchObject({
      verdict: 'wrong',
      found: 'Slack’s webhook answered 404',
    });
    expect(out).not.toContain(new URL(webhook).pathname);
  });
});

describe('with a worker', () => {
  let withWorker: Stage;
  beforeAll(async () => {
    withWorker = await Stage.set();
    await withWorker.worker();
    const polls = (): Promise<boolean | undefined> =>
      isPolled(withWorker.client, 'integration').then((is) => is || undefined);
    await until('the worker to poll', polls);
  });
  afterAll(() => withWorker.strike());

  test('it is all well, the exit code is 0, and the sign-in is counted with the worker’s', async () => {
    const { code, findings } = await doctor(withWorker.env(), [], withWorker);
    expect(findings.filter(({ verdict }) => verdict === 'wrong')).toEqual([]);
    expect(code).toBe(EXIT.done);
    const { type } = await withWorker.client.workflow
      .getHandle('sign-in-ledger/integration')
      .describe();
    expect(type).toBe('signInLedger');
  });

  test('another TOTP secret than the worker’s is told before anything is sent to Signon', async () => {
    const change = { SIGNON_TOTP_SECRET: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' };
    const { findings } = await doctor(change, [], withWorker);
    expect(findings.find(({ check }) => check === 'Signon sign-in')).toMatchObject({
      verdict: 'wrong',
      found: expect.stringContaining('sign-in-ledger/integration could not verify'),
      todo: expect.stringContaining('the same SIGNON_TOTP_SECRET'),
    });
    expect(sandbox.world.state.account).toMatchObject({ failures: 0, wrongCodes: 0 });
  });

  test('of four refused passwords three reach Signon', async () => {
    const { SIGNON_TOTP_SECRET = '' } = withWorker.env(); // the worker's sandbox is another: it must know who asks
    const said: string[] = [];
    for (let times = 0; times < 4; times++) {
      const { findings } = await doctor(
        { SIGNON_PASSWORD: 'another', SIGNON_TOTP_SECRET },
        [],
        withWorker,
      );
      said.push(findings.find(({ check }) => check === 'Signon sign-in')!.found);
    }
    expect(said.map((why) => why.startsWith('Signon refused'))).toEqual([true, true, true, false]);
    expect(said[3]).toContain('3 sign-ins were refused');
    expect(sandbox.world.state.account.failures).toBe(3);
  });
});
