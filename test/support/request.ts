import type { Progress } from '../../domain/rotation/checklist.ts';
import type { RotationRequest } from '../../domain/request/request.ts';

/** What a rotation's `status` query answers. */
export type Status = Progress & { code?: string };

/** The runbook’s own example. */
export const REQUEST: RotationRequest = {
  environment: 'integration',
  apiUser: 'short-url-manager@alphagov.co.uk',
  application: 'publishing-api',
  requestedBy: 'ada@example.org',
};
