import { ALERT, isExampleAddress, SCHEDULE } from '../../domain/evidence/index.ts';
import {
  approversOf,
  type Environment,
  needsSecondPerson,
  type RotationRequest,
} from '../../domain/request/index.ts';
import { isHostOf, type Settings } from '../../domain/settings/index.ts';
import { failure } from '../failure.ts';

/** What the worker is set up for. */
export interface WorkerScope {
  environment: Environment;
  settings: Settings;
  /** The identity that the alert receiver starts rotations with. */
  receiver: string;
  /** Hosts of the outside systems, by the name of their setting. */
  hosts: Record<string, string>;
  /**
   * Whether Signon is a stand-in on loopback: only there may people have the addresses of examples.
   */
  standIns: boolean;
  /** Whether the worker's role may restart Deployments; undefined where that is not known. */
  mayRestart?: () => Promise<boolean | undefined>;
}

/**
 * Refuses a request that this worker does not serve.
 * @throws InvalidRequest for another environment, or a requester whom nobody could tell from the
 * approver; WrongEnvironment where a host does not match the environment
 */
export function refuseUnserved(
  request: Pick<RotationRequest, 'environment'> & { requestedBy?: string },
  scope: WorkerScope,
): void {
  if (request.environment !== scope.environment)
    throw failure(
      'InvalidRequest',
      `environment: this worker serves ${scope.environment}, the request says ${request.environment}`,
    );
  const { requestedBy = '' } = request;
  if (!scope.standIns && isExampleAddress(requestedBy))
    throw failure(
      'InvalidRequest',
      `requestedBy: ${requestedBy} is an address of the docs’ examples; start again with your own`,
    );
  const isPerson = requestedBy.includes('@');
  const isNobody = ['', ALERT, SCHEDULE].includes(requestedBy);
  const mustTellApart =
    needsSecondPerson(scope.environment) &&
    approversOf(scope.settings.approvers, scope.environment) !== 'anyone';
  if (mustTellApart && !isPerson && !isNobody)
    throw failure(
      'InvalidRequest',
      `requestedBy: expected an e-mail address, since another person must approve in ${scope.environment}`,
    );
  const pattern = scope.settings.hosts[scope.environment];
  for (const [name, host] of Object.entries(scope.hosts))
    if (!isHostOf(pattern, host))
      throw failure(
        'WrongEnvironment',
        `${name} is ${host}, which does not match ${scope.environment}’s pattern ${pattern}`,
      );
}
