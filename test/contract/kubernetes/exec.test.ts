import { isNativeError } from 'node:util/types';
import { describe, expect } from '../../support/jest.ts';
import ms from 'ms';
import {
  censusWithRuby,
  censusWithShell,
  END_MARKER,
  smokeWithRuby,
} from '../../../activities/kubernetes/scripts.ts';
import { IMMEDIATE } from '../../../sandbox/options.ts';
import { until } from '../../support/until.ts';
import { readOnlyTest, standInTest, useSystems } from '../systems.ts';
import { rawExec, someConsumer } from './consumer.ts';

const SUCCESS = { metadata: {}, status: 'Success' };
const exitCode = (code: string): object => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: code }] },
});
const sh = (script: string): string[] => ['sh', '-c', script];

describe('an exec', () => {
  const systems = useSystems();

  readOnlyTest('that exits with 0 ends with Success, and the connection with 1000', async () => {
    const target = await someConsumer(systems);
    const answer = await rawExec(systems, target, sh('echo out; echo err >&2'));
    expect(answer).toMatchObject({
      status: SUCCESS,
      stdout: 'out\n',
      stderr: 'err\n',
      closed: 1000,
    });
    expect(answer.protocol).toMatch(/^v[45]\.channel\.k8s\.io$/);
  });

  readOnlyTest('that exits otherwise ends with Failure and the exit code', async () => {
    const target = await someConsumer(systems);
    const answer = await rawExec(systems, target, sh('echo out; exit 3'));
    expect(answer).toMatchObject({ status: exitCode('3'), stdout: 'out\n', closed: 1000 });
    expect(await systems.kubernetes.exec(target, sh('exit 3'))).toEqual({
      kind: 'exited',
      code: 3,
    });
  });

  readOnlyTest(
    'of a program that is not there ends with an internal error, without an exit code',
    async () => {
      const target = await someConsumer(systems);
      const { status } = await rawExec(systems, target, ['no-such-program']);
      expect(status).toMatchObject({ status: 'Failure', reason: 'InternalError', code: 500 });
      expect(status?.details?.causes ?? []).not.toContainEqual(
        expect.objectContaining({ reason: 'ExitCode' }),
      );
      expect(await systems.kubernetes.exec(target, ['no-such-program'])).toEqual({
        kind: 'no-such-program',
      });
    },
  );

  readOnlyTest(
    'of a container not named, though there are two, or unknown, is refused with 400',
    async () => {
      const target = await someConsumer(systems);
      for (const container of ['', 'no-such-container']) {
        const refused: unknown = await rawExec(systems, { ...target, container }, ['true']).catch(
          (error: unknown) => error,
        );
        expect(isNativeError(refused)).toBe(false);
        expect(refused).toMatchObject({ message: 'Unexpected server response: 400' });
        await expect(
          systems.kubernetes.exec({ ...target, container }, ['true']),
        ).rejects.toMatchObject({
          type: 'ExecIncomplete',
        });
      }
    },
  );

  standInTest('of a pod that waits for a node is refused with 400', async () => {
    const { world, cluster } = systems.sandbox;
    const target = await someConsumer(systems);
    world.unschedulable.add('short-url-manager');
    cluster.roll('short-url-manager');
    const pod = await until('the pod', () =>
      world.state.pods.find(({ stuck }) => stuck === 'unschedulable'),
    );
    await expect(rawExec(systems, { ...target, pod: pod.name }, ['true'])).rejects.toMatchObject({
      message: 'Unexpected server response: 400',
    });
  });

  readOnlyTest(
    'of a pod that is gone is refused with 404, and our client takes it for gone',
    async () => {
      const target = { pod: 'no-such-pod', container: 'app' };
      await expect(rawExec(systems, target, ['true'])).rejects.toMatchObject({
        message: 'Unexpected server response: 404',
      });
      expect(await systems.kubernetes.exec(target, ['true'])).toEqual({ kind: 'gone' });
    },
  );

  readOnlyTest(
    'has the container’s environment, and Ruby and the shell agree about it',
    async () => {
      const target = await someConsumer(systems);
      const withShell = await systems.kubernetes.exec(target, censusWithShell);
      expect(withShell).toMatchObject({ kind: 'answered' });
      const lines = withShell.kind === 'answered' ? withShell.lines : [];
      expect(lines).toContainEqual(
        expect.stringMatching(new RegExp(`^token [0-9a-f]{64} [0-9a-f]{64} ${target.variable}$`)),
      );
      expect(lines.at(-1)).toBe(`environment ${systems.configuration.ROTATION_ENVIRONMENT}`);
      const withRuby = await systems.kubernetes.exec(target, censusWithRuby);
      expect(withRuby.kind === 'answered' && withRuby.lines.toSorted()).toEqual(lines.toSorted());
    },
  );

  standInTest('of a container without Ruby can be asked with the shell', async () => {
    const target = { ...(await someConsumer(systems)), container: 'nginx' };
    expect(await systems.kubernetes.exec(target, censusWithRuby)).toEqual({
      kind: 'no-such-program',
    });
    expect(await systems.kubernetes.exec(target, censusWithShell)).toMatchObject({
      kind: 'answered',
    });
  });

  standInTest('with a TTY joins stderr to stdout', async () => {
    const answer = await rawExec(systems, await someConsumer(systems), sh('echo err >&2'), {
      tty: true,
    });
    expect(answer).toMatchObject({ status: SUCCESS, stderr: '' });
    expect(answer.stdout).toContain('err');
  });

  standInTest('works on an older server, which speaks v4', async () => {
    const target = await someConsumer(systems);
    expect((await rawExec(systems, target, ['true'])).protocol).toBe('v5.channel.k8s.io');
    systems.sandbox.kubernetes.exec.protocols = ['v4.channel.k8s.io'];
    const answer = await rawExec(systems, target, sh('exit 3'));
    expect(answer).toMatchObject({
      protocol: 'v4.channel.k8s.io',
      status: exitCode('3'),
      closed: 1000,
    });
    const said = await systems.kubernetes.exec(target, sh(`echo out; echo ${END_MARKER}`));
    expect(said).toEqual({ kind: 'answered', lines: ['out'] });
  });
});

describe('an exec that goes wrong', () => {
  const systems = useSystems({ ...IMMEDIATE, podStartMs: ms('1 hour') });
  const FULL = sh(`echo the whole of a long answer; echo ${END_MARKER}`);

  standInTest(
    'as the node is lost says Success and gives part of the output; our client refuses that',
    async () => {
      const target = await someConsumer(systems);
      const { faults } = systems.sandbox.kubernetes.exec;
      faults.push('false-success', 'false-success');
      const answer = await rawExec(systems, target, FULL);
      expect(answer.status).toEqual(SUCCESS);
      expect(answer.stdout).toBe('the whole of a long ');
      await expect(systems.kubernetes.exec(target, FULL)).rejects.toMatchObject({
        type: 'ExecIncomplete',
        nonRetryable: false,
        message: expect.stringContaining('lacks its end'),
      });
      expect(await systems.kubernetes.exec(target, FULL)).toMatchObject({ kind: 'answered' });
    },
  );

  standInTest('as the API server is lost gives no status and closes with 1006', async () => {
    const target = await someConsumer(systems);
    systems.sandbox.kubernetes.exec.faults.push('no-status', 'no-status');
    expect(await rawExec(systems, target, FULL)).toMatchObject({ status: undefined, closed: 1006 });
    await expect(systems.kubernetes.exec(target, FULL)).rejects.toMatchObject({
      type: 'ExecIncomplete',
      nonRetryable: false,
      message: expect.stringContaining('without a status'),
    });
  });

  standInTest('as its container is killed ends with 137 after what was printed', async () => {
    const target = await someConsumer(systems);
    systems.sandbox.kubernetes.exec.faults.push('killed', 'killed');
    const answer = await rawExec(systems, target, FULL);
    expect(answer.status).toMatchObject(exitCode('137'));
    expect(answer.stdout).toContain(END_MARKER); // which alone proves nothing
    expect(await systems.kubernetes.exec(target, FULL)).not.toMatchObject({ kind: 'answered' });
  });

  standInTest('as its pod goes ends with 137, too', async () => {
    const target = await someConsumer(systems);
    const answer = await rawExec(systems, target, sh('echo begun; exec tail -f /dev/null'), {
      printed: () => systems.sandbox.cluster.kill(target.pod),
    });
    expect(answer).toMatchObject({ status: exitCode('137'), stdout: 'begun\n' });
  });

  standInTest(
    'because the container has not started is upgraded, then says that there is none',
    async () => {
      const { sandbox, kubernetes } = systems;
      sandbox.cluster.roll('short-url-manager');
      const pod = await until(
        'a pod that starts',
        () => sandbox.world.state.pods.find(({ running }) => !running)?.name,
      );
      const target = { pod, container: 'app' };
      const { status } = await rawExec(systems, target, ['true']);
      expect(status).toMatchObject({
        reason: 'InternalError',
        message: expect.stringContaining('container not found'),
      });
      expect(await kubernetes.exec(target, ['true'])).toEqual({ kind: 'gone' });
    },
  );

  standInTest(
    'because the node is down repeats the whole command, which our client never quotes',
    async () => {
      const target = await someConsumer(systems);
      systems.sandbox.kubernetes.exec.faults.push('node-down', 'node-down');
      const command = sh('echo something-confidential');
      const { status } = await rawExec(systems, target, command);
      expect(status).toMatchObject({ status: 'Failure', reason: 'InternalError' });
      expect(status?.message).toContain(command.join(' '));
      const failed: unknown = await systems.kubernetes
        .exec(target, command)
        .catch((error: unknown) => error);
      expect(failed).toMatchObject({ type: 'ExecIncomplete', nonRetryable: false });
      expect(`${(failed as Error).message} ${(failed as Error).stack}`).not.toContain(
        'something-confidential',
      );
    },
  );

  standInTest(
    'because the node is down says nothing about the container, whichever of our commands is repeated',
    async () => {
      const target = await someConsumer(systems);
      const call = JSON.stringify(systems.configuration.settings.smokeCalls['publishing-api']);
      const commands = [
        censusWithRuby,
        censusWithShell,
        smokeWithRuby(call, 'publishing-api', target.variable),
      ];
      for (const command of commands) {
        systems.sandbox.kubernetes.exec.faults.push('node-down');
        await expect(systems.kubernetes.exec(target, command)).rejects.toMatchObject({
          type: 'ExecIncomplete',
        });
      }
    },
  );
});
