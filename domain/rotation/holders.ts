import {
  type ClusterLook,
  type Consumer,
  distinctConsumers,
  type Readers,
  workloadsOf,
} from '../cluster/index.ts';
import { censusShown, type EvidenceCensus } from '../evidence/index.ts';
import type { Assessment } from './plan.ts';
import { isRenewed, type Recipient, type Settings } from '../settings/index.ts';
import type { Fingerprint, ListedToken } from '../tokens/index.ts';

/** What a person sees when asked who holds a token that no container reads. */
export interface Findings {
  secret: string;
  domain: string;
  /** Whether the e-mail is of a domain that Signon renews tokens for. */
  internal: boolean;
  /** The holder outside that the settings name for this API user. */
  recipient?: string;
  tokens: ListedToken[];
  census: EvidenceCensus;
}

/** The holder outside the cluster that the settings name for an API user. */
export function recipientOf(
  { recipients }: Settings,
  { apiUser }: { apiUser: { email: string } },
): Recipient | undefined {
  return recipients.find((recipient) => recipient.apiUser.trim().toLowerCase() === apiUser.email);
}

/**
 * What passed by and still counts: nothing where only a holder outside may have the token, for
 * whoever starts the next rotation has fixed it.
 */
export function passingFor(
  recipient: Recipient | undefined,
  passing: Consumer[] | undefined,
): Consumer[] | undefined {
  return recipient && !recipient.alsoInCluster ? undefined : passing;
}

/**
 * Says why a token may not go to a holder outside: containers read it, and the settings do not say
 * `alsoInCluster`. Undefined where it may.
 */
export function readInCluster(
  recipient: Recipient | undefined,
  { consumers }: ClusterLook,
): string | undefined {
  if (!recipient || recipient.alsoInCluster || consumers.length === 0) return undefined;
  return `${workloadsOf(consumers).join(', ')} read a token of ${recipient.apiUser}, whose holder is ${recipient.name}, outside the cluster`;
}

export function findingsOf({ pair, settings, tokens, look }: Assessment): Findings {
  const recipient = recipientOf(settings, pair)?.name;
  const domain = pair.apiUser.email.split('@').at(-1) ?? '';
  return {
    secret: pair.secret,
    domain,
    internal: isRenewed(pair.apiUser.email, settings.renewal),
    recipient,
    tokens,
    census: censusShown(look),
  };
}

/** Kinds whose workloads are listed while nothing of them runs; and a Job, which runs once. */
const IS_LISTED = /^(Deployment|StatefulSet|CronJob|Job)\//;

/**
 * Consumers of a kind that nothing lists, as an Argo Workflow's pod, that hold another token than
 * the new one: nothing shows what the next of them will hold.
 */
export function passingIn(
  { containers }: Pick<ClusterLook, 'containers'>,
  newToken: Pick<Fingerprint, 'masked'>,
): Consumer[] {
  return containers.filter(
    ({ workload, token }) =>
      !IS_LISTED.test(workload) && token !== undefined && token !== newToken.masked,
  );
}

/** Keeps such consumers, which no look shows once they have ended. */
export function withPassing(readers: Readers, passing: readonly Consumer[] = []): Readers {
  if (passing.length === 0) return readers;
  return { ...readers, passing: distinctConsumers([...(readers.passing ?? []), ...passing]) };
}

/**
 * Adds to what the next look searches for: every token ever listed for the pair, since a container
 * may still hold an expired one, consumers found with a token that do not read the Secret, and those
 * that only pass by.
 */
export function readersAfter(
  readers: Readers,
  tokens: readonly ListedToken[],
  look?: ClusterLook,
  newToken?: ListedToken,
): Readers {
  const holding = new Map(
    [...readers.holding, ...tokens].map(({ masked, maskedSha256, sha256 }) => [
      masked,
      { masked, maskedSha256, sha256 },
    ]),
  );
  const elsewhere = (look?.containers ?? []).filter(({ from }) => from !== undefined);
  return {
    ...withPassing(readers, look && newToken && passingIn(look, newToken)),
    holding: [...holding.values()],
    also: distinctConsumers([...readers.also, ...elsewhere]),
  };
}
