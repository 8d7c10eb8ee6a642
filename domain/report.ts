import type { Outcome } from './plan.ts';
import type { RecordedSender } from './approval.ts';
import type { ListedToken } from './tokens.ts';

/** The result of a rotation. */
export interface RotationReport {
  outcome: Outcome;
  /** One sentence: why it ended so. */
  why: string;
  environment: string;
  apiUser: string;
  application: string;
  newToken?: ListedToken;
  /** How the new token came about. */
  origin?: 'issued' | 'adopted' | 'maybe another’s';
  /** A create may have taken effect without its token being seen: look for tokens of the pair that nobody knows. */
  createsLost: boolean;
  revoked: ListedToken[];
  /** Tokens of the pair that were live when last looked at, the new one included. */
  alive: ListedToken[];
  approvals: { by: string; sender: RecordedSender; revoke: number[]; at: string }[];
  syncJobs: string[];
  notes: string[];
}
