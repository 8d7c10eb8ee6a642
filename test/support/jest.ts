import type * as jest from '@jest/globals';

/**
 * What tests are written with. Jest's runner of bare Node offers it as globals, not as
 * `@jest/globals`.
 */
export const { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } =
  globalThis as unknown as typeof jest;
