import { expect, test } from '../support/jest.ts';
import { Client, Connection } from '@temporalio/client';
import { DAY, type FakeSystems } from '../support/fake-systems.ts';
import type { Rotation } from '../support/rotations.ts';
import { useTimeSkipping } from '../support/time-skipping.ts';

const { rotating, server } = useTimeSkipping();

/** Temporal warns of a payload from here on, and refuses it at four times that. */
const LARGEST_EVENT = 512 * 1024;
/** Temporal ends a run whose history is three times as large. */
const LARGEST_HISTORY = 16 * 1024 * 1024;
/** Characters that the UI draws at once: each token is named, for each may be revoked. */
const LONGEST_DETAILS = 64 * 1024;

const PODS = 500;
const TOKENS = 200;

async function sizesOf({ handle }: Rotation): Promise<{ largest: number; all: number }> {
  const connection = await Connection.connect({
    address: server().address,
    // this server knows no pages
    channelArgs: { 'grpc.max_receive_message_length': 64 * 1024 * 1024 },
  });
  const { events } = await new Client({ connection }).workflow
    .getHandle(handle.workflowId)
    .fetchHistory();
  await connection.close();
  const sizes = (events ?? []).map((event) => JSON.stringify(event).length);
  return { largest: Math.max(...sizes), all: sizes.reduce((sum, size) => sum + size, 0) };
}

function manyPods(systems: FakeSystems): void {
  systems.containers = Array.from({ length: PODS }, (_, at) =>
    systems.container(
      at % 5 === 0 ? 'worker' : 'app',
      `short-url-manager-6c9d0001-${String(at).padStart(5, '0')}`,
    ),
  );
}

/** Tokens that an engineer made, and that live on. */
function manyTokens(systems: FakeSystems): void {
  for (let more = 1; more < TOKENS; more++)
    systems.tokens.push(systems.token(1000 + more, 0, Date.now() + 5 * DAY));
}

test(
  `a rotation with ${PODS} pods and ${TOKENS} tokens stays within what Temporal takes, and is revoked token by token`,
  () =>
    rotating(
      async (rotation) => {
        const { waiting } = await rotation.awaitingApproval();
        expect(waiting).toMatchObject({ kind: 'approval' });
        const details = await rotation.details();
        expect(details.length).toBeLessThan(LONGEST_DETAILS);
        await rotation.approve();
        const report = await rotation.report();
        expect(report).toMatchObject({ outcome: 'rotated' });
        expect(report.revoked).toHaveLength(TOKENS);
        const { largest, all } = await sizesOf(rotation);
        expect(largest).toBeLessThan(LARGEST_EVENT);
        expect(all).toBeLessThan(LARGEST_HISTORY);
      },
      {
        prepare: (systems) => {
          manyPods(systems);
          manyTokens(systems);
        },
      },
    ),
  300_000,
);

test('of many tokens, no other is revoked after one whose page shows that the approval is void, though one look serves several', () =>
  rotating(
    async (rotation) => {
      const { systems } = rotation;
      await rotation.awaitingApproval();
      systems.onCall = (activity) => {
        if (activity !== 'revokeToken' || systems.revoked.length > 0) return;
        // by somebody else
        systems.tokens = systems.tokens.filter(({ authorisationId }) => authorisationId !== 1150);
      };
      await rotation.approve();
      await rotation.noted('confirm', /checking again in/);
      await rotation.pass('11 minutes'); // the soak
      await rotation.awaitingApproval(1);
      expect(systems.revoked).toHaveLength(1);
      expect((await rotation.status()).notes.join()).toContain('was revoked by somebody');
    },
    { prepare: manyTokens },
  ));
