import type { InventoryRow } from '../../domain/inventory/index.ts';

/** A rotation that is open now. */
export interface OpenRotation {
  apiUser: string;
  /** Parameterized. */
  application: string;
  stage: string;
  /** Its page in the Temporal UI. */
  link?: string;
}

/** The open rotation of a pair. */
export function openOf(row: InventoryRow, open: readonly OpenRotation[]): OpenRotation | undefined {
  return open.find(
    ({ apiUser, application }) => apiUser === row.apiUser && application === row.application,
  );
}
