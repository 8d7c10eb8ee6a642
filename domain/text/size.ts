/** The most that is passed to continue-as-new: the server takes 2 MB in one piece. */
export const MOST_CARRIED = 1_000_000;

/**
 * What a value takes as JSON in a history, in bytes at most: characters outside ASCII count three
 * times.
 */
export function sizeOf(value: unknown): number {
  return (JSON.stringify(value) ?? '').replace(/[^\x20-\x7e]/g, '...').length;
}
