import type { Offer } from './offers.ts';

/** One line for a person. Text may come from outside: whoever draws it escapes it. */
export interface Line {
  label?: string;
  text: string;
  /** A page of the documentation that says more, e.g. `failures.md#unreachable`. */
  page?: string;
}

/** A line for each text; none where there is nothing to say. */
export function lines(label: string, ...texts: (string | undefined | false)[]): Line[] {
  return texts.flatMap((text) => (text ? { label, text } : []));
}

export interface ShownTable {
  head: string[];
  rows: string[][];
}

/**
 * What a person reads about a rotation, in the order in which they read it: heading, `before`, the
 * first offer, `after`, evidence, then the other offers and details. The Temporal UI draws it as
 * Markdown, the CLI as text.
 */
export interface Shown {
  heading: string;
  /** Read before the first offer. */
  before: Line[];
  /** What to do before the first offer is sent, one sentence or two. */
  lead?: string;
  /** What may be sent; the first is the one that helps. */
  offers: Offer[];
  /** Read after the first offer: what speaks against it, and how long there is time. */
  after: Line[];
  table?: ShownTable;
  details: Line[];
}
