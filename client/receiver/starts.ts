const HOUR_MS = 3_600_000;

/**
 * Counts the rotations that this process started within the last hour. Its memory is all that keeps
 * the count: a restart begins anew, and each replica counts its own.
 */
export class Starts {
  private at: number[] = [];

  constructor(private readonly most: number) {}

  /** Takes one of the hour's starts; false where none is left. @param now ms since the epoch */
  take(now: number): boolean {
    this.at = this.at.filter((start) => now - start < HOUR_MS);
    if (this.at.length >= this.most) return false;
    this.at.push(now);
    return true;
  }

  /** Gives back the last one, which started nothing. */
  giveBack(): void {
    this.at.pop();
  }
}
