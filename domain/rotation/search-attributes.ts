import {
  defineSearchAttributeKey,
  SearchAttributeType,
  type SearchAttributePair,
} from '@temporalio/common';
import type { SearchAttribute } from './stage.ts';

/** A search attribute of rotations: all of them are Keywords. */
export const keyOf = (name: SearchAttribute) =>
  defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** Values as Temporal takes them. */
export function pairsOf(values: Partial<Record<SearchAttribute, string>>): SearchAttributePair[] {
  return Object.entries(values).map(([name, value]) => ({
    key: keyOf(name as SearchAttribute),
    value,
  }));
}
