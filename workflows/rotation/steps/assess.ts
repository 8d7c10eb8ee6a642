import { ALERT } from '../../../domain/evidence/index.ts';
import {
  type Pair,
  passingFor,
  readersAfter,
  readInCluster,
  recipientOf,
  type Situation,
  specialCaseOf,
  type Stop,
} from '../../../domain/rotation/index.ts';
import {
  type ClusterLook,
  disagreements,
  running,
  unseenConsumers,
} from '../../../domain/cluster/index.ts';
import type { RotationRequest } from '../../../domain/request/index.ts';
import type { Recipient } from '../../../domain/settings/index.ts';
import { activities, blocks, failedWith, failureOf } from '../../shared/index.ts';
import { findCronJob } from './cron-job.ts';
import { lookAtHolders } from './look-at-holders.ts';
import type { Runbook } from '../runbook.ts';

/**
 * Gathers all that the plan needs, and blocks where the systems do not fit together. Reads only.
 */
export async function assess(book: Runbook): Promise<Stop | Situation> {
  const { request } = book;
  const settings = await activities.beginRotation(request);
  book.linkTo(settings);
  const pair = await findPairOf(request);
  if ('kind' in pair) return pair;
  const special = specialCaseOf(pair, settings);
  if (special) return special;
  const recipient = recipientOf(settings, pair);
  if (request.recipient !== undefined && recipient?.name !== request.recipient)
    throw blocks(
      'UnknownRecipient',
      `the settings name no recipient “${request.recipient}” for ${pair.apiUser.email}`,
    );
  // Without it, an old token's holder is unknown, and it is revoked by name alone.
  const read = await activities.remembersOf().catch(() => undefined);
  if (!read)
    book.remark(
      'What earlier rotations of this pair saw could not be read: ask who else uses the old token before you approve its revoke',
    );
  const { givenUp, also, passing: passed } = read ?? { givenUp: [], also: [] };
  const passing = passingFor(recipient, passed);
  book.record.remember({ givenUp, also, passing, ...(!read && { isPart: true }) });
  const tokens = await activities.listTokens(pair);
  book.record.observed(tokens);
  const cronJob = await findCronJob(); // before a container of another cluster is asked
  const order = { secret: pair.secret, holding: tokens, also, passing, ofOtherPairs: [] };
  const { look, readers: found } = await lookAtHolders(order);
  const readers = readersAfter(found, tokens, look);
  book.readers = readers;
  if (tokens.length > 0 && pair.apiUser.suspended)
    throw blocks(
      'ApiUserSuspended',
      `${pair.apiUser.email} is suspended in Signon: the sync skips it`,
    );
  refuseUnprovable(look, pair);
  refuseReadInCluster(look, recipient);
  const { environment: others, unlisted } = disagreements(look, request.environment);
  if (others.length > 0) throw blocks('WrongEnvironment', others.join('; '));
  if (tokens.length > 0 && unlisted.length > 0 && !book.retries.accepted.has('unlisted-token'))
    throw blocks('UnlistedToken', unlisted.join('; '));
  const pods = new Set(running(look).map(({ pod }) => pod)).size;
  const idle = unseenConsumers(look).length;
  const silent = running(look).filter((container) => container.environment === '').length;
  book.note(
    'assess',
    `tokens listed: ${tokens.length}; consumers: ${look.consumers.length}${idle > 0 ? `, ${idle} of them not running` : ''}; pods: ${pods}${silent > 0 ? `; containers without GOVUK_ENVIRONMENT, which prove nothing of the environment: ${silent}` : ''}`,
  );
  const before = request.force ? tokens.map(({ authorisationId }) => authorisationId) : [];
  const about = { settings, pair, cronJob, recipient, before, readers, tokens, look };
  return { ...about, known: [], everHeld: givenUp, confirmedRevokes: 0 };
}

/**
 * Finds the pair. One that Signon does not list blocks, for a person may have mistyped it and can
 * say so. An alert cannot, and anybody with the receiver's token can make up pairs: its rotation
 * ends.
 */
async function findPairOf(request: RotationRequest): Promise<Pair | Stop> {
  try {
    return await activities.findPair(request);
  } catch (error) {
    if (request.requestedBy !== ALERT || !failedWith(error, 'UnknownApiUser', 'UnknownApplication'))
      throw error;
    const { message } = failureOf(error);
    return { kind: 'stop', outcome: 'nothing-to-do', why: `only an alert asked, and ${message}` };
  }
}

/**
 * Blocks where containers read what is to be handed over to somebody outside, and nothing says that
 * both hold it.
 */
export function refuseReadInCluster(look: ClusterLook, recipient: Recipient | undefined): void {
  const why = readInCluster(recipient, look);
  if (why !== undefined) throw blocks('ReadInCluster', why);
}

/** Blocks where a workload mounts the Secret as files: what it holds cannot be proven. */
export function refuseUnprovable(look: ClusterLook, pair: Pair): void {
  if (look.mountedBy.length > 0)
    throw blocks(
      'SecretMountedAsFile',
      `mounted as files: ${pair.secret}, or another Secret of the sync that no pair owns, by ${look.mountedBy.join(', ')}`,
    );
}
