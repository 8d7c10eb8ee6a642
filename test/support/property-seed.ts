import * as fc from 'fast-check';

/**
 * Properties are tried with the same values in every run, so that a change is judged by itself;
 * `PROPERTY_SEED=random` tries others.
 */
const { PROPERTY_SEED: given = '20261129' } = process.env;
if (given !== 'random') fc.configureGlobal({ seed: Number(given) });
