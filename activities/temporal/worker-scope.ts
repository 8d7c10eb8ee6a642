import { ALERT, isExampleAddress, SCHEDULE } from '../../domain/evidence/index.ts';
import {
  approversOf,
  needsSecondPerson,
  type RotationRequest,
} from '../../domain/request/index.ts';
import { isHostOf } from '../../domain/settings/index.ts';
import { hostsOf, type Configuration } from '../../config/configuration.ts';
import { isLoopback } from '../../config/variables.ts';
import { failure } from '../failure.ts';

/** What the worker is set up for. */
export type WorkerScope = Pick<
  Configuration,
  'ROTATION_ENVIRONMENT' | 'SIGNON_URL' | 'ARGOCD_URL' | 'ALERT_RECEIVER_IDENTITY' | 'settings'
>;

/**
 * Refuses a request that this worker does not serve.
 * @throws InvalidRequest for another environment, or a requester whom nobody could tell from the
 * approver; WrongEnvironment where a host does not match the environment
 */
export function refuseUnserved(
  request: Pick<RotationRequest, 'environment'> & { requestedBy?: string },
  scope: WorkerScope,
): void {
  const { ROTATION_ENVIRONMENT: environment, settings } = scope;
  if (request.environment !== environment)
    throw failure(
      'InvalidRequest',
      `environment: this worker serves ${environment}, the request says ${request.environment}`,
    );
  const { requestedBy = '' } = request;
  // Only where Signon is a stand-in may people have the addresses of examples.
  if (!isLoopback(scope.SIGNON_URL) && isExampleAddress(requestedBy))
    throw failure(
      'InvalidRequest',
      `requestedBy: ${requestedBy} is an address of the docs’ examples; start again with your own`,
    );
  const isPerson = requestedBy.includes('@');
  const isNobody = ['', ALERT, SCHEDULE].includes(requestedBy);
  const mustTellApart =
    needsSecondPerson(environment) && approversOf(settings.approvers, environment) !== 'anyone';
  if (mustTellApart && !isPerson && !isNobody)
    throw failure(
      'InvalidRequest',
      `requestedBy: expected an e-mail address, since another person must approve in ${environment}`,
    );
  const pattern = settings.hosts[environment];
  for (const [name, host] of Object.entries(hostsOf(scope)))
    if (!isHostOf(pattern, host))
      throw failure(
        'WrongEnvironment',
        `${name} is ${host}, which does not match ${environment}’s pattern ${pattern}`,
      );
}
